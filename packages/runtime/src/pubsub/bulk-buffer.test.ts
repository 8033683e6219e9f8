import type { IncomingMessage } from '@outrigger/spec'
import { virtualClock } from '@outrigger/testkit'
import { expect, it } from 'vitest'
import { BulkBuffer } from './bulk-buffer.ts'

const message = (topic: string): IncomingMessage => ({ topic, data: Buffer.from(''), metadata: {} })

it('holds nothing back once it drains, neither what is there nor what still comes', async () => {
  const clock = virtualClock()
  const batches: string[][] = []
  const buffer = new BulkBuffer({ maxMessages: 10, maxWaitMs: 1000 }, clock, async (messages) => {
    batches.push(messages.map(({ topic }) => topic))
    return messages.map(() => 'ack')
  })
  const early = [buffer.deliver(message('a')), buffer.deliver(message('b'))]
  buffer.drain()
  expect(await Promise.all(early)).toEqual(['ack', 'ack'])
  expect(await buffer.deliver(message('c'))).toBe('ack')
  expect(batches).toEqual([['a', 'b'], ['c']])
  expect(clock.pending).toBe(0)
})
