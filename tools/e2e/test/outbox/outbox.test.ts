import { tempFolder } from '@outrigger/testkit'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { App, component, endApps, endSidecars, startSidecar, type Sidecar } from '../../src/index.ts'
import { durable } from './stores.ts'

afterEach(async () => {
  await endSidecars()
  await endApps()
})

const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

function transact(
  sidecar: Sidecar,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${sidecar.url}/v1.0/state/store/transaction`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}

const upsert = (key: string, value: unknown, more: object = {}) => ({
  operation: 'upsert',
  request: { key, value, ...more },
})

const subscribed = { 'GET /dapr/subscribe': [{ pubsubname: 'pubsub', topic: 'orders', route: '/orders' }] }

durable((resources) => {
  async function start(metadata?: Readonly<Record<string, string>>) {
    const { path, remove } = await tempFolder()
    onTestFinished(remove)
    const app = await App.start({ ...subscribed, 'POST /orders': {} })
    const sidecar = await startSidecar({
      appId: 'shop',
      appPort: app.port,
      resources: resources(path, metadata),
    })
    return { app, sidecar }
  }

  test('each write of a transaction is published, with trace, projection and overrides', async () => {
    const { app, sidecar } = await start()
    const answer = await transact(
      sidecar,
      {
        operations: [
          upsert('a', { n: 1 }, { metadata: { 'cloudevent.type': 'OrderTaken', custom: 'yes' } }),
          upsert('b', 'saved'),
          upsert('b', { shown: true }, { metadata: { 'outbox.projection': 'true' } }),
          { operation: 'delete', request: { key: 'c' } },
        ],
      },
      { traceparent: trace },
    )
    expect(answer.status).toBe(204)
    const events = (await app.received('/orders', 2)).map(({ json }) => json() as Record<string, unknown>)
    const [first, second] = [
      events.find(({ custom }) => custom === 'yes'),
      events.find(({ custom }) => custom === undefined),
    ]
    expect(first).toMatchObject({
      source: 'shop',
      type: 'OrderTaken',
      topic: 'orders',
      pubsubname: 'pubsub',
      traceparent: expect.stringContaining('0af7651916cd43dd8448eb211c80319c'),
      data: { n: 1 },
    })
    expect(second).toMatchObject({ type: 'com.dapr.event.sent', data: { shown: true } })
    const saved = await fetch(`${sidecar.url}/v1.0/state/store/b`)
    expect(await saved.text()).toBe('"saved"')
  })

  test('writes outside transactions make no events', async () => {
    const { app, sidecar } = await start()
    const saved = await fetch(`${sidecar.url}/v1.0/state/store`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([{ key: 'a', value: 1 }]),
    })
    expect(saved.status).toBe(204)
    expect((await transact(sidecar, { operations: [upsert('b', { b: 1 })] })).status).toBe(204)
    const events = await app.received('/orders')
    expect(events.map(({ json }) => (json() as { data: unknown }).data)).toEqual([{ b: 1 }])
  })

  test('without its broker, or with a projection of nothing, nothing is saved', async () => {
    const { sidecar } = await start({ outboxPubsub: 'other' })
    const refused = await transact(sidecar, { operations: [upsert('a', 1)] })
    expect([refused.status, await refused.json()]).toMatchObject([500, { errorCode: 'ERR_PUBLISH_OUTBOX' }])
    const alone = upsert('a', 1, { metadata: { 'outbox.projection': 'true' } })
    const projection = await transact(sidecar, { operations: [alone] })
    expect([projection.status, await projection.json()]).toMatchObject([
      500,
      { errorCode: 'ERR_PUBLISH_OUTBOX', message: expect.stringContaining('the projection of key a') },
    ])
    expect((await fetch(`${sidecar.url}/v1.0/state/store/a`)).status).toBe(204)
  })
})

test('with encryption the store holds no plain text, and the event does', async () => {
  const { path, remove } = await tempFolder()
  onTestFinished(remove)
  const app = await App.start({ ...subscribed, 'POST /orders': {} })
  const sidecar = await startSidecar({
    appPort: app.port,
    env: { STATE_KEY: '00112233445566778899aabbccddeeff' },
    resources: [
      component('env', 'secretstores.local.env'),
      component('pubsub', 'pubsub.in-memory'),
      component('store', 'state.sqlite', {
        metadata: {
          connectionString: `${path}/state.db`,
          outboxPublishPubsub: 'pubsub',
          outboxPublishTopic: 'orders',
          primaryEncryptionKey: { secret: 'STATE_KEY' },
        },
        secretStore: 'env',
      }),
    ],
  })
  expect((await transact(sidecar, { operations: [upsert('a', { n: 1 })] })).status).toBe(204)
  const [event] = await app.received('/orders')
  expect(event!.json()).toMatchObject({ data: { n: 1 } })
  expect(await (await fetch(`${sidecar.url}/v1.0/state/store/a`)).text()).toBe('{"n":1}')
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(`${path}/state.db`, { readOnly: true })
  onTestFinished(() => database.close())
  const row = database.prepare(`SELECT value, is_binary FROM state WHERE key = 'app||a'`).get()!
  expect(row['is_binary']).toBe(1)
  expect(Buffer.from(String(row['value']), 'base64').toString()).toMatch(/^[A-Za-z0-9+/=]+\|\|STATE_KEY$/)
})
