import type { Clock, IncomingMessage, Settlement } from '@outrigger/spec'
import { expect, test } from 'vitest'
import { Batcher } from './batcher.ts'

const message = (text: string): IncomingMessage => ({ topic: 't', data: Buffer.from(text), metadata: {} })

function setUp(answer: (count: number) => Promise<readonly Settlement[]>) {
  const timers = new Set<() => void>()
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    schedule(_, callback) {
      timers.add(callback)
      return { cancel: () => void timers.delete(callback) }
    },
  }
  const batches: string[][] = []
  const batcher = new Batcher(
    (messages) => {
      batches.push(messages.map(({ data }) => Buffer.from(data).toString()))
      return answer(messages.length)
    },
    { maxMessages: 3, maxWaitMs: 10, clock },
  )
  const fire = (): void => {
    for (const callback of timers) {
      timers.delete(callback)
      callback()
    }
  }
  return { batcher, batches, timers, fire }
}

const allAck = (count: number): Promise<Settlement[]> => Promise.resolve(Array<Settlement>(count).fill('ack'))

test('a full batch is handed over at once, a smaller one when the first has waited', async () => {
  const { batcher, batches, timers, fire } = setUp(allAck)
  const settled = ['1', '2', '3', '4'].map((text) => batcher.add(message(text)))
  expect(batches).toEqual([['1', '2', '3']])
  expect(timers.size).toBe(1)
  fire()
  expect(batches).toEqual([['1', '2', '3'], ['4']])
  expect(await Promise.all(settled)).toEqual(['ack', 'ack', 'ack', 'ack'])
  expect(timers.size).toBe(0)
})

test('what has no settlement, or a batch that failed, is nacked', async () => {
  const short = setUp(() => Promise.resolve(['ack']))
  const settled = ['1', '2', '3'].map((text) => short.batcher.add(message(text)))
  expect(await Promise.all(settled)).toEqual(['ack', 'nack', 'nack'])
  const failing = setUp(() => Promise.reject(new Error('no')))
  const one = failing.batcher.add(message('1'))
  failing.batcher.flush()
  expect(await one).toBe('nack')
})
