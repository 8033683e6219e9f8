import { TopicEventResponse_TopicEventResponseStatus as Status } from '@outrigger/proto/appcallback'
import type { MessageInitShape } from '@outrigger/proto'
import type {
  TopicEventBulkRequest,
  TopicEventRequest,
  TopicSubscriptionSchema,
} from '@outrigger/proto/appcallback'
import { GrpcError, grpcStatus } from '@outrigger/wire/grpc'
import { recordingLogger, seededRandom, virtualClock } from '@outrigger/testkit'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { FakeBroker, livePubSub } from '../../test/support/fake-broker.ts'
import { FakeGrpcApp, type GrpcAppHandlers } from '../../test/support/fake-grpc-app.ts'
import { createPubSubEngine } from './engine.ts'
import type { PubSubEngine } from './types.ts'

const engines: PubSubEngine[] = []
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.stop(AbortSignal.abort())
})

type Subscriptions = MessageInitShape<typeof TopicSubscriptionSchema>[]

/** An application that subscribes to `orders` unless told otherwise. */
async function setUp(
  handlers: GrpcAppHandlers,
  subscriptions: Subscriptions = [{ pubsubName: 'bus', topic: 'orders' }],
) {
  const app = new FakeGrpcApp({ listTopicSubscriptions: () => ({ subscriptions }), ...handlers })
  const broker = new FakeBroker()
  const clock = virtualClock()
  const logger = recordingLogger()
  const engine = createPubSubEngine({
    pubsubs: new Map([['bus', livePubSub('bus', broker)]]),
    channel: app,
    appId: 'shop',
    namespace: 'prod',
    subscriptions: [],
    logger,
    clock,
    random: seededRandom(7),
  })
  engines.push(engine)
  await engine.start()
  return { app, broker, clock, logger, engine }
}

const event = (more: object = {}): string =>
  JSON.stringify({
    specversion: '1.0',
    id: 'e1',
    source: 'shop',
    type: 'made',
    datacontenttype: 'application/json',
    data: { n: 1 },
    ...more,
  })

describe('an application over gRPC', () => {
  it('gets an event as fields, its other attributes as extensions, its metadata as metadata', async () => {
    const { app, broker } = await setUp({ onTopicEvent: () => ({}) })
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    const metadata = {
      Partition: '3',
      PubsubName: 'other',
      'bad name': 'x',
      'Transfer-Encoding': 'chunked',
      'keep-alive': '1',
      'dapr-caller-app-id': 'admin',
      Dapr_Api_Token: 'x',
      'grpc-status': '5',
      'x-bin': '!',
    }
    const data = event({ traceparent, mine: { deep: [1, 'two'] } }).replace('"n":1', '"n":1.00')
    expect(await broker.deliver('orders', data, { metadata })).toBe('ack')
    const call = app.calls.at(-1)!
    expect(call.name).toBe('onTopicEvent')
    expect(call.request).toMatchObject({
      id: 'e1',
      source: 'shop',
      type: 'made',
      specVersion: '1.0',
      dataContentType: 'application/json',
      topic: 'orders',
      pubsubName: 'bus',
      path: '',
      extensions: { traceparent, mine: { deep: [1, 'two'] } },
    })
    expect(Buffer.from((call.request as TopicEventRequest).data).toString()).toBe('{"n":1.00}')
    expect(Object.fromEntries(call.metadata)).toEqual({ partition: '3', pubsubname: 'bus', traceparent })
  })

  it.each([
    ['a text', { datacontenttype: 'text/plain', data: 'hello' }, 'hello'],
    ['a text without a type', { datacontenttype: undefined, data: 'hello' }, 'hello'],
    ['a text in JSON', { data: 'hello' }, '"hello"'],
    ['a text in a dialect of JSON', { datacontenttype: 'application/x+json', data: '{"n":1}' }, '{"n":1}'],
    ['an object in a dialect of JSON', { datacontenttype: 'application/x+json' }, '{"n":1}'],
    [
      'bytes',
      { datacontenttype: 'application/octet-stream', data: undefined, data_base64: 'AAH/' },
      '\0\u0001\u00ff',
    ],
    ['nothing', { data: undefined }, ''],
    ['null', { data: null }, ''],
  ])('gets %s as data', async (_, more, expected) => {
    const { app, broker } = await setUp({ onTopicEvent: () => ({}) })
    expect(await broker.deliver('orders', event(more))).toBe('ack')
    const { data } = app.calls.at(-1)!.request as TopicEventRequest
    expect(Buffer.from(data).toString('latin1')).toBe(expected)
  })

  it.each<[string, GrpcAppHandlers['onTopicEvent'], string]>([
    ['SUCCESS', () => ({ status: Status.SUCCESS }), 'ack'],
    ['nothing', () => ({}), 'ack'],
    ['RETRY', () => ({ status: Status.RETRY }), 'nack'],
    ['DROP', () => ({ status: Status.DROP }), 'ack'],
    ['a status from the future', () => ({ status: 9 as never }), 'nack'],
    ['UNIMPLEMENTED', undefined, 'ack'],
    [
      'an error',
      () => {
        throw new GrpcError(grpcStatus.INTERNAL, 'broken')
      },
      'nack',
    ],
  ])('answers %s', async (_, onTopicEvent, expected) => {
    const { broker } = await setUp(onTopicEvent === undefined ? {} : { onTopicEvent })
    expect(await broker.deliver('orders', event())).toBe(expected)
  })

  it('does not see what is no event, or whose data is no base64', async () => {
    const { app, broker } = await setUp({ onTopicEvent: () => ({}) })
    const before = app.calls.length
    expect(await broker.deliver('orders', 'no')).toBe('nack')
    expect(await broker.deliver('orders', event({ data: undefined, data_base64: '???' }))).toBe('nack')
    expect(app.calls.length).toBe(before)
  })

  it('names its subscriptions with rules, bulk and a place for dead letters', async () => {
    const routes = { rules: [{ match: 'event.type == "made"', path: 'made' }], default: 'other' }
    const { app, broker, engine } = await setUp({ onTopicEvent: () => ({ status: Status.DROP }) }, [
      { pubsubName: 'bus', topic: 'orders', metadata: { k: 'v' }, routes, deadLetterTopic: 'dead' },
    ])
    expect(engine.subscriptions()).toMatchObject([
      { topic: 'orders', metadata: { k: 'v' }, deadLetterTopic: 'dead', type: 'PROGRAMMATIC' },
    ])
    await broker.deliver('orders', event())
    await broker.deliver('orders', event({ type: 'lost' }))
    expect(app.calls.slice(1).map(({ request }) => (request as TopicEventRequest).path)).toEqual([
      'made',
      'other',
    ])
    expect(broker.published.map(({ topic }) => topic)).toEqual(['dead', 'dead'])
  })

  it.each([
    ['has none when it does not implement the question', undefined],
    [
      'has none when it answers with an error',
      () => {
        throw new GrpcError(grpcStatus.INTERNAL, 'broken')
      },
    ],
  ])('%s', async (_, listTopicSubscriptions) => {
    const { engine } = await setUp({ listTopicSubscriptions } as GrpcAppHandlers)
    expect(engine.subscriptions()).toEqual([])
  })

  it('is asked again while it cannot be reached', async () => {
    const app = new FakeGrpcApp({ listTopicSubscriptions: () => ({ subscriptions: [] }) })
    app.down = true
    const clock = virtualClock()
    const logger = recordingLogger()
    const broker = new FakeBroker()
    const engine = createPubSubEngine({
      pubsubs: new Map([['bus', livePubSub('bus', broker)]]),
      channel: app,
      appId: 'shop',
      namespace: '',
      subscriptions: [],
      logger,
      clock,
      random: seededRandom(1),
    })
    engines.push(engine)
    let started = false
    void engine.start().then(() => (started = true))
    await vi.waitFor(() => expect(clock.pending).toBe(1))
    app.down = false
    await clock.advanceToNext()
    await vi.waitFor(() => expect(started).toBe(true))
  })
})

