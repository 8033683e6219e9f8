import { expect, test } from 'vitest'
import { apiOf, ask } from '../../../test/support/fake-exchange.ts'
import { metadataMethods } from './grpc.ts'
import { MetadataHandler, type MetadataSource } from './handler.ts'
import { metadataRoutes } from './http.ts'

function setUp(source: Partial<MetadataSource> = {}) {
  const handler = new MetadataHandler({
    appId: 'shop',
    version: '1.2.3',
    enabledFeatures: [],
    components: () => [],
    subscriptions: () => [],
    app: undefined,
    ...source,
  })
  const api = apiOf(metadataRoutes(handler))
  const get = async () =>
    JSON.parse((await ask(api, { target: '/v1.0/metadata' })).text) as Record<string, unknown>
  const put = (key: string, body: string | Uint8Array) =>
    ask(api, { method: 'PUT', target: `/v1.0/metadata/${key}`, body })
  const grpc = () =>
    metadataMethods(handler).getMetadata({} as never, {} as never) as {
      resiliencies?: unknown
      extendedMetadata?: Record<string, string>
    }
  return { get, put, grpc }
}

test('the least that there is to tell', async () => {
  expect(await setUp().get()).toEqual({
    id: 'shop',
    runtimeVersion: '1.2.3',
    extended: { daprRuntimeVersion: '1.2.3' },
    actorRuntime: { runtimeStatus: 'DISABLED', hostReady: false, placement: 'placement: disconnected' },
  })
})

test('components, subscriptions and the application', async () => {
  const { get } = setUp({
    enabledFeatures: ['X'],
    components: () => [{ name: 'store', type: 'state.x', version: 'v1', capabilities: ['ETAG'] }],
    subscriptions: () => [
      {
        pubsubName: 'bus',
        topic: 't',
        metadata: {},
        rules: [
          { match: 'event.type == "a"', path: '/a' },
          { match: '', path: '/b' },
        ],
        deadLetterTopic: undefined,
        type: 'DECLARATIVE',
      },
    ],
    app: {
      port: 3000,
      protocol: 'http',
      channelAddress: '127.0.0.1',
      maxConcurrency: undefined,
      health: { path: '/h', intervalMs: 90_000, timeoutMs: 500, threshold: 3 },
    },
  })
  expect(await get()).toMatchObject({
    enabledFeatures: ['X'],
    components: [{ name: 'store', type: 'state.x', version: 'v1', capabilities: ['ETAG'] }],
    subscriptions: [
      {
        pubsubname: 'bus',
        topic: 't',
        rules: [{ match: 'event.type == "a"', path: '/a' }, { path: '/b' }],
        deadLetterTopic: '',
        type: 'DECLARATIVE',
      },
    ],
    appConnectionProperties: {
      port: 3000,
      protocol: 'http',
      channelAddress: '127.0.0.1',
      health: {
        healthCheckPath: '/h',
        healthProbeInterval: '1m30s',
        healthProbeTimeout: '500ms',
        healthThreshold: 3,
      },
    },
  })
})

test('resources of resiliency, and what their policies did', async () => {
  const target = (name: string) => ({
    target: name,
    timeout: 'short',
    retry: undefined,
    circuitBreakers: [{ name: 'app b /x', state: 'open' as const }],
    activations: { timeouts: 1, retries: 0, refusals: 2 },
  })
  const { get, grpc } = setUp({ resiliency: { names: ['mine'], status: () => [target('app b')] } })
  const shown = { ...target('app b'), retry: undefined }
  expect(await get()).toMatchObject({
    resiliencies: [{ name: 'mine' }],
    resiliencyTargets: [JSON.parse(JSON.stringify(shown))],
    extended: { daprRuntimeVersion: '1.2.3' },
  })
  const message = grpc()
  expect(message.resiliencies).toEqual([{ name: 'mine' }])
  expect(JSON.parse(message.extendedMetadata!['resiliencyTargets']!)).toEqual([
    JSON.parse(JSON.stringify(shown)),
  ])
})

test('of many targets with policies a thousand are shown', async () => {
  const status = () =>
    Array.from({ length: 1001 }, (_, index) => ({
      target: `app ${index}`,
      timeout: 't',
      retry: undefined,
      circuitBreakers: [],
      activations: { timeouts: 0, retries: 0, refusals: 0 },
    }))
  const { get } = setUp({ resiliency: { names: ['mine'], status } })
  expect((await get())['resiliencyTargets']).toHaveLength(1000)
})

test('attributes are set, within limits', async () => {
  const { get, put } = setUp()
  expect((await put('a%20b', 'ü')).status).toBe(204)
  expect((await put('daprRuntimeVersion', 'mine')).status).toBe(204)
  expect((await get())['extended']).toEqual({ 'a b': 'ü', daprRuntimeVersion: '1.2.3' })
  const long = await put('long', 'x'.repeat(65 * 1024))
  expect([long.status, JSON.parse(long.text).errorCode]).toEqual([400, 'ERR_MALFORMED_REQUEST'])
  for (let index = 0; index < 998; index++) await put(`key${index}`, '')
  expect((await put('one too many', '')).status).toBe(400)
  expect((await put('key1', 'anew')).status).toBe(204)
})
