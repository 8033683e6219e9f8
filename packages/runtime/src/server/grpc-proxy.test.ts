import { recordingLogger, virtualClock } from '@outrigger/testkit'
import { Fields } from '@outrigger/wire'
import { expect, test } from 'vitest'
import { ask } from '../../test/support/fake-exchange.ts'
import { FakeGrpcApp } from '../../test/support/fake-grpc-app.ts'
import { InvokeHandler } from '../api/invoke/handler.ts'
import type { Configuration } from '../config/configuration.ts'
import { runtimeOptions } from '../config/options.ts'
import type { RuntimeApi } from '../runtime.ts'
import { grpcApi } from './grpc-api.ts'

function setUp(apiAccess: Partial<Configuration['apiAccess']> = {}) {
  const app = new FakeGrpcApp()
  const options = {
    appId: 'orders',
    namespace: 'prod',
    channel: app,
    appHealthy: () => true,
    maxBodyBytes: 1000,
    remote: () => Promise.reject(new Error('no other sidecar is called here')),
    random: { next: () => 0, uuid: () => '00000000-0000-4000-8000-000000000000' },
  }
  const invoke = new InvokeHandler(options)
  const never = new Proxy({}, { get: () => () => Promise.reject(new Error('not asked here')) })
  const api = grpcApi({
    options: runtimeOptions({ 'app-id': 'orders' }, {}),
    configuration: {
      apiAccess: { allowed: [], denied: [], ...apiAccess },
      apiLogging: { enabled: false },
    } as unknown as Configuration,
    api: new Proxy(
      { invoke },
      { get: (own, name) => (name === 'invoke' ? own.invoke : never) },
    ) as RuntimeApi,
    logger: recordingLogger(),
    clock: virtualClock(),
    onShutdownRequest: () => {},
  })
  const call = async (path: string, ...fields: string[]): Promise<string | undefined> => {
    const type = ['content-type', 'application/grpc', 'te', 'trailers']
    const answer = await ask(api, { method: 'POST', target: path, fields: [...type, ...fields] })
    return answer.fields.get('grpc-status')
  }
  return { app, call }
}

const named = ['dapr-app-id', 'orders']

test('the own application is told who calls, whatever its caller says', async () => {
  const { app, call } = setUp()
  const forged = ['dapr-caller-app-id', 'admin', 'dapr-caller-namespace', 'system']
  expect(await call('/pkg.Service/Method', ...named, ...forged)).toBe('0')
  const [{ path, fields } = { path: '', fields: new Fields() }] = app.passed
  expect(path).toBe('/pkg.Service/Method')
  expect([fields.getAll('dapr-caller-app-id'), fields.getAll('dapr-caller-namespace')]).toEqual([
    ['orders'],
    ['prod'],
  ])
})

const rule = (name: string) => ({ name, version: undefined, protocol: undefined })

test.each([
  ['denied', { denied: [rule('invoke')] }],
  ['denied over gRPC', { denied: [{ ...rule('invoke'), version: 'v1', protocol: 'grpc' as const }] }],
  ['not among the allowed', { allowed: [rule('state')] }],
])('nothing is passed on where invocation is %s', async (_, access) => {
  const { app, call } = setUp(access)
  expect(await call('/pkg.Service/Method', ...named)).toBe('12')
  // Not what was denied either: that would be the API of another sidecar.
  expect(await call('/dapr.proto.runtime.v1.Dapr/InvokeService', ...named)).toBe('12')
  expect(app.passed).toEqual([])
})

test('nobody speaks to another sidecar in the name of this one', async () => {
  const { call } = setUp()
  const path = '/dapr.proto.internals.v1.ServiceInvocation/CallLocal'
  expect(await call(path, 'dapr-app-id', 'other')).toBe('12')
  expect(await call('/dapr.proto.internals.v1.ServiceInvocation/CallActor', 'dapr-app-id', 'other')).toBe(
    '12',
  )
  expect(await call('/pkg.Service/Method', 'dapr-app-id', 'other')).toBe('13')
})
