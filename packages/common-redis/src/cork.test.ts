import { expect, test } from 'vitest'
import { Cork } from './cork.ts'

test('holds each stream once in a turn and lets go at its end', async () => {
  const calls: string[] = []
  const stream = { cork: () => calls.push('cork'), uncork: () => calls.push('uncork') }
  const cork = new Cork(() => [stream, undefined])
  cork.hold()
  cork.hold()
  expect(calls).toEqual(['cork'])
  await new Promise(setImmediate)
  expect(calls).toEqual(['cork', 'uncork'])
  cork.hold()
  await new Promise(setImmediate)
  expect(calls).toEqual(['cork', 'uncork', 'cork', 'uncork'])
})
