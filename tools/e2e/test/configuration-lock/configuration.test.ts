import { configurationOf, MemoryItems } from '@outrigger/configuration-in-memory'
import { createRuntime } from '@outrigger/runtime'
import { describeWithService, say, startService, type Service } from '@outrigger/services'
import { waitFor } from '@outrigger/testkit'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { App, call, component, endApps, endSidecars, startSidecar, type Sidecar } from '../../src/index.ts'

afterEach(async () => {
  await endSidecars()
  await endApps()
})

const quietMs = 300
const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, quietMs))

const get = (sidecar: Sidecar, path: string, version = 'v1.0') =>
  call(sidecar.httpPort, 'GET', `/${version}/configuration/${path}`)

/** What the application was told of a key, in order. */
function told(app: App, key: string): readonly unknown[] {
  return app.at(`/configuration/store/${key}`).map((request) => request.json())
}

describeWithService('redis', 'configuration.redis', (service) => {
  const store = ({ host, port }: Service): string =>
    component('store', 'configuration.redis', { metadata: { redisHost: `${host}:${port}` } })

  test('items are read, changes are told to the application until it unsubscribes', async () => {
    const app = await App.start({ '*': {} })
    const sidecar = await startSidecar({ appId: 'orders', appPort: app.port, resources: store(service()) })
    const set = (key: string, value: string): Promise<string> => say(service(), `SET ${key} ${value}`)
    await set('limit', '10||v1')
    await set('name', 'shop')
    expect((await get(sidecar, 'store?key=limit&key=name&key=nosuch')).json).toEqual({
      limit: { value: '10', version: 'v1' },
      name: { value: 'shop' },
    })
    expect(await get(sidecar, 'store?key=nosuch')).toMatchObject({ status: 204, text: '' })
    expect((await get(sidecar, 'store', 'v1.0-alpha1')).json).toMatchObject({ name: { value: 'shop' } })

    const { id } = (await get(sidecar, 'store/subscribe?key=limit&key=fresh')).json
    await set('limit', '20||v2')
    await waitFor(() => told(app, 'limit').length > 0, { what: 'the change' })
    expect(told(app, 'limit')).toEqual([{ id, items: { limit: { value: '20', version: 'v2' } } }])
    await set('fresh', 'new')
    await waitFor(() => told(app, 'fresh').length > 0, { what: 'the new item' })
    await say(service(), 'DEL fresh')
    await waitFor(() => told(app, 'fresh').length > 1, { what: 'the deletion' })
    expect(told(app, 'fresh')[1]).toEqual({ id, items: { fresh: {} } })

    const second = (await get(sidecar, 'store/subscribe', 'v1.0-alpha1')).json
    expect(second.id).not.toBe(id)
    expect((await get(sidecar, `store/${id}/unsubscribe`)).json).toEqual({ ok: true })
    await set('limit', '30||v3')
    await waitFor(() => told(app, 'limit').length > 1, { what: 'the change' })
    await quiet()
    expect(told(app, 'limit').slice(1)).toEqual([
      { id: second.id, items: { limit: { value: '30', version: 'v3' } } },
    ])
    expect((await get(sidecar, `store/${second.id}/unsubscribe`, 'v1.0-alpha1')).json).toEqual({ ok: true })
    await set('limit', '40||v4')
    await quiet()
    expect(told(app, 'limit')).toHaveLength(2)
    expect((await get(sidecar, `store/${id}/unsubscribe`)).status).toBe(500)
    expect(await sidecar.stop()).toBe(0)
  })

  test('what changes while the server is away is told when it is back, and so is what follows', async () => {
    const server = await startService('redis')
    onTestFinished(() => server.stop())
    const app = await App.start({ '*': {} })
    const sidecar = await startSidecar({ appId: 'orders', appPort: app.port, resources: store(server) })
    await say(server, 'SET limit 1')
    const { id } = (await get(sidecar, 'store/subscribe?key=limit')).json
    // Without persistence the item is gone with the server.
    await server.kill()
    await server.restart()
    await waitFor(() => told(app, 'limit').length > 0, { what: 'the deletion', deadlineMs: 60_000 })
    expect(told(app, 'limit')).toEqual([{ id, items: { limit: {} } }])
    await say(server, 'SET limit 2')
    await waitFor(() => told(app, 'limit').length > 1, { what: 'the change', deadlineMs: 60_000 })
    expect(told(app, 'limit')[1]).toEqual({ id, items: { limit: { value: '2' } } })
  })

  test('an application that refuses a change hears of the next, and the log says so', async () => {
    let status = 500
    const app = await App.start({ '*': () => ({ status }) })
    const sidecar = await startSidecar({ appId: 'orders', appPort: app.port, resources: store(service()) })
    await get(sidecar, 'store/subscribe?key=flaky')
    await say(service(), 'SET flaky 1')
    await waitFor(() => told(app, 'flaky').length > 0, { what: 'the first' })
    status = 200
    await say(service(), 'SET flaky 2')
    await waitFor(() => told(app, 'flaky').length > 1, { what: 'the second' })
    expect(sidecar.log.join('\n')).toContain('did not take a configuration change')
  })
})

test('configuration.in-memory: the items of its metadata', async () => {
  const sidecar = await startSidecar({
    appId: 'orders',
    resources: component('store', 'configuration.in-memory', { metadata: { items: '{"limit": 10}' } }),
  })
  expect((await get(sidecar, 'store')).json).toEqual({ limit: { value: '10', version: '1' } })
  expect((await get(sidecar, 'store/subscribe')).json).toMatchObject({ errorCode: 'ERR_APP_CHANNEL_NIL' })
})

test('configuration.in-memory in a process: what the program changes is told to the application and to listeners', async () => {
  const items = new MemoryItems({ limit: '10' })
  const posts: unknown[] = []
  const runtime = createRuntime({
    appId: 'orders',
    definitions: [configurationOf(items)],
    resources: [component('store', 'configuration.in-memory')],
    app: ({ path, body }) => {
      if (path === '/configuration/store/limit') posts.push(JSON.parse(Buffer.from(body).toString()))
      return {}
    },
  })
  await runtime.start()
  onTestFinished(async () => void (await runtime.stop()))
  const { configuration } = runtime.api
  const heard: unknown[] = []
  const own = await configuration.subscribe(
    'store',
    ['limit'],
    {},
    (_id, changes) => void heard.push(changes),
    {},
  )
  const { id } = await configuration.subscribeApp('store', [], {}, {})
  items.set('limit', '20')
  await waitFor(() => heard.length > 0 && posts.length > 0, { what: 'both' })
  expect(heard).toEqual([{ limit: { value: '20', version: '2' } }])
  expect(posts).toEqual([{ id, items: { limit: { value: '20', version: '2' } } }])
  configuration.unsubscribe('store', own.id)
  items.delete('limit')
  await waitFor(() => posts.length > 1, { what: 'the deletion' })
  expect([heard.length, posts[1]]).toEqual([1, { id, items: { limit: {} } }])
})
