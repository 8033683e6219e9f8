import { defineBinding, type Binding, type BindingReply, type DeliverEvent } from '@outrigger/spec'
import { recordingLogger, seededRandom, settle, virtualClock } from '@outrigger/testkit'
import { GrpcError, grpcStatus } from '@outrigger/wire/grpc'
import { expect, test } from 'vitest'
import { FakeApp } from '../../test/support/fake-app.ts'
import { livePubSub } from '../../test/support/fake-broker.ts'
import { FakeGrpcApp } from '../../test/support/fake-grpc-app.ts'
import { policiesOf } from '../../test/support/resiliency.ts'
import type { AppChannel } from '../app/channel.ts'
import { createInProcessChannel } from '../app/in-process-channel.ts'
import { createInputBindings } from './input.ts'

const retry = (more = '') =>
  `  policies: {retries: {DefaultBindingComponentInboundRetryPolicy: {duration: 1s, maxRetries: 2${more}}}}`

async function setUp(spec: string, channel: AppChannel) {
  let deliver: DeliverEvent | undefined
  const instance: Binding = {
    capabilities: new Set(['input']),
    read: async (given) => {
      deliver = given
      return { ended: new Promise(() => {}), close: async () => {} }
    },
    close: async () => {},
  }
  const clock = virtualClock()
  const policies = await policiesOf(spec, clock)
  const { resource } = livePubSub('ticks', undefined as never)
  const definition = defineBinding({ type: 'bindings.fake', title: 'Fake', versions: {} })
  const properties = { direction: 'input' }
  const live = {
    name: 'ticks',
    kind: 'bindings',
    version: 'v1',
    definition,
    properties,
    instance,
    resource,
  } as const
  const responses: string[] = []
  const inputs = createInputBindings({
    bindings: new Map([['ticks', live]]),
    channel,
    responder: {
      http: async (_live, body) => void responses.push(Buffer.from(body).toString()),
      grpc: async (_live, { data }) => void responses.push(Buffer.from(data).toString()),
    },
    logger: recordingLogger(),
    clock,
    random: seededRandom(5),
    policyOf: (name) => policies.component(name, 'Binding', 'Inbound'),
  })
  await inputs.start()
  const emit = (): Promise<BindingReply> => deliver!({ data: Buffer.from('x'), metadata: {} }, {})
  return { clock, inputs, emit, responses }
}

async function httpApp(spec: string) {
  const app = new FakeApp()
  return { app, ...(await setUp(spec, app)) }
}

test('an event is delivered again until the application takes it, and its answer counts once', async () => {
  const { app, emit, clock, responses } = await httpApp(retry())
  app.handle = () => (app.calls.length < 3 ? { status: 500, body: 'no' } : { body: 'yes' })
  const reply = emit()
  await clock.advance(2000)
  expect(await reply).toMatchObject({ settlement: 'ack', data: Buffer.from('yes') })
  expect(responses).toEqual(['yes'])
})

test.each([
  [200, 1, 'ack'],
  [201, 3, 'ack'],
  [204, 3, 'ack'],
  [404, 3, 'nack'],
  [500, 3, 'nack'],
])('status %i: %i tries, then %s', async (status, tries, settlement) => {
  const { app, emit, clock, responses } = await httpApp(retry())
  app.handle = () => ({ status, body: 'b' })
  const reply = emit()
  await clock.advance(60_000)
  expect((await reply).settlement).toBe(settlement)
  expect(app.calls).toHaveLength(tries)
  expect(responses).toEqual(settlement === 'ack' ? ['b'] : [])
})

test('a status that the policy does not name is not repeated', async () => {
  const { app, emit, clock } = await httpApp(retry(', matching: {httpStatusCodes: "500-599"}'))
  app.handle = () => ({ status: app.calls.length === 1 ? 502 : 201 })
  const reply = emit()
  await clock.advance(60_000)
  expect((await reply).settlement).toBe('ack')
  expect(app.calls).toHaveLength(2)
})

