import { Dapr } from '@outrigger/proto/runtime'
import { recordingLogger, virtualClock } from '@outrigger/testkit'
import type { Handler } from '@outrigger/wire'
import { expect, test } from 'vitest'
import { type Answered, ask } from '../../test/support/fake-exchange.ts'
import type { ApiRule, Configuration } from '../config/configuration.ts'
import { type FlagInput, runtimeOptions } from '../config/options.ts'
import type { RuntimeApi } from '../runtime.ts'
import { grpcApi } from './grpc-api.ts'

const rule = (name: string, version: string, protocol?: string): ApiRule => ({ name, version, protocol })

function apiOf(
  apiAccess: Partial<Configuration['apiAccess']>,
  flags: FlagInput = {},
  logger = recordingLogger(),
): Handler {
  const asked = (): never => {
    throw new Error('this handler was asked')
  }
  const block = new Proxy({}, { get: () => asked })
  return grpcApi({
    options: runtimeOptions({ 'app-id': 'orders', ...flags }, {}),
    configuration: {
      apiAccess: { allowed: [], denied: [], ...apiAccess },
      apiLogging: { enabled: false },
    } as unknown as Configuration,
    api: new Proxy({}, { get: () => block }) as RuntimeApi,
    logger,
    clock: virtualClock(),
    onShutdownRequest: () => {},
  })
}

/** Calls a method with an empty message. */
function send(api: Handler, method: string, ...fields: string[]): Promise<Answered> {
  return ask(api, {
    method: 'POST',
    target: `/${Dapr.typeName}/${method}`,
    fields: ['content-type', 'application/grpc', 'te', 'trailers', ...fields],
    body: new Uint8Array(5),
  })
}

/** Status and message of calls. */
function caller(...of: Parameters<typeof apiOf>) {
  const api = apiOf(...of)
  return async (method: string, ...fields: string[]): Promise<string> => {
    const { fields: found } = await send(api, method, ...fields)
    return `${found.get('grpc-status')} ${decodeURIComponent(found.get('grpc-message') ?? '')}`.trim()
  }
}

const refusal = '12 requested endpoint is not available: spec.api of the Configuration does not offer it'

test.each([
  ['unlock', 'v1alpha1', 'UnlockAlpha1', 'TryLockAlpha1'],
  ['lock', 'v1alpha1', 'TryLockAlpha1', 'UnlockAlpha1'],
  ['configuration', 'v1alpha1', 'GetConfigurationAlpha1', 'GetConfiguration'],
  ['configuration', 'v1', 'UnsubscribeConfiguration', 'UnsubscribeConfigurationAlpha1'],
  ['publish', 'v1alpha1', 'BulkPublishEventAlpha1', 'BulkPublishEvent'],
  ['publish', 'v1', 'PublishEvent', 'BulkPublishEventAlpha1'],
  ['state', 'v1alpha1', 'QueryStateAlpha1', 'GetState'],
])('%s.%s has methods of its own: %s', async (name, version, inside, outside) => {
  for (const protocol of ['grpc', undefined]) {
    const denied = caller({ denied: [rule(name, version, protocol)] })
    expect(await denied(inside)).toBe(refusal)
    expect(await denied(outside)).not.toBe(refusal)
    const allowed = caller({ allowed: [rule(name, version, protocol)] })
    expect(await allowed(inside)).not.toBe(refusal)
    expect(await allowed(outside)).toBe(refusal)
  }
})

test('a rule for HTTP says nothing of gRPC', async () => {
  const call = caller({ denied: [rule('state', 'v1.0', 'http')] })
  expect(await call('GetState')).not.toBe(refusal)
})

test('no method of the sidecar reaches an application instead, neither a refused one nor one that is not built', async () => {
  const target = ['dapr-app-id', 'orders']
  expect(await caller({ denied: [rule('state', 'v1')] })('GetState', ...target)).toBe(refusal)
  const unknown = `12 unknown method /${Dapr.typeName}/InvokeActor`
  expect(await caller({})('InvokeActor', ...target)).toBe(unknown)
})

test('each call is logged where that is asked for, with what was answered', async () => {
  const logger = recordingLogger()
  const call = caller({ denied: [rule('state', 'v1')] }, { 'enable-api-logging': 'true' }, logger)
  await call('GetState', 'user-agent', 'grpc-node')
  await call('Shutdown')
  await call('InvokeActor')
  const path = (name: string): string => `/${Dapr.typeName}/${name}`
  expect(logger.records.filter(({ level }) => level === 'info')).toMatchObject([
    {
      message: 'gRPC API Called',
      fields: { method: path('GetState'), useragent: 'grpc-node', duration: 0, code: 12 },
    },
    { fields: { method: path('Shutdown'), useragent: '', code: 0 } },
    { fields: { method: path('InvokeActor'), code: 12 } },
  ])
})

test.each(['Shutdown', 'GetState'])('trace and baggage come back with the answer: %s', async (method) => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const binary = 'AAAK92UZFs1D3YRI6yEcgDGcAbeta3FpIDMxAgE'
  const api = apiOf({})
  for (const sent of [
    ['traceparent', traceparent],
    ['grpc-trace-bin', binary],
  ]) {
    const { fields } = await send(api, method, ...sent, 'baggage', 'a=1')
    expect([fields.getAll('grpc-trace-bin'), fields.getAll('baggage')]).toEqual([[binary], ['a=1']])
  }
  const { fields } = await send(api, method, 'traceparent', 'nonsense')
  expect([fields.has('grpc-trace-bin'), fields.has('baggage')]).toEqual([false, false])
})
