import { recordingLogger, seededRandom, settle, virtualClock } from '@outrigger/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { FakeApp } from '../../test/support/fake-app.ts'
import { FakeBroker, livePubSub } from '../../test/support/fake-broker.ts'
import type { SubscriptionResource } from '../resources/model.ts'
import { createPubSubEngine } from './engine.ts'
import type { PubSubEngine, PubSubEngineOptions } from './types.ts'

function declared(topic: string, more: Partial<SubscriptionResource> = {}): SubscriptionResource {
  return {
    kind: 'Subscription',
    name: `sub-${topic}`,
    namespace: undefined,
    pubsubName: 'bus',
    topic,
    rules: [],
    defaultPath: `/${topic}`,
    metadata: {},
    deadLetterTopic: undefined,
    bulk: undefined,
    scopes: [],
    source: { file: 'subs.yaml', line: 1 },
    ...more,
  }
}

const engines: PubSubEngine[] = []
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.stop(AbortSignal.abort())
})

function setUp(
  subscriptions: SubscriptionResource[] = [declared('orders')],
  more: Partial<PubSubEngineOptions> = {},
) {
  const app = new FakeApp()
  const broker = new FakeBroker()
  const clock = virtualClock()
  const logger = recordingLogger()
  app.handle = ({ path }) => (path === '/dapr/subscribe' ? { status: 404 } : {})
  const engine = createPubSubEngine({
    pubsubs: new Map([['bus', livePubSub('bus', broker)]]),
    channel: app,
    appId: 'shop',
    namespace: 'prod',
    subscriptions,
    logger,
    clock,
    random: seededRandom(7),
    ...more,
  })
  engines.push(engine)
  return { app, broker, clock, logger, engine }
}

const event = (more: object = {}): string => JSON.stringify({ id: '1', type: 't', data: { n: 1 }, ...more })

