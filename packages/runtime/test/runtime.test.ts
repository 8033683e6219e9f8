import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { definePubSub, defineStateStore, type ComponentContext, type StateStore } from '@outrigger/spec'
import { recordingLogger, settle, waitFor } from '@outrigger/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { createRuntime, StartupError, type CreateRuntimeOptions, type Runtime } from '../src/index.ts'
import { FakeBroker } from './support/fake-broker.ts'
import { schema } from './support/loading.ts'

const resource = (name: string, type: string) => ({
  apiVersion: 'dapr.io/v1alpha1',
  kind: 'Component',
  metadata: { name },
  spec: { type, version: 'v1' },
})

/** A store that tells of its life. */
function fakeStore(create?: (context: ComponentContext<unknown>) => Promise<void>) {
  const life: string[] = []
  const definition = defineStateStore({
    type: 'state.fake',
    title: 'Fake',
    versions: {
      v1: {
        metadata: schema(),
        capabilities: [],
        async create(context): Promise<StateStore> {
          life.push('creating')
          await create?.(context)
          life.push('created')
          return {
            capabilities: new Set(),
            get: async () => undefined,
            set: async () => {},
            delete: async () => {},
            close: async () => void life.push('closed'),
          }
        },
      },
    },
  })
  return { life, definition }
}

function runtimeWith(options: Partial<CreateRuntimeOptions>): Runtime {
  const runtime = createRuntime({
    appId: 'shop',
    logger: recordingLogger(),
    listenAddresses: ['127.0.0.1'],
    ...options,
  })
  onTestFinished(async () => void (await runtime.stop()))
  return runtime
}

async function taken(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** A port cannot be opened while somebody listens there. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  const opened = await once(server, 'listening').then(
    () => true,
    () => false,
  )
  server.close()
  return opened
}

test('starts, serves, and leaves nothing behind', async () => {
  const { life, definition } = fakeStore()
  const runtime = runtimeWith({
    definitions: [definition],
    resources: [resource('store', 'state.fake')],
    listen: true,
    httpPort: 0,
    grpcPort: 0,
  })
  expect(() => runtime.api).toThrow('not started')
  await runtime.start()
  await runtime.ready()
  const { http, grpcPort } = runtime.addresses
  const url = `http://127.0.0.1:${http[0]!.port}`
  expect((await fetch(`${url}/v1.0/healthz`)).status).toBe(204)
  expect((await fetch(`${url}/v1.0/state/store/k`)).status).toBe(204)
  expect(await runtime.stop()).toBe(true)
  expect(life).toEqual(['creating', 'created', 'closed'])
  expect([await isFree(http[0]!.port!), await isFree(grpcPort!)]).toEqual([true, true])
  expect(await runtime.stop()).toBe(true)
  expect(life).toEqual(['creating', 'created', 'closed'])
})

test('is started once, and not after its end', async () => {
  const { life, definition } = fakeStore()
  const options = { definitions: [definition], resources: [resource('store', 'state.fake')] }
  const runtime = runtimeWith(options)
  await runtime.start()
  await expect(runtime.start()).rejects.toThrow('cannot be started')
  await runtime.stop()
  await expect(runtime.start()).rejects.toThrow('cannot be started')
  expect(life).toEqual(['creating', 'created', 'closed'])
  const never = runtimeWith(options)
  await never.stop()
  await expect(never.start()).rejects.toThrow('cannot be started')
})

test('stopped while a component is created: the start ends, and what comes late is closed', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { life, definition } = fakeStore(() => promise)
  const runtime = runtimeWith({
    definitions: [definition],
    resources: [resource('store', 'state.fake')],
    listen: true,
    httpPort: 0,
    grpcPort: 0,
  })
  const started = expect(runtime.start()).rejects.toThrow()
  await waitFor(() => life.includes('creating'), { what: 'the component to be created' })
  await runtime.stop()
  await started
  expect(runtime.addresses.http).toEqual([])
  resolve()
  await waitFor(() => life.includes('closed'), { what: 'the late component to be closed' })
})

test.each(['httpPort', 'grpcPort', 'publicPort'] as const)(
  'a %s in use ends the start and closes what was open',
  async (name) => {
    const { life, definition } = fakeStore()
    const port = await taken()
    const runtime = runtimeWith({
      definitions: [definition],
      resources: [resource('store', 'state.fake')],
      listen: true,
      publicListenAddress: '127.0.0.1',
      ...{ httpPort: 0, grpcPort: 0, [name]: port },
    })
    const failure = await runtime.start().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(StartupError)
    expect((failure as Error).message).toContain(`${port}`)
    expect(life).toEqual(['creating', 'created', 'closed'])
    const opened = runtime.addresses.http[0]?.port
    if (opened !== undefined) expect(await isFree(opened)).toBe(true)
  },
)

test('an application in this process that hangs holds up neither messages under way nor the end', async () => {
  const broker = new FakeBroker()
  const definition = definePubSub({
    type: 'pubsub.fake',
    title: 'Fake',
    versions: { v1: { metadata: schema(), capabilities: [], create: async () => broker } },
  })
  const paths: string[] = []
  const runtime = runtimeWith({
    definitions: [definition],
    resources: [resource('bus', 'pubsub.fake')],
    // Far more than the test may take.
    gracefulShutdownMs: 600_000,
    app: ({ path }) => {
      paths.push(path)
      return new Promise(() => {})
    },
  })
  await runtime.start()
  await waitFor(() => paths.length > 1, { what: 'the questions at the start' })
  expect(paths).toEqual(['/dapr/config', '/dapr/subscribe'])
  expect(await runtime.stop()).toBe(true)
  await runtime.ready()
})

test('messages flow between the runtime and an application in this process', async () => {
  const broker = new FakeBroker()
  const definition = definePubSub({
    type: 'pubsub.fake',
    title: 'Fake',
    versions: { v1: { metadata: schema(), capabilities: [], create: async () => broker } },
  })
  const bodies: string[] = []
  const runtime = runtimeWith({
    definitions: [definition],
    resources: [resource('bus', 'pubsub.fake')],
    app: ({ path, body }) => {
      if (path === '/dapr/subscribe') return { body: '[{"pubsubname":"bus","topic":"t","route":"/t"}]' }
      if (path === '/dapr/config') return { status: 404 }
      bodies.push(Buffer.from(body).toString())
      return {}
    },
  })
  await runtime.start()
  await runtime.ready()
  await runtime.api.publish.publish(
    { pubsubName: 'bus', topic: 't', data: Buffer.from('hello'), metadata: {} },
    {},
  )
  await broker.deliver('t', Buffer.from(broker.published[0]!.data).toString())
  expect(JSON.parse(bodies[0]!)).toMatchObject({
    data: 'hello',
    topic: 't',
    pubsubname: 'bus',
    source: 'shop',
  })
  const answer = await runtime.api.invoke.invoke('shop', { method: 'GET', path: '/x' })
  expect(answer.status).toBe(200)
  await settle()
})
