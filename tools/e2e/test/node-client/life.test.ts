import { createClient } from '@outrigger/client'
import { createApp } from '@outrigger/client/app'
import { createClient as createGrpcClient } from '@outrigger/client/grpc'
import { createClient as createInProcessClient } from '@outrigger/client/in-process'
import { createRuntime } from '@outrigger/runtime'
import { recordingLogger, waitFor } from '@outrigger/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { component, modulesPath, startSidecar } from '../../src/index.ts'
import { serve } from './world.ts'

const resources = [
  component('store', 'state.in-memory'),
  component('settings', 'configuration.in-memory'),
  component('bus', 'pubsub.in-memory'),
]
const places = (sidecar: { readonly url: string; readonly grpcPort: number }) => ({
  httpEndpoint: sidecar.url,
  grpcEndpoint: `127.0.0.1:${sidecar.grpcPort}`,
  env: {},
})

describe.each([
  ['HTTP', createClient],
  ['gRPC', createGrpcClient],
] as const)('over %s', (_name, create) => {
  test('a client outlives its sidecar', async () => {
    const sidecar = await startSidecar({ resources })
    onTestFinished(() => sidecar.dispose())
    await using client = create(places(sidecar))
    await client.state.save('store', 'k', 1)
    expect(await client.health()).toBe(true)
    await sidecar.kill()
    expect(await client.health()).toBe(false)
    await expect(client.state.get('store', 'k')).rejects.toMatchObject({
      errorCode: 'ERR_CLIENT_UNAVAILABLE',
      retryable: true,
    })
    sidecar.start()
    await waitFor(() => client.health(), { what: 'the sidecar again' })
    expect(await client.state.get('store', 'k')).toBeUndefined()
    await client.state.save('store', 'k', 2)
    expect(await client.state.get('store', 'k')).toBe(2)
  })

  test('a client can end its sidecar', async () => {
    const sidecar = await startSidecar({ resources })
    onTestFinished(() => sidecar.dispose())
    await using client = create(places(sidecar))
    await client.shutdown()
    expect(await sidecar.child.ended()).toBe(0)
  })
})

test('a subscription over gRPC says that its sidecar is gone', async () => {
  const sidecar = await startSidecar({ resources })
  onTestFinished(() => sidecar.dispose())
  await using client = createGrpcClient(places(sidecar))
  const subscription = await client.configuration.subscribe('settings', ['a'])
  await sidecar.kill()
  expect(await subscription.ended).toMatchObject({ errorCode: 'ERR_CLIENT_UNAVAILABLE' })
  const loop = async (): Promise<void> => {
    for await (const _ of subscription) continue
  }
  await expect(loop()).rejects.toMatchObject({ errorCode: 'ERR_CLIENT_UNAVAILABLE' })
})

test('in-process, a client ends with its runtime or before it', async () => {
  const runtime = createRuntime({
    appId: 'a',
    resources,
    modulesPaths: [modulesPath],
    logger: recordingLogger(),
  })
  const early = createInProcessClient({ runtime })
  expect(await early.health()).toBe(false)
  await expect(early.state.get('store', 'k')).rejects.toMatchObject({
    errorCode: 'ERR_CLIENT_UNAVAILABLE',
    message: expect.stringContaining('start()'),
  })
  await runtime.start()
  expect(await early.health({ outbound: true })).toBe(true)
  await runtime.ready()
  expect(await early.health()).toBe(true)
  const other = createInProcessClient({ runtime })
  const subscription = await other.configuration.subscribe('settings', ['a'])
  await other.close()
  expect(await subscription.ended).toBeUndefined()
  await expect(other.state.get('store', 'k')).rejects.toMatchObject({ errorCode: 'ERR_CLIENT_CLOSED' })
  const last = await early.configuration.subscribe('settings', ['a'])
  await early.shutdown()
  expect(await last.ended).toMatchObject({ errorCode: 'ERR_CLIENT_UNAVAILABLE' })
})

test('the token of the sidecar opens the application, and nothing else does', async () => {
  const seen: unknown[] = []
  const app = createApp({ env: {}, apiToken: 'sesame', logger: { error: () => undefined } })
  app.subscribe('bus', 'orders', ({ data }) => void seen.push(data))
  const served = await serve(app)
  onTestFinished(() => served.close())
  const sidecar = await startSidecar({ resources, appPort: served.port, env: { APP_API_TOKEN: 'sesame' } })
  onTestFinished(() => sidecar.dispose())
  await using client = createClient(places(sidecar))
  await client.pubsub.publish('bus', 'orders', { id: 1 })
  await waitFor(() => seen.length === 1, { what: 'the order' })
  const url = `http://127.0.0.1:${served.port}/outrigger/bus/orders`
  expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401)
  expect(seen).toEqual([{ id: 1 }])
})