describe('delivery', () => {
  it('posts the envelope untouched, with metadata and trace as fields', async () => {
    const { app, broker, engine } = setUp()
    await engine.start()
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    const sent = `{"id":"1","data":{"n":1.00},"traceparent":"${traceparent}","tracestate":"k=v"}`
    const metadata = {
      __key: '3',
      'metadata.MessageId': '4',
      text: 'é',
      // What cannot be said, or is not the broker's to say.
      'bad name': 'x',
      evil: 'a\r\nb',
      Connection: 'content-type',
      'Content-Length': '1',
      'transfer-encoding': 'chunked',
      'dapr-api-token': 'x',
      'Dapr-Caller-App-Id': 'admin',
      dapr_caller_namespace: 'prod',
      dapr_api_token: 'x',
      'dapr-callee-app-id': 'me',
      'dapr-other': 'kept',
      PubsubName: 'other',
      Traceparent: `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`,
    }
    expect(await broker.deliver('orders', sent, { metadata })).toBe('ack')
    const call = app.calls.at(-1)!
    expect(call).toMatchObject({ method: 'POST', path: '/orders', body: sent })
    expect(Object.fromEntries(call.fields)).toEqual({
      'content-type': 'application/cloudevents+json',
      __key: '3',
      'metadata.messageid': '4',
      text: Buffer.from('é').toString('latin1'),
      'dapr-other': 'kept',
      pubsubname: 'bus',
      traceparent,
      tracestate: 'k=v',
    })
  })

  it.each([
    [200, '', 'ack'],
    [204, '', 'ack'],
    [200, 'thanks', 'ack'],
    [200, '"DROP"', 'ack'],
    [200, '{"status":""}', 'ack'],
    [200, '{"status":5}', 'ack'],
    [200, '{"status":"SUCCESS"}', 'ack'],
    [200, '{"Status":"RETRY"}', 'nack'],
    [200, '{"status":"RETRY"}', 'nack'],
    [200, '{"status":"DROP"}', 'ack'],
    [200, '{"status":"later"}', 'nack'],
    [200, `"${'x'.repeat(70_000)}"`, 'ack'],
    [404, '', 'ack'],
    [400, '', 'nack'],
    [503, '{"status":"SUCCESS"}', 'nack'],
  ])('understands %s %.30s as %s', async (status, body, expected) => {
    const { app, broker, engine } = setUp()
    await engine.start()
    app.handle = () => ({ status, body })
    expect(await broker.deliver('orders', event())).toBe(expected)
  })

  it.each([
    ['DROP', { body: '{"status":"DROP"}' }, event()],
    ['404', { status: 404 }, event()],
    ['RETRY', { body: '{"status":"RETRY"}' }, event()],
    ['500', { status: 500 }, event()],
    ['expiry', {}, event({ expiration: '2025-12-31T23:59:59Z' })],
    ['what is no JSON', {}, 'no'],
  ])('sends %s to the dead letter topic as it came', async (_name, answer, data) => {
    const { app, broker, engine } = setUp([declared('orders', { deadLetterTopic: 'dead' })])
    await engine.start()
    app.handle = () => answer
    expect(await broker.deliver('orders', data, { metadata: { k: 'v' } })).toBe('ack')
    expect(broker.published.map(({ topic }) => topic)).toEqual(['dead'])
    expect(Buffer.from(broker.published[0]!.data).toString()).toBe(data)
    expect(broker.published[0]!.metadata).toEqual({ k: 'v' })
    broker.failPublish = () => new Error('away')
    expect(await broker.deliver('orders', data)).toBe('nack')
  })

  it('drops without a call what has expired or matches no route', async () => {
    const rules = [{ match: 'event.type == "paid"', path: '/paid' }]
    const { app, broker, engine } = setUp([declared('orders', { rules, defaultPath: undefined })])
    await engine.start()
    expect(await broker.deliver('orders', event())).toBe('ack')
    expect(await broker.deliver('orders', event({ type: 'paid', expiration: '2025-01-01T00:00:00Z' }))).toBe(
      'ack',
    )
    expect(app.posts).toEqual([])
    expect(await broker.deliver('orders', event({ type: 'paid' }))).toBe('ack')
    expect(app.posts).toEqual(['/paid'])
  })

  it('fails a message for which a rule cannot be computed', async () => {
    const rules = [{ match: 'event.data.none == 1', path: '/none' }]
    const { app, broker, engine } = setUp([declared('orders', { rules })])
    await engine.start()
    expect(await broker.deliver('orders', event())).toBe('nack')
    expect(app.posts).toEqual([])
  })

  it('wraps raw payloads, and CloudEvents in binary mode', async () => {
    const { app, broker, engine } = setUp([
      declared('raw', { metadata: { rawPayload: 'true' } }),
      declared('binary'),
    ])
    await engine.start()
    await broker.deliver('raw', 'bytes')
    expect(JSON.parse(app.calls.at(-1)!.body)).toMatchObject({
      data_base64: Buffer.from('bytes').toString('base64'),
      datacontenttype: 'application/octet-stream',
      topic: 'raw',
      pubsubname: 'bus',
    })
    const metadata = { ce_id: '9', ce_type: 'paid', 'ce-source': 's', other: 'x' }
    await broker.deliver('binary', 'bytes', { contentType: 'application/octet-stream', metadata })
    const body = JSON.parse(app.calls.at(-1)!.body) as object
    expect(body).toMatchObject({ id: '9', type: 'paid', source: 's', data_base64: 'Ynl0ZXM=' })
    expect(body).not.toHaveProperty('other')
  })

  it('gives messages back slower and slower while the application is down', async () => {
    const { app, broker, clock, engine } = setUp()
    await engine.start()
    app.down = true
    const waits: number[] = []
    for (let round = 0; round < 8; round++) {
      const began = clock.monotonic()
      const all = Promise.all([broker.deliver('orders', event()), broker.deliver('orders', event())])
      while (await clock.advanceToNext());
      expect(await all).toEqual(['nack', 'nack'])
      waits.push(clock.monotonic() - began)
    }
    expect(waits[0]).toBeLessThanOrEqual(150)
    expect(waits.at(-1)).toBeGreaterThanOrEqual(2500)
    expect(Math.max(...waits)).toBeLessThanOrEqual(5000)
    app.down = false
    expect(await broker.deliver('orders', event())).toBe('ack')
  })
})

