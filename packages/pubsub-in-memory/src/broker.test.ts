import { fromUtf8, utf8 } from '@outrigger/kit'
import type { IncomingMessage, Settlement, Subscription } from '@outrigger/spec'
import { recordingLogger, seededRandom, settle, virtualClock } from '@outrigger/testkit'
import { beforeEach, expect, test } from 'vitest'
import { MemoryBroker, type BrokerOptions } from './broker.ts'

const clock = virtualClock()
let logger = recordingLogger()
let broker: MemoryBroker
let texts: string[]

function start(options: Partial<BrokerOptions> = {}): void {
  const defaults = { group: 'app', maxInFlight: 10, queueLimit: 100, queueLimitBytes: 1000 }
  broker = new MemoryBroker({ ...defaults, ...options }, { clock, random: seededRandom(1), logger })
}

beforeEach(() => {
  logger = recordingLogger()
  texts = []
  start()
})

const publish = (topic: string, text: string): Promise<void> =>
  broker.publish({ topic, data: utf8(text), metadata: {} }, {})

function subscribe(
  topic: string,
  answer: (message: IncomingMessage) => Settlement | Promise<Settlement> = () => 'ack',
  extra: { maxInFlight?: number; metadata?: Readonly<Record<string, string>> } = {},
): Promise<Subscription> {
  const deliver = async (message: IncomingMessage): Promise<Settlement> => {
    texts.push(fromUtf8(message.data))
    return answer(message)
  }
  return broker.subscribe({ topic, metadata: {}, ...extra }, deliver, {})
}

const never = (): Promise<Settlement> => new Promise(() => {})

test('a queue takes as many messages as its limit says, those under way too', async () => {
  start({ queueLimit: 3 })
  let ack: ((settlement: Settlement) => void) | undefined
  const first = new Promise<Settlement>((resolve) => {
    ack = resolve
  })
  await subscribe('t', () => first, { maxInFlight: 1 })
  for (const text of ['1', '2', '3']) await publish('t', text)
  await settle()
  await expect(publish('t', '4')).rejects.toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    retryable: true,
    message:
      'the queue of group app on topic t is full (3 messages): publish again later, or raise queueLimit',
  })
  ack!('ack')
  await settle()
  await publish('t', '5')
  await settle()
  expect(texts).toEqual(['1', '2', '3', '5'])
})

test('a queue takes as many bytes as its limit says, and one message that is larger', async () => {
  start({ queueLimitBytes: 5 })
  await subscribe('t', never)
  await publish('t', 'larger than that')
  await expect(publish('t', '1')).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
  await broker.close()
  start({ queueLimitBytes: 5 })
  await subscribe('t', never)
  await publish('t', '123')
  await publish('t', '45')
  await expect(publish('t', '6')).rejects.toThrow('raise queueLimitBytes')
})

test('when one group has no room, no group receives the message', async () => {
  start({ queueLimit: 1 })
  await subscribe('t', never, { metadata: { consumerID: 'slow' } })
  await subscribe('t', () => 'ack', { metadata: { consumerID: 'fast' } })
  await publish('t', '1')
  await settle()
  await expect(publish('t', '2')).rejects.toThrow('group slow')
  await settle()
  expect(texts).toEqual(['1', '1'])
})

test('a full queue that nobody reads any more is given up, with a warning, and stops nobody', async () => {
  start({ queueLimit: 2 })
  await (await subscribe('t')).close()
  for (const text of ['1', '2', '3', '4', '5']) await publish('t', text)
  expect(logger.messages('warn')).toEqual([
    'giving up the queue of group app on topic t: it is full and nobody reads it',
  ])
  await subscribe('t')
  await publish('t', '6')
  await settle()
  expect(texts).toEqual(['6'])
})

test('with maxInFlight 1 order is kept through a nack, and the back-off is waited for', async () => {
  let nacks = 2
  await subscribe('t', () => (nacks-- > 0 ? 'nack' : 'ack'), { maxInFlight: 1 })
  for (const text of ['1', '2', '3']) await publish('t', text)
  await settle()
  expect(texts).toEqual(['1'])
  await clock.advance(2000)
  expect(texts).toEqual(['1', '1', '1', '2', '3'])
})

