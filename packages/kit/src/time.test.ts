import { expect, test } from 'vitest'
import { abortable } from './time.ts'

test('what is done in time counts, and nobody listens to the signal any more', async () => {
  const { signal } = new AbortController()
  expect(await abortable(Promise.resolve(1), signal)).toBe(1)
  await expect(abortable(Promise.reject(new Error('x')), signal)).rejects.toThrow('x')
  expect(await abortable(Promise.resolve(2), undefined)).toBe(2)
})

test('a signal ends the waiting', async () => {
  const controller = new AbortController()
  const waiting = abortable(new Promise(() => {}), controller.signal)
  controller.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
  // What fails later is nobody's.
  await expect(abortable(Promise.reject(new Error('late')), controller.signal)).rejects.toMatchObject({
    code: 'CANCELLED',
  })
})