describe('subscriptions', () => {
  const answer = (items: unknown) => (app: FakeApp) => {
    app.handle = ({ path }) => (path === '/dapr/subscribe' ? { body: JSON.stringify(items) } : {})
  }

  it('asks the application, whose subscriptions take the place of declared ones', async () => {
    const { app, broker, engine, logger } = setUp([
      declared('orders', { defaultPath: '/declared' }),
      declared('orders', { name: 'second', defaultPath: '/second' }),
      declared('other'),
    ])
    answer([
      {
        pubsubname: 'bus',
        topic: 'orders',
        route: 'mine',
        deadLetterTopic: 'dead',
        metadata: { rawPayload: false, x: '1' },
      },
      {
        PubsubName: 'bus',
        Topic: 'routed',
        Routes: { Rules: [{ Match: 'event.type == "a"', PATH: '/a' }], default: '/no', Default: '/rest' },
        BulkSubscribe: { Enabled: false },
      },
    ])(app)
    await engine.start()
    expect(app.calls[0]!.fields.get('dapr-app-id')).toBe('shop')
    expect(engine.subscriptions()).toEqual([
      {
        pubsubName: 'bus',
        topic: 'orders',
        metadata: { rawPayload: 'false', x: '1' },
        rules: [{ match: '', path: 'mine' }],
        deadLetterTopic: 'dead',
        type: 'PROGRAMMATIC',
      },
      expect.objectContaining({ topic: 'other', type: 'DECLARATIVE' }),
      expect.objectContaining({
        topic: 'routed',
        rules: [
          { match: 'event.type == "a"', path: '/a' },
          { match: '', path: '/rest' },
        ],
      }),
    ])
    expect(broker.subscribed.map(({ request }) => request.topic).toSorted()).toEqual([
      'orders',
      'other',
      'routed',
    ])
    await broker.deliver('orders', event())
    await broker.deliver('routed', event({ type: 'a' }))
    await broker.deliver('routed', event())
    expect(app.posts).toEqual(['/mine', '/a', '/rest'])
    expect(logger.messages('warn')).toEqual([expect.stringContaining('"second"')])
  })

  it.each([
    ['not JSON', { body: '<html>' }, 'is not JSON'],
    ['no list', { body: '{}' }, 'is not a list'],
    ['500', { status: 500 }, 'status 500'],
    ['no topic', { body: '[{"pubsubname":"bus","route":"/x"}]' }, 'topic is empty'],
    ['no route', { body: '[{"pubsubname":"bus","topic":"t"}]' }, 'has no route'],
    ['a wrong type', { body: '[{"pubsubname":"bus","topic":7}]' }, 'topic is not a string'],
    [
      'a bad rule',
      { body: '[{"pubsubname":"bus","topic":"t","routes":{"rules":[{"match":"==","path":"/"}]}}]' },
      'rule 1',
    ],
  ])('logs an answer with %s and goes on with the others', async (_name, bad, message) => {
    const { app, broker, engine, logger } = setUp()
    app.handle = () => bad
    await engine.start()
    expect(logger.messages('error')).toEqual([expect.stringContaining(message)])
    expect(broker.subscribed.map(({ request }) => request.topic)).toEqual(['orders'])
  })

  it('asks again until the application answers', async () => {
    const { app, broker, clock, engine } = setUp([])
    app.down = true
    const started = engine.start()
    await clock.advance(20_000)
    expect(broker.subscribed).toEqual([])
    app.down = false
    answer([{ pubsubname: 'bus', topic: 'late', route: '/late' }])(app)
    await clock.advance(20_000)
    await started
    expect(broker.subscribed.map(({ request }) => request.topic)).toEqual(['late'])
  })

  it('does not ask when that is switched off, and only warns of an unknown pubsub', async () => {
    const { app, broker, engine, logger } = setUp([declared('a', { pubsubName: 'none' }), declared('b')], {
      discover: false,
    })
    await engine.start()
    expect(app.calls).toEqual([])
    expect(broker.subscribed).toHaveLength(1)
    expect(logger.messages('warn')).toEqual([expect.stringContaining('pubsub "none", which is not loaded')])
  })

  it('does not subscribe against the scopes, and keeps namespaces apart', async () => {
    const broker = new FakeBroker()
    const properties = { subscriptionScopes: 'shop=orders', consumerID: '{namespace}' }
    const { app, engine, logger } = setUp([declared('orders'), declared('secret')], {
      pubsubs: new Map([['bus', livePubSub('bus', broker, properties)]]),
    })
    await engine.start()
    expect(broker.subscribed.map(({ request }) => request.topic)).toEqual(['prodorders'])
    expect(logger.messages('error')).toEqual([expect.stringContaining('topic secret')])
    await broker.deliver('prodorders', 'x', { contentType: 'application/octet-stream' })
    expect(JSON.parse(app.calls.at(-1)!.body)).toMatchObject({ topic: 'orders' })
  })

  it('tries for ever to subscribe, and again when a subscription ends', async () => {
    const { broker, clock, engine } = setUp()
    broker.failSubscribe = 12
    await engine.start()
    expect(broker.attempts).toBe(1)
    await clock.advance(10 * 60_000)
    expect(broker.attempts).toBe(13)
    broker.subscribed[0]!.end(new Error('lost'))
    await clock.advance(1000)
    expect(broker.subscribed).toHaveLength(2)
  })
})

