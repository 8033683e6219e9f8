import { recordingLogger, seededRandom, settle, virtualClock } from '@outrigger/testkit'
import { GrpcError, grpcStatus } from '@outrigger/wire/grpc'
import { afterEach, expect, test } from 'vitest'
import { FakeApp } from '../../test/support/fake-app.ts'
import { FakeBroker, livePubSub } from '../../test/support/fake-broker.ts'
import { FakeGrpcApp } from '../../test/support/fake-grpc-app.ts'
import { policiesOf } from '../../test/support/resiliency.ts'
import type { AppChannel } from '../app/channel.ts'
import { createPubSubEngine } from './engine.ts'
import type { PubSubEngine } from './types.ts'

const engines: PubSubEngine[] = []
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.stop(AbortSignal.abort())
})

const retry = (more = '') =>
  `  policies: {retries: {DefaultPubsubComponentInboundRetryPolicy: {duration: 1s, maxRetries: 2${more}}}}`

interface Given {
  readonly spec: string
  readonly channel: AppChannel
  readonly deadLetterTopic?: string
  readonly bulk?: { readonly maxMessages: number; readonly maxWaitMs: number }
}

async function setUp({ spec, channel, deadLetterTopic, bulk }: Given) {
  const broker = new FakeBroker()
  const clock = virtualClock()
  const policies = await policiesOf(spec, clock)
  const engine = createPubSubEngine({
    pubsubs: new Map([['bus', livePubSub('bus', broker)]]),
    channel,
    appId: 'shop',
    namespace: '',
    subscriptions: [
      {
        kind: 'Subscription',
        name: 'orders',
        namespace: undefined,
        pubsubName: 'bus',
        topic: 'orders',
        rules: [],
        defaultPath: '/orders',
        metadata: {},
        deadLetterTopic,
        bulk,
        scopes: [],
        source: { file: 'subs.yaml', line: 1 },
      },
    ],
    discover: false,
    logger: recordingLogger(),
    clock,
    random: seededRandom(7),
    policyOf: (name) => policies.component(name, 'Pubsub', 'Inbound'),
  })
  engines.push(engine)
  await engine.start()
  const deliver = (id = '1') => broker.deliver('orders', JSON.stringify({ id, data: 1 }))
  return { broker, clock, engine, deliver }
}

async function httpApp(spec: string, more: Partial<Given> = {}) {
  const app = new FakeApp()
  return { app, ...(await setUp({ spec, channel: app, ...more })) }
}

test('a message is delivered again until the application takes it', async () => {
  const { app, deliver, clock } = await httpApp(retry())
  app.handle = () => (app.calls.length < 3 ? { status: 500 } : {})
  const delivered = deliver()
  await clock.advance(1999)
  expect(app.calls).toHaveLength(2)
  await clock.advance(1)
  expect(await delivered).toBe('ack')
  expect(new Set(app.calls.map(({ body }) => body)).size).toBe(1)
})

test.each([
  ['RETRY', { body: '{"status":"RETRY"}' }, 3],
  ['an unknown status', { body: '{"status":"later"}' }, 3],
  ['503', { status: 503 }, 3],
  ['DROP', { body: '{"status":"DROP"}' }, 1],
  ['404', { status: 404 }, 1],
  ['200', {}, 1],
])('%s: %#', async (_name, answer, tries) => {
  const { app, deliver, clock } = await httpApp(retry())
  app.handle = () => answer
  const delivered = deliver()
  await clock.advance(60_000)
  expect(await delivered).toBe(tries === 1 ? 'ack' : 'nack')
  expect(app.calls).toHaveLength(tries)
})

test('a status that the policy does not name is not repeated', async () => {
  const { app, deliver, clock } = await httpApp(retry(', matching: {httpStatusCodes: "503"}'))
  app.handle = () => ({ status: app.calls.length === 1 ? 503 : 500 })
  const delivered = deliver()
  await clock.advance(60_000)
  expect(await delivered).toBe('nack')
  expect(app.calls).toHaveLength(2)
})

test('a dead letter is published when the tries are exhausted, and not before', async () => {
  const { app, broker, deliver, clock } = await httpApp(retry(), { deadLetterTopic: 'dead' })
  app.handle = () => ({ status: 500 })
  const delivered = deliver()
  await clock.advance(1999)
  expect([app.calls.length, broker.published.length]).toEqual([2, 0])
  await clock.advance(1)
  expect(await delivered).toBe('ack')
  expect(broker.published.map(({ topic }) => topic)).toEqual(['dead'])
  expect(app.calls).toHaveLength(3)
})