describe('several messages at once', () => {
  const bulk: Subscriptions = [
    { pubsubName: 'bus', topic: 'orders', bulkSubscribe: { enabled: true, maxMessagesCount: 3 } },
  ]

  async function deliver(broker: FakeBroker, texts: string[]) {
    return Promise.all(
      texts.map((text, index) => broker.deliver('orders', event({ id: `e${index}`, data: text }))),
    )
  }

  it('go in one call, and each has its own outcome', async () => {
    const { app, broker } = await setUp(
      {
        onBulkTopicEvent: ({ entries }) => ({
          statuses: entries.slice(0, 2).map(({ entryId }, index) => ({
            entryId,
            status: index === 0 ? Status.SUCCESS : Status.RETRY,
          })),
        }),
      },
      bulk,
    )
    expect(await deliver(broker, ['a', 'b', 'c'])).toEqual(['ack', 'nack', 'nack'])
    const request = app.calls.at(-1)!.request as TopicEventBulkRequest
    expect(request).toMatchObject({
      topic: 'orders',
      pubsubName: 'bus',
      type: 'com.dapr.event.sent.bulk',
      metadata: { pubsubName: 'bus' },
    })
    expect(request.entries.map(({ event: one }) => one.case)).toEqual([
      'cloudEvent',
      'cloudEvent',
      'cloudEvent',
    ])
    expect(request.entries[1]!.event.value).toMatchObject({
      id: 'e1',
      data: new Uint8Array(Buffer.from('"b"')),
    })
  })

  it('go the old way to an application that only knows that', async () => {
    const { app, broker } = await setUp(
      {
        onBulkTopicEventAlpha1: ({ entries }) => ({ statuses: entries.map(({ entryId }) => ({ entryId })) }),
      },
      bulk,
    )
    expect(await deliver(broker, ['a', 'b', 'c'])).toEqual(['ack', 'ack', 'ack'])
    expect(await deliver(broker, ['a', 'b', 'c'])).toEqual(['ack', 'ack', 'ack'])
    expect(app.calls.slice(1).map(({ name }) => name)).toEqual([
      'onBulkTopicEvent',
      'onBulkTopicEventAlpha1',
      'onBulkTopicEventAlpha1',
    ])
  })

  it('are dropped by an application that knows neither', async () => {
    const { broker } = await setUp({}, bulk)
    expect(await deliver(broker, ['a', 'b', 'c'])).toEqual(['ack', 'ack', 'ack'])
  })
})
