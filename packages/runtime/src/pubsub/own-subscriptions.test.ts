import { recordingLogger, seededRandom, virtualClock } from '@outrigger/testkit'
import { afterEach, expect, it, vi } from 'vitest'
import { FakeBroker, livePubSub } from '../../test/support/fake-broker.ts'
import { PublishHandler } from '../api/publish/handler.ts'
import { createPubSubEngine } from './engine.ts'
import type { TakeEvent } from './function-subscriber.ts'
import { StreamSubscriber } from './stream-subscriber.ts'
import type { Delivery } from './subscriber.ts'
import { success } from './reply.ts'
import type { PubSubEngine, PubSubLimits } from './types.ts'

const engines: PubSubEngine[] = []
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.stop(AbortSignal.abort())
})

function setUp(properties: Record<string, string> = {}, limits: PubSubLimits = {}) {
  const broker = new FakeBroker()
  const logger = recordingLogger()
  const random = seededRandom(7)
  const engine = createPubSubEngine({
    pubsubs: new Map([['bus', livePubSub('bus', broker, properties)]]),
    channel: undefined,
    appId: 'shop',
    namespace: 'prod',
    subscriptions: [],
    logger,
    clock: virtualClock(),
    random,
    limits,
  })
  engines.push(engine)
  const handler = new PublishHandler(engine, 'shop', logger, random)
  const subscribe = (take: TakeEvent, more: { topic?: string; deadLetterTopic?: string } = {}) =>
    handler.subscribe({ pubsubName: 'bus', topic: 'orders', ...more }, take)
  return { broker, engine, handler, subscribe }
}

const event = (id = '1'): string => JSON.stringify({ id, type: 't', data: { n: 1 } })

it('a function gets events without any application, and says what became of them', async () => {
  const { broker, engine, subscribe } = setUp()
  const answers = ['SUCCESS', undefined, 'RETRY', 'DROP', 'NONSENSE'] as const
  const seen: unknown[] = []
  const subscription = await subscribe((one) => {
    seen.push([one.topic, one.pubsubName, one.value()['id'], one.metadata['k']])
    return answers[seen.length - 1] as 'SUCCESS'
  })
  expect(engine.subscriptions()).toMatchObject([{ topic: 'orders', type: 'STREAMING' }])
  const settled = []
  for (let index = 0; index < answers.length; index++)
    settled.push(await broker.deliver('orders', event(`${index}`), { metadata: { k: 'v' } }))
  expect(settled).toEqual(['ack', 'ack', 'nack', 'ack', 'nack'])
  expect(seen[0]).toEqual(['orders', 'bus', '0', 'v'])
  await subscription.close()
  expect(engine.subscriptions()).toEqual([])
  expect(broker.subscribed[0]!.closed).toBe(true)
})

it('what a function throws counts as a failure, and goes where dead letters go', async () => {
  const { broker, subscribe } = setUp()
  await subscribe(
    () => {
      throw new Error('no')
    },
    { deadLetterTopic: 'dead' },
  )
  expect(await broker.deliver('orders', event())).toBe('ack')
  expect(broker.published.map(({ topic }) => topic)).toEqual(['dead'])
})

it('several to one topic are there side by side, and each ends alone', async () => {
  const { broker, engine, subscribe } = setUp()
  const first = await subscribe(() => {})
  await subscribe(() => 'RETRY')
  expect(engine.subscriptions()).toHaveLength(2)
  expect(await broker.deliver('orders', event())).toBe('ack')
  await first.close()
  expect(await broker.deliver('orders', event())).toBe('nack')
})