test('each try has the timeout', async () => {
  const spec = `
  policies:
    timeouts: {DefaultTimeoutPolicy: 500ms}
    retries: {DefaultRetryPolicy: {duration: 1s, maxRetries: 1}}
`
  const { app, deliver, clock } = await httpApp(spec)
  app.handle = () => (app.calls.length === 1 ? new Promise(() => {}) : {})
  const delivered = deliver()
  await clock.advance(1500)
  expect(await delivered).toBe('ack')
})

test('a subscription that stops does not wait for further tries, and makes no dead letter', async () => {
  const { app, broker, deliver, clock, engine } = await httpApp(retry(), { deadLetterTopic: 'dead' })
  app.handle = () => ({ status: 500 })
  const delivered = deliver()
  await settle()
  const paused = engine.pause()
  expect(await delivered).toBe('nack')
  await paused
  await clock.advance(10_000)
  expect([app.calls.length, broker.published.length]).toEqual([1, 0])
})

test('an open breaker keeps messages from the application, and the broker from spinning', async () => {
  const spec =
    '  policies: {circuitBreakers: {DefaultCircuitBreakerPolicy: {timeout: 30s, trip: consecutiveFailures >= 2}}}'
  const { app, deliver, clock } = await httpApp(spec)
  app.handle = () => ({ status: 500 })
  expect([await deliver(), await deliver()]).toEqual(['nack', 'nack'])
  const refused = deliver()
  let settled = false
  void refused.then(() => (settled = true))
  await settle()
  expect([app.calls.length, settled]).toEqual([2, false])
  await clock.advance(5000)
  expect(await refused).toBe('nack')
  expect(app.calls).toHaveLength(2)
  app.handle = () => ({})
  await clock.advance(30_000)
  expect(await deliver()).toBe('ack')
})

test('of several at once only those that want another try are delivered again', async () => {
  const { app, deliver, clock } = await httpApp(retry(), { bulk: { maxMessages: 3, maxWaitMs: 100 } })
  const calls: string[][] = []
  const wanted: Record<string, string[]> = {
    a: ['SUCCESS'],
    b: ['RETRY', 'SUCCESS'],
    c: ['RETRY', 'RETRY', 'RETRY'],
  }
  app.handle = ({ body }) => {
    const { entries } = JSON.parse(body) as { entries: { entryId: string; event: { id: string } }[] }
    calls.push(entries.map(({ event }) => event.id))
    const statuses = entries.map(({ entryId, event }) => ({ entryId, status: wanted[event.id]!.shift()! }))
    return { body: JSON.stringify({ statuses }) }
  }
  const all = Promise.all(['a', 'b', 'c'].map(deliver))
  await clock.advance(60_000)
  expect(await all).toEqual(['ack', 'ack', 'nack'])
  expect(calls).toEqual([['a', 'b', 'c'], ['b', 'c'], ['c']])
})

test('of several at once all fail when the application does not answer', async () => {
  const spec =
    '  policies: {timeouts: {DefaultTimeoutPolicy: 1s}, retries: {DefaultRetryPolicy: {duration: 1s, maxRetries: 1}}}'
  const { app, deliver, clock } = await httpApp(spec, { bulk: { maxMessages: 2, maxWaitMs: 100 } })
  app.handle = () => new Promise(() => {})
  const all = Promise.all(['a', 'b'].map(deliver))
  await clock.advance(60_000)
  expect(await all).toEqual(['nack', 'nack'])
  expect(app.calls).toHaveLength(2)
})

test.each([
  [grpcStatus.UNAVAILABLE, 3],
  [grpcStatus.INTERNAL, 1],
  [grpcStatus.UNIMPLEMENTED, 1],
])('over gRPC, status %i has %i tries where 14 is named', async (code, tries) => {
  const app = new FakeGrpcApp({
    onTopicEvent() {
      throw new GrpcError(code, 'no')
    },
  })
  const { deliver, clock } = await setUp({ spec: retry(', matching: {gRPCStatusCodes: "14"}'), channel: app })
  const delivered = deliver()
  await clock.advance(60_000)
  expect(await delivered).toBe(code === grpcStatus.UNIMPLEMENTED ? 'ack' : 'nack')
  expect(app.calls).toHaveLength(tries)
})