test('each try has the timeout', async () => {
  const spec = `
  policies:
    timeouts: {DefaultTimeoutPolicy: 500ms}
    retries: {DefaultRetryPolicy: {duration: 1s, maxRetries: 1}}
`
  const { app, emit, clock } = await httpApp(spec)
  app.handle = () => (app.calls.length === 1 ? new Promise(() => {}) : {})
  const reply = emit()
  await clock.advance(1500)
  expect((await reply).settlement).toBe('ack')
})

test('an open breaker gives events back, not at once', async () => {
  const spec =
    '  policies: {circuitBreakers: {DefaultCircuitBreakerPolicy: {trip: consecutiveFailures >= 1}}}'
  const { app, emit, clock } = await httpApp(spec)
  app.handle = () => ({ status: 500 })
  expect((await emit()).settlement).toBe('nack')
  let settled = false
  const reply = emit().finally(() => (settled = true))
  await settle()
  expect(settled).toBe(false)
  await clock.advance(5000)
  expect(await reply).toMatchObject({
    settlement: 'nack',
    error: { message: 'circuit breaker is open (component ticks inbound)' },
  })
  expect(app.calls).toHaveLength(1)
})

test('there are no further tries while the application is not healthy, and there are afterwards', async () => {
  const { app, emit, clock, inputs } = await httpApp(retry())
  app.handle = () => ({ status: 500 })
  const reply = emit()
  await clock.advance(500)
  inputs.pause()
  expect((await reply).settlement).toBe('nack')
  await clock.advance(60_000)
  expect(app.calls).toHaveLength(1)
  inputs.resume()
  app.handle = () => (app.calls.length < 3 ? { status: 500 } : {})
  const again = emit()
  await clock.advance(60_000)
  expect((await again).settlement).toBe('ack')
})

test('the end does not wait for further tries', async () => {
  const { app, emit, clock, inputs } = await httpApp(retry())
  app.handle = () => ({ status: 500 })
  const reply = emit()
  await clock.advance(500)
  await inputs.stop()
  expect((await reply).settlement).toBe('nack')
  expect(app.calls).toHaveLength(1)
})

test('over gRPC the status decides', async () => {
  const codes = [grpcStatus.UNAVAILABLE, grpcStatus.INTERNAL]
  const app = new FakeGrpcApp({
    onBindingEvent() {
      throw new GrpcError(codes.shift()!, 'no')
    },
  })
  const { emit, clock } = await setUp(retry(', matching: {gRPCStatusCodes: "14"}'), app)
  const reply = emit()
  await clock.advance(60_000)
  expect((await reply).settlement).toBe('nack')
  expect([app.calls.length, codes.length]).toEqual([2, 0])
})

test('events wait however full the queue is, and that time is none of their policy', async () => {
  const started: string[] = []
  const answers: (() => void)[] = []
  const channel = createInProcessChannel(
    async ({ path }) => {
      started.push(path)
      await new Promise<void>((resolve) => answers.push(resolve))
      return {}
    },
    { maxConcurrency: 1, maxWaiting: 1 },
  )
  const { clock, emit } = await setUp(
    `
  policies: {timeouts: {short: 1s}}
  targets: {components: {ticks: {inbound: {timeout: short}}}}`,
    channel,
  )
  void channel.call({ method: 'GET', path: '/call' })
  void channel.call({ method: 'GET', path: '/call' })
  const events = [emit(), emit()]
  await clock.advance(60_000)
  expect(started).toEqual(['/call'])
  for (let count = 0; count < 4; count++) {
    answers.shift()!()
    await settle()
  }
  expect((await Promise.all(events)).map(({ settlement }) => settlement)).toEqual(['ack', 'ack'])
  expect(started).toEqual(['/call', '/call', '/ticks', '/ticks'])
})
