import { randomBytes } from 'node:crypto'
import type { DaprClient } from '@dapr/dapr'
import { waitFor } from '@outrigger/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { App, component, endApps, endSidecars, startSidecar, type Sidecar } from '../../src/index.ts'
import { clients, grpcClientOf } from '../client/clients.ts'

let sidecar: Sidecar
let app: App
const orders: unknown[] = []

beforeAll(async () => {
  app = await App.start({
    'GET /dapr/subscribe': () => ({
      status: 200,
      body: [{ pubsubname: 'broker', topic: 'orders', route: '/orders' }],
    }),
    'POST /orders': (request) => {
      orders.push(request.json())
      return { status: 200 }
    },
    '*': () => ({ status: 404 }),
  })
  sidecar = await startSidecar({
    appId: 'orders',
    appPort: app.port,
    resources: {
      'components.yaml': [
        component('store', 'state.sqlite', { metadata: { connectionString: 'state.db' } }),
        component('broker', 'pubsub.in-memory'),
        component('files', 'bindings.localstorage', { metadata: { rootPath: 'files' } }),
        component('vault', 'secretstores.local.file', {
          metadata: { secretsFile: 'resources/secrets.json' },
        }),
        component('locks', 'lock.in-memory'),
        component('keys', 'crypto.dapr.localstorage', { metadata: { path: 'resources' } }),
      ].join('---\n'),
      'secrets.json': JSON.stringify({ password: 'swordfish' }),
      // A symmetric key of 32 bytes, as base64.
      'key.txt': randomBytes(32).toString('base64'),
    },
  })
  await sidecar.ready()
})
afterAll(async () => {
  await endSidecars()
  await endApps()
})

describe.each(clients)('%s over gRPC', (name, sdk) => {
  let client: DaprClient
  const key = (text: string): string => `${text}-${name.slice(-6)}`

  beforeAll(async () => {
    client = grpcClientOf(sdk, sidecar)
    await client.start()
  })
  afterAll(() => client.stop())

  test('saves, gets, deletes state, in bulk and in a transaction', async () => {
    await client.state.save('store', [
      { key: key('a'), value: { n: 1 } },
      { key: key('b'), value: 'text' },
    ])
    expect(await client.state.get('store', key('a'))).toEqual({ n: 1 })
    const found = await client.state.getBulk('store', [key('a'), key('b'), key('absent')])
    expect(found.map((item) => [item.key, item.data])).toEqual([
      [key('a'), { n: 1 }],
      [key('b'), 'text'],
      [key('absent'), ''],
    ])
    await client.state.transaction('store', [
      { operation: 'upsert', request: { key: key('c'), value: 'new' } },
      { operation: 'delete', request: { key: key('b') } },
    ])
    expect(await client.state.get('store', key('c'))).toBe('new')
    expect(await client.state.get('store', key('b'))).toBe('')
    await client.state.delete('store', key('a'))
    expect(await client.state.get('store', key('a'))).toBe('')
  })

  test('what is saved over gRPC is read over HTTP', async () => {
    await client.state.save('store', [{ key: key('shared'), value: { big: 1 } }])
    const answer = await fetch(`http://127.0.0.1:${sidecar.httpPort}/v1.0/state/store/${key('shared')}`)
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(await answer.json()).toEqual({ big: 1 })
  })

  test('publishes to an application that subscribes over HTTP', async () => {
    const order = { from: name, number: 7 }
    await client.pubsub.publish('broker', 'orders', order)
    await waitFor(() =>
      orders.some((event) => JSON.stringify((event as { data: unknown }).data) === JSON.stringify(order)),
    )
  })

  test('invokes a binding', async () => {
    await client.binding.send('files', 'create', 'two words', { fileName: `${key('file')}.txt` })
    const read = await client.binding.send('files', 'get', undefined, { fileName: `${key('file')}.txt` })
    expect(Buffer.from((read as { data: Uint8Array }).data).toString()).toBe('two words')
  })

  test('reads secrets', async () => {
    expect(await client.secret.get('vault', 'password')).toEqual({ password: 'swordfish' })
    await client.secret.getBulk('vault')
  })

  test('locks and unlocks', async () => {
    expect((await client.lock.lock('locks', key('it'), 'me', 30)).success).toBe(true)
    expect((await client.lock.lock('locks', key('it'), 'you', 30)).success).toBe(false)
    expect((await client.lock.unlock('locks', key('it'), 'me')).status).toBe(0)
  })

  test('encrypts and decrypts', async () => {
    const plain = randomBytes(200_000)
    const encrypted = await client.crypto.encrypt(plain, {
      componentName: 'keys',
      keyName: 'key.txt',
      keyWrapAlgorithm: 'A256KW',
    })
    expect(encrypted.subarray(0, 15).toString()).toBe('dapr.io/enc/v1\n')
    expect(await client.crypto.decrypt(encrypted, { componentName: 'keys' })).toEqual(plain)
  })

  test('reads and writes metadata', async () => {
    await client.metadata.set(key('mark'), 'yes')
    expect(JSON.stringify(await client.metadata.get())).toContain(key('mark'))
  })

  test('a store that is not there is told as it is over HTTP', async () => {
    await expect(client.state.get('nowhere', 'k')).rejects.toThrow('state store nowhere is not found')
  })
})
