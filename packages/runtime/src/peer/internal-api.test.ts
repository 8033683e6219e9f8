import { recordingLogger } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { ask } from '../../test/support/fake-exchange.ts'
import { FakeGrpcApp } from '../../test/support/fake-grpc-app.ts'
import type { OperationPolicy } from '../config/access-control.ts'
import { accessControl } from '../invoke/access-control.ts'
import { internalApi } from './internal-api.ts'

const caller = { trustDomain: 'public', namespace: 'default', appId: 'evil' }

/** Calls a method of the application itself, as another sidecar passes it on. */
function setUp(operations?: readonly OperationPolicy[]) {
  const app = new FakeGrpcApp()
  const policies = [{ ...caller, defaultAction: 'allow', operations: operations ?? [] }] as const
  const api = internalApi({
    appId: 'shop',
    namespace: 'default',
    channel: app,
    appHealthy: () => true,
    maxBodyBytes: 1000,
    identify: () => caller,
    authorize:
      operations && accessControl({ defaultAction: 'deny', trustDomain: 'public', policies }, 'shop', false),
    logger: recordingLogger(),
  })
  const call = async (target: string, ...more: string[]) => {
    const fields = [
      'content-type',
      'application/grpc',
      'te',
      'trailers',
      'dapr-callee-app-id',
      'shop',
      ...more,
    ]
    const answer = await ask(api, { method: 'POST', target, fields })
    return [answer.fields.get('grpc-status'), answer.fields.get('grpc-message')]
  }
  return { app, call }
}

test('a method of the application itself is passed on in the name that the caller has proved', async () => {
  const { app, call } = setUp()
  expect(await call('/pkg.A/Get', 'dapr-caller-app-id', 'admin', 'dapr-app-id', 'shop')).toEqual([
    '0',
    undefined,
  ])
  expect(app.passed[0]!.fields.getAll('dapr-caller-app-id')).toEqual(['evil'])
  expect((await call('/pkg.A/Get', 'dapr-callee-app-id', 'shop'))[0]).toBe('0')
})

test('what only the own sidecar calls is no way round access control', async () => {
  const deny = [{ name: '/secret', verbs: [], action: 'deny' }] as const
  const { app, call } = setUp(deny)
  for (const method of [
    'AppCallback/OnInvoke',
    'AppCallback/OnTopicEvent',
    'AppCallbackAlpha/OnBulkTopicEvent',
    'AppCallbackHealthCheck/HealthCheck',
  ]) {
    const [code, message] = await call(`/dapr.proto.runtime.v1.${method}`)
    expect([code, message]).toEqual(['7', expect.stringContaining('access control policy has denied access')])
  }
  expect(app.passed).toEqual([])
  expect((await call('/pkg.A/Get'))[0]).toBe('0')
  expect((await call('/secret'))[0]).toBe('7')
  // Without access control everybody may call everything.
  expect((await setUp().call('/dapr.proto.runtime.v1.AppCallback/OnInvoke'))[0]).toBe('0')
})