describe('life', () => {
  it('drains what is under way before it stops', async () => {
    const { app, broker, engine } = setUp()
    await engine.start()
    const reply = Promise.withResolvers<object>()
    app.handle = () => reply.promise
    const settlement = broker.deliver('orders', event())
    await settle()
    let stopped = false
    const stopping = engine.stop().then(() => (stopped = true))
    await settle()
    expect(broker.subscribed[0]!.closed).toBe(true)
    expect(stopped).toBe(false)
    reply.resolve({})
    expect(await settlement).toBe('ack')
    await stopping
    await engine.publish({ pubsubName: 'bus', topic: 'x', data: Buffer.from(''), metadata: {} })
  })

  it('gives back what is still under way at the deadline, and makes no dead letters of it', async () => {
    const { app, broker, engine } = setUp([declared('orders', { deadLetterTopic: 'dead' })])
    await engine.start()
    app.handle = () => new Promise(() => {})
    const settlement = broker.deliver('orders', event())
    await settle()
    const deadline = new AbortController()
    const stopping = engine.stop(deadline.signal)
    await settle()
    deadline.abort()
    expect(await settlement).toBe('nack')
    await stopping
    expect(broker.published).toEqual([])
  })

  it('stops while it waits for the application or for the broker', async () => {
    const first = setUp()
    first.app.down = true
    const started = first.engine.start()
    await settle()
    await first.engine.stop()
    await started
    expect(first.broker.subscribed).toEqual([])
    const second = setUp()
    second.broker.failSubscribe = 99
    await second.engine.start()
    await second.engine.stop()
    await second.clock.advance(120_000)
    expect(second.broker.attempts).toBe(1)
    await second.engine.start()
    expect(second.broker.attempts).toBe(1)
  })

  it('pauses and resumes with the health of the application, asking it once only', async () => {
    const { app, broker, clock, engine } = setUp()
    await engine.start()
    app.handle = () => new Promise(() => {})
    const settlement = broker.deliver('orders', event())
    await settle()
    const paused = engine.pause()
    await clock.advance(30_000)
    expect(await settlement).toBe('nack')
    await paused
    expect(broker.subscribed[0]!.closed).toBe(true)
    await engine.resume()
    await engine.resume()
    expect(broker.subscribed).toHaveLength(2)
    expect(app.calls.filter(({ path }) => path === '/dapr/subscribe')).toHaveLength(1)
  })

  it('pauses while it still waits for the application, which it asks again on resume', async () => {
    const { app, broker, engine } = setUp()
    app.down = true
    const started = engine.start()
    await settle()
    await engine.pause()
    await started
    expect(broker.attempts).toBe(0)
    app.down = false
    await engine.resume()
    expect(app.calls.map(({ path }) => path)).toEqual(['/dapr/subscribe'])
    expect(broker.subscribed).toHaveLength(1)
  })

  it('starts nothing without an application', async () => {
    const { broker, engine, logger } = setUp(undefined, { channel: undefined })
    await engine.start()
    expect(broker.attempts).toBe(0)
    expect(logger.messages('warn')).toEqual([expect.stringContaining('--app-port')])
  })
})
