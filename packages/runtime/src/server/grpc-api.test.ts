import { Dapr } from '@outrigger/proto/runtime'
import { recordingLogger, virtualClock } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { ask } from '../../test/support/fake-exchange.ts'
import type { ApiRule, Configuration } from '../config/configuration.ts'
import { type FlagInput, runtimeOptions } from '../config/options.ts'
import type { RuntimeApi } from '../runtime.ts'
import { grpcApi } from './grpc-api.ts'

const rule = (name: string, version: string, protocol?: string): ApiRule => ({ name, version, protocol })

/** Status and message of a call that has no message in it. */
function caller(
  apiAccess: Partial<Configuration['apiAccess']>,
  flags: FlagInput = {},
  logger = recordingLogger(),
) {
  const asked = (): never => {
    throw new Error('this handler was asked')
  }
  const block = new Proxy({}, { get: () => asked })
  const api = grpcApi({
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
  return async (method: string, ...fields: string[]): Promise<string> => {
    const answer = await ask(api, {
      method: 'POST',
      target: `/${Dapr.typeName}/${method}`,
      fields: ['content-type', 'application/grpc', 'te', 'trailers', ...fields],
      body: new Uint8Array(5),
    })
    const { fields: found } = answer
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