it('closing waits for what is under way, unless it may not', async () => {
  const { broker, subscribe } = setUp()
  const answer = Promise.withResolvers<'SUCCESS'>()
  const subscription = await subscribe(() => answer.promise)
  const delivered = broker.deliver('orders', event())
  let closed = false
  const closing = subscription.close().then(() => (closed = true))
  await new Promise(setImmediate)
  expect(closed).toBe(false)
  answer.resolve('SUCCESS')
  expect(await delivered).toBe('ack')
  await closing

  const stuck = await subscribe(() => new Promise(() => {}), { deadLetterTopic: 'dead' })
  const lost = broker.deliver('orders', event())
  await stuck.close(AbortSignal.abort())
  // Not a dead letter: it was not the event's fault.
  expect(await lost).toBe('nack')
  expect(broker.published).toEqual([])
})

it('the end of the engine ends them', async () => {
  const { engine, subscribe } = setUp()
  const { closed } = await subscribe(() => {})
  await engine.stop()
  expect(closed.aborted).toBe(true)
  await expect(subscribe(() => {})).rejects.toMatchObject({ id: 'PUBSUB_SUBSCRIBE' })
})

it.each([
  [{ pubsubName: 'none', topic: 'orders' }, 'PUBSUB_NOT_FOUND'],
  [{ pubsubName: '', topic: 'orders' }, 'PUBSUB_NAME_EMPTY'],
  [{ pubsubName: 'bus', topic: '' }, 'PUBSUB_TOPIC_EMPTY'],
  [{ pubsubName: 'bus', topic: 'secret' }, 'PUBSUB_FORBIDDEN'],
  [{ pubsubName: 'bus', topic: 'orders', metadata: { rawPayload: 'perhaps' } }, 'PUBSUB_METADATA'],
])('%j is refused as %s', async (request, id) => {
  const { handler, engine } = setUp({ allowedTopics: 'orders' })
  await expect(handler.subscribe(request, () => {})).rejects.toMatchObject({ id })
  expect(engine.subscriptions()).toEqual([])
})

it.each([
  [{ pubsubName: '', topic: 'orders' }, ''],
  [{ pubsubName: 'bus', topic: '' }, 'bus'],
])('a name that is missing is told with the resource that is meant: %j', async (request, resourceName) => {
  const { handler } = setUp()
  const publish = handler.publish({ ...request, data: new Uint8Array(), metadata: {} }, {})
  await expect(publish).rejects.toMatchObject({ subject: { resourceType: 'pubsub', resourceName } })
})

it('what the broker refuses is said, and not tried again', async () => {
  const { broker, engine, subscribe } = setUp()
  broker.failSubscribe = 1
  await expect(subscribe(() => {})).rejects.toMatchObject({
    id: 'PUBSUB_SUBSCRIBE',
    message: expect.stringContaining('the broker is away'),
  })
  expect(broker.attempts).toBe(1)
  expect(engine.subscriptions()).toEqual([])
})

it('there are only so many', async () => {
  const { subscribe } = setUp({}, { maxOwnSubscriptions: 2 })
  await subscribe(() => {})
  const second = await subscribe(() => {})
  await expect(subscribe(() => {})).rejects.toMatchObject({ id: 'OVERLOADED' })
  await second.close()
  await subscribe(() => {})
})

it('a stream answers by id, in order where ids are the same', async () => {
  const { broker, handler } = setUp()
  const sent: Delivery[] = []
  const stream = new StreamSubscriber((delivery) => sent.push(delivery))
  await handler.subscribe({ pubsubName: 'bus', topic: 'orders' }, stream)
  const all = ['a', 'b', 'a'].map((id) => broker.deliver('orders', event(id)))
  await vi.waitFor(() => expect(sent).toHaveLength(3))
  const retry = { kind: 'retry', reason: 'later' } as const
  expect(stream.settle('b', success)).toBe(true)
  expect(stream.settle('a', retry)).toBe(true)
  expect(stream.settle('a', success)).toBe(true)
  expect(stream.settle('a', success)).toBe(false)
  expect(stream.settle('c', success)).toBe(false)
  expect(await Promise.all(all)).toEqual(['nack', 'ack', 'ack'])
})
