import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DaprServer } from '@dapr/dapr'
import { freePort, waitFor } from '@outrigger/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { App, component, endApps, endSidecars, Sidecar, startSidecar } from '../../src/index.ts'
import { clients, grpcClientOf, grpcServerOf } from '../client/clients.ts'

afterAll(async () => {
  await endSidecars()
  await endApps()
})

const often = { metadata: { schedule: '@every 1s' } }

describe.each(clients)('an application made with %s over gRPC', (name, sdk) => {
  let sidecar: Sidecar
  let server: DaprServer
  let ticks = 0

  beforeAll(async () => {
    const appPort = await freePort()
    // The older one does not serve HealthCheck, with which it would never be healthy.
    const checked = !name.endsWith('3.6.1')
    sidecar = await Sidecar.launch({
      appId: 'shop',
      appPort,
      flags: ['--app-protocol=grpc', ...(checked ? ['--enable-app-health-check'] : [])],
      resources: [component('ticks', 'bindings.cron', often), component('unwanted', 'bindings.cron', often)],
    })
    server = grpcServerOf(sdk, sidecar.grpcPort, appPort)
    await server.invoker.listen('orders', async ({ body, query }) => ({ body, query }), {
      method: sdk.HttpMethod.POST,
    })
    await server.binding.receive('ticks', async () => void ticks++)
    await server.start()
    await sidecar.ready()
    if (checked) await sidecar.child.line('the application is healthy')
  })
  afterAll(() => server.stop())

  test('is invoked over HTTP and over gRPC', async () => {
    const answer = await fetch(`${sidecar.url}/v1.0/invoke/shop/method/orders?a=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"number":7}',
    })
    expect([answer.status, await answer.json()]).toEqual([200, { body: '{"number":7}', query: 'a=1' }])
    const client = grpcClientOf(sdk, sidecar)
    try {
      expect(await client.invoker.invoke('shop', 'orders', sdk.HttpMethod.POST, { number: 7 })).toEqual({
        body: '{"number":7}',
        query: '',
      })
    } finally {
      await client.stop()
    }
  })

  test('gets the events of the bindings that it named, and of no others', async () => {
    await waitFor(() => ticks > 0, { what: 'a tick' })
    await sidecar.child.line('the application has not subscribed to binding unwanted')
  })
})

describe('an answer to an event', () => {
  afterEach(endSidecars)
  const resources = (annotations: string): string[] => [
    component('ticks', 'bindings.cron', often).replace('name: ticks', `name: ticks\n${annotations}`),
    component('files', 'bindings.localstorage', { metadata: { rootPath: 'files' } }),
    component('store', 'state.sqlite', { metadata: { connectionString: 'state.db' } }),
  ]
  const filesOf = (sidecar: Sidecar): Promise<string[]> =>
    readdir(join(sidecar.folder, 'files')).catch(() => [])
  const wish = {
    storeName: 'store',
    state: [{ key: 'count', value: { n: 1 } }],
    to: ['files'],
    data: 'two words',
  }

  test('saves state and invokes output bindings where an annotation says so', async () => {
    const app = await App.start({ 'OPTIONS /ticks': {}, 'POST /ticks': wish })
    const sidecar = await startSidecar({
      appId: 'shop',
      appPort: app.port,
      resources: resources("  annotations: {outrigger.dev/app-response: 'true'}"),
    })
    await app.received('/ticks', 2)
    const read = async () => (await fetch(`${sidecar.url}/v1.0/state/store/count`)).text()
    await expect.poll(read, { timeout: 30_000 }).toBe('{"n":1}')
    // Without a name the component gives each file one, which is there before its text is.
    const texts = async () =>
      Promise.all(
        (await filesOf(sidecar)).map((file) => readFile(join(sidecar.folder, 'files', file), 'utf8')),
      )
    await expect.poll(texts, { timeout: 30_000 }).toContainEqual(expect.stringContaining('two words'))
  })

  test('only goes back to its component where nothing says so', async () => {
    const app = await App.start({ 'OPTIONS /ticks': {}, 'POST /ticks': wish })
    const sidecar = await startSidecar({ appId: 'shop', appPort: app.port, resources: resources('') })
    await app.received('/ticks', 3)
    expect((await fetch(`${sidecar.url}/v1.0/state/store/count`)).status).toBe(204)
    expect(await filesOf(sidecar)).toEqual([])
  })
})