test('the back-off grows and stays within a second', async () => {
  const times: number[] = []
  await subscribe('t', () => {
    times.push(clock.now())
    return 'nack'
  })
  await publish('t', '1')
  await clock.advance(20_000)
  const gaps = times.slice(1).map((time, n) => time - times[n]!)
  expect(gaps[0]).toBeLessThanOrEqual(10)
  expect(Math.max(...gaps)).toBeLessThanOrEqual(1000)
  expect(Math.min(...gaps.slice(8))).toBeGreaterThanOrEqual(500)
  await broker.close()
})

test('messages that are nacked for ever hold up no others, and do not come more often the more they are', async () => {
  start({ queueLimit: 1000, queueLimitBytes: 100_000 })
  await subscribe('t', ({ data }) => (fromUtf8(data) === 'good' ? 'ack' : 'nack'), { maxInFlight: 2 })
  for (let n = 0; n < 500; n++) await publish('t', 'bad')
  await publish('t', 'good')
  await clock.advance(1000)
  expect(texts).toContain('good')
  await clock.advance(30_000)
  const before = texts.length
  await clock.advance(20_000)
  // 500 messages, each of them about every 10 seconds.
  expect(texts.length - before).toBeGreaterThan(500)
  expect(texts.length - before).toBeLessThan(1500)
  await broker.close()
  expect(clock.pending).toBe(0)
})

test('a delivery that rejects counts as a nack', async () => {
  let failed = false
  await subscribe('t', () => {
    if (failed) return 'ack'
    failed = true
    throw new Error('it must not')
  })
  await publish('t', '1')
  await clock.advance(1000)
  expect(texts).toEqual(['1', '1'])
})

test('what rests after a nack goes to another consumer at once when its own leaves', async () => {
  const first = await subscribe('t', () => 'nack', { maxInFlight: 1 })
  await publish('t', '1')
  await settle()
  await first.close()
  await subscribe('t')
  await settle()
  expect(texts).toEqual(['1', '1'])
  expect(clock.pending).toBe(0)
})

test('close cancels every timer and ends every subscription', async () => {
  const subscription = await subscribe('t', () => 'nack')
  await publish('t', '1')
  await settle()
  await broker.close()
  expect(clock.pending).toBe(0)
  expect(await subscription.ended).toBeUndefined()
})

test('consumers take turns', async () => {
  const counts = [0, 0, 0]
  for (const n of counts.keys()) {
    await subscribe('t', () => {
      counts[n]!++
      return 'ack'
    })
  }
  for (let n = 0; n < 9; n++) await publish('t', `${n}`)
  await settle()
  expect(counts).toEqual([3, 3, 3])
})

test('a star at the end stands for one character or more', async () => {
  const topics: string[] = []
  await subscribe('orders/*', ({ topic }) => {
    topics.push(topic)
    return 'ack'
  })
  for (const topic of ['orders/', 'orders/a', 'orders/a/b', 'orders', 'xorders/a', 'orders/*'])
    await publish(topic, topic)
  await settle()
  expect(topics).toEqual(['orders/a', 'orders/a/b', 'orders/*'])
})

test('groups: the metadata of the subscription, else that of the component', async () => {
  await subscribe('t')
  await subscribe('t', () => 'ack', { metadata: { consumerid: 'other' } })
  await subscribe('t', () => 'ack', { metadata: { consumerID: 'app' } })
  await publish('t', '1')
  await settle()
  expect(texts).toEqual(['1', '1'])
})

test('thousands of messages pass in order', async () => {
  start({ queueLimit: 10_000, queueLimitBytes: 1e6 })
  const subscription = await subscribe('t', () => 'ack', { maxInFlight: 1 })
  subscription.pause!()
  const sent = Array.from({ length: 5000 }, (_, n) => `${n}`)
  for (const text of sent) await publish('t', text)
  subscription.resume!()
  while (texts.length < sent.length) await settle()
  expect(texts).toEqual(sent)
})

test('bad requests are refused with what is wrong', async () => {
  await expect(publish('', '1')).rejects.toThrow('the topic is empty')
  await expect(subscribe('')).rejects.toThrow('the topic is empty')
  await expect(subscribe('t', () => 'ack', { maxInFlight: 0 })).rejects.toThrow(
    'maxInFlight must be a whole number above 0, got 0',
  )
})
