import { recordingLogger, virtualClock } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { FakeApp } from '../../test/support/fake-app.ts'
import { ask } from '../../test/support/fake-exchange.ts'
import { BindingsHandler } from '../api/bindings/handler.ts'
import { InvokeHandler } from '../api/invoke/handler.ts'
import { MetadataHandler } from '../api/metadata/handler.ts'
import { PublishHandler } from '../api/publish/handler.ts'
import { SecretsHandler } from '../api/secrets/handler.ts'
import { StateHandler } from '../api/state/handler.ts'
import type { ApiRule, Configuration } from '../config/configuration.ts'
import { runtimeOptions } from '../config/options.ts'
import type { RuntimeApi } from '../runtime.ts'
import { publicApi, sidecarApi, type ApiParts } from './apis.ts'

const logger = recordingLogger()
const rule = (name: string): ApiRule => ({ name, version: undefined, protocol: undefined })

function parts(access: Partial<Configuration['apiAccess']> = {}, env: Record<string, string> = {}) {
  const app = new FakeApp()
  const never = new Proxy({}, { get: () => () => Promise.reject(new Error('not asked here')) }) as never
  const random = { next: () => 0, uuid: () => 'uuid' }
  const all: ApiParts = {
    options: runtimeOptions({ 'app-id': 'orders' }, env),
    configuration: {
      secretScopes: [],
      apiAccess: { allowed: [], denied: [], ...access },
      apiLogging: { enabled: false, obfuscateUrls: false, omitHealthChecks: false },
      deniedComponents: [],
      features: [],
      metricsEnabled: true,
      strictSandbox: false,
      nameResolution: undefined,
      accessControl: undefined,
      mtls: undefined,
      httpPipeline: [],
      appHttpPipeline: [],
      modules: {},
      packageScopes: [],
    },
    // Blocks that these tests never reach are left out.
    api: {
      state: new StateHandler(new Map(), 'orders', logger),
      publish: new PublishHandler(never, 'orders', logger, random),
      bindings: new BindingsHandler(new Map(), logger, random),
      secrets: new SecretsHandler(new Map(), [], logger),
      invoke: new InvokeHandler({
        appId: 'orders',
        namespace: 'default',
        channel: app,
        appHealthy: () => true,
        maxBodyBytes: 1000,
        random,
      }),
      metadata: new MetadataHandler({
        appId: 'orders',
        version: '1.2.3',
        enabledFeatures: [],
        components: () => [],
        subscriptions: () => [],
        app: undefined,
      }),
    } as RuntimeApi,
    health: { appId: 'orders', unready: () => [], outboundReady: () => true },
    logger,
    clock: virtualClock(),
    onShutdownRequest: () => {},
  }
  return { all, app }
}

const viaPath = { target: '/v1.0/invoke/orders/method/hello' }
const viaHeader = { target: '/hello', fields: ['dapr-app-id', 'orders'] }

test('invocation is offered by path, and by header on every path that no route takes', async () => {
  const { all, app } = parts()
  const api = sidecarApi(all)
  expect((await ask(api, viaPath)).status).toBe(200)
  expect((await ask(api, viaHeader)).status).toBe(200)
  expect(app.calls.map(({ path }) => path)).toEqual(['/hello', '/hello'])
})

test.each([
  ['denied', { denied: [rule('invoke')] }],
  ['not among the allowed', { allowed: [rule('state')] }],
])('invocation that is %s is served neither by path nor by header', async (_, access) => {
  const { all, app } = parts(access)
  const api = sidecarApi(all)
  for (const asked of [viaPath, viaHeader]) {
    const answer = await ask(api, asked)
    expect(answer.status).toBe(404)
    expect(JSON.parse(answer.text)).toMatchObject({ errorCode: 'ERR_DIRECT_INVOKE' })
  }
  expect(app.calls).toEqual([])
})

test('a rule that decides about nothing is told of', () => {
  const { all } = parts({ denied: [rule('statee'), rule('invoke')] })
  const logger = recordingLogger()
  sidecarApi({ ...all, logger })
  expect(logger.messages('warn')).toEqual([
    'spec.api of the Configuration has a rule for statee, which is no API that it could decide about',
  ])
})

test('health stays, whatever is denied', async () => {
  const { all } = parts({ denied: [rule('healthz'), rule('metadata')] })
  const api = sidecarApi(all)
  expect((await ask(api, { target: '/v1.0/healthz' })).status).toBe(204)
  expect((await ask(api, { target: '/v1.0/metadata' })).status).toBe(404)
})

test('a token is asked for by everything but health', async () => {
  const { all, app } = parts({}, { DAPR_API_TOKEN: 'sesame' })
  const api = sidecarApi(all)
  expect((await ask(api, { target: '/v1.0/healthz' })).status).toBe(204)
  for (const fields of [[], ['dapr-api-token', 'sesam'], ['dapr-api-token', '']]) {
    const answer = await ask(api, { ...viaPath, fields })
    expect([answer.status, answer.text]).toEqual([401, 'invalid api token'])
  }
  expect((await ask(api, { ...viaPath, fields: ['dapr-api-token', 'sesame'] })).status).toBe(200)
  expect(app.calls.map(({ fields }) => fields.get('dapr-api-token'))).toEqual([undefined])
})

test('the public server has health and metadata alone, and asks for no token', async () => {
  const { all, app } = parts({}, { DAPR_API_TOKEN: 'sesame' })
  const api = publicApi(all)
  expect((await ask(api, { target: '/v1.0/healthz/outbound' })).status).toBe(204)
  expect(JSON.parse((await ask(api, { target: '/v1.0/metadata' })).text)).toMatchObject({ id: 'orders' })
  for (const asked of [viaPath, viaHeader, { target: '/v1.0/shutdown', method: 'POST' }])
    expect((await ask(api, asked)).status).toBe(404)
  expect(app.calls).toEqual([])
})
