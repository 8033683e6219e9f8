import { waitFor } from '@outrigger/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { App, component, endApps, endSidecars, startSidecar, type Sidecar } from '../../src/index.ts'

const bus = component('bus', 'pubsub.in-memory')
const files = component('files', 'bindings.localstorage', { metadata: { rootPath: 'files' } })
const store = component('store', 'state.in-memory')
const declared = `apiVersion: dapr.io/v1alpha1
kind: Subscription
metadata:
  name: declared
spec:
  topic: declared
  route: /declared
`

afterAll(async () => {
  await endSidecars()
  await endApps()
})

async function start(flags: string[], resources = [bus, files, store, declared]) {
  const app = await App.start({
    'GET /dapr/subscribe': () => ({ status: 200, body: [{ topic: 'found', route: '/found' }] }),
    'POST /found': {},
    'POST /declared': {},
    '*': () => ({ status: 404 }),
  })
  return { app, sidecar: await startSidecar({ appId: 'shop', appPort: app.port, resources, flags }) }
}

const post = (sidecar: Sidecar, path: string, body: unknown): Promise<Response> =>
  fetch(`${sidecar.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

describe('with --compat early', () => {
  let app: App
  let sidecar: Sidecar
  beforeAll(async () => ({ app, sidecar } = await start(['--compat=early'])))

  test('a topic is enough to publish, and subscriptions need no pubsubname', async () => {
    for (const topic of ['found', 'declared'])
      expect((await post(sidecar, `/v1.0/publish/${topic}`, { n: 1 })).status).toBe(204)
    await waitFor(() => ['/found', '/declared'].every((path) => app.at(path).length === 1), {
      what: 'both events',
    })
    expect(app.at('/found')[0]!.json()).toMatchObject({ pubsubname: 'bus', topic: 'found', data: { n: 1 } })
    // The usual form goes on as ever.
    expect((await post(sidecar, '/v1.0/publish/bus/found', {})).status).toBe(204)
  })

  test('create is the operation of a binding', async () => {
    const answer = await post(sidecar, '/v1.0/bindings/files', { data: 'x', metadata: { fileName: 'a.txt' } })
    expect(answer.status).toBe(200)
  })

  test('a retry policy is read, and a malformed one refused', async () => {
    const save = (retryPolicy: unknown) =>
      post(sidecar, '/v1.0/state/store', [{ key: 'a', value: 1, options: { retryPolicy } }])
    expect((await save({ interval: 10, pattern: 'linear', threshold: 3 })).status).toBe(204)
    expect((await save({ interval: 10, pattern: 'wild', threshold: 3 })).status).toBe(400)
  })
})

test('without it, none of them is there', async () => {
  const { app, sidecar } = await start([])
  expect(await (await post(sidecar, '/v1.0/publish/found', {})).json()).toMatchObject({
    errorCode: 'ERR_DIRECT_INVOKE',
  })
  expect((await post(sidecar, '/v1.0/bindings/files', { data: 'x' })).status).toBe(500)
  const odd = [{ key: 'a', value: 1, options: { retryPolicy: { pattern: 'wild' } } }]
  expect((await post(sidecar, '/v1.0/state/store', odd)).status).toBe(204)
  const listed = (await (await fetch(`${sidecar.url}/v1.0/metadata`)).json()) as { subscriptions?: unknown[] }
  expect(listed.subscriptions ?? []).toEqual([])
  expect(sidecar.log.filter((line) => line.includes('pubsubname is missing'))).toHaveLength(2)
  expect(app.at('/found')).toEqual([])
})

test('one form alone, by name', async () => {
  const { sidecar } = await start(['--compat=early-bindings'])
  const answer = await post(sidecar, '/v1.0/bindings/files', { data: 'x', metadata: { fileName: 'b.txt' } })
  expect(answer.status).toBe(200)
  expect((await post(sidecar, '/v1.0/publish/found', {})).status).toBe(404)
})

test('two brokers leave open which is meant', async () => {
  const { sidecar } = await start(['--compat=early'], [bus, component('other', 'pubsub.in-memory')])
  const answer = await post(sidecar, '/v1.0/publish/found', {})
  expect(answer.status).toBe(404)
  expect(await answer.json()).toMatchObject({
    errorCode: 'ERR_PUBSUB_EMPTY',
    message: expect.stringContaining('/v1.0/publish/PUBSUB/found'),
  })
})
