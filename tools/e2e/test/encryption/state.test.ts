import { say, describeWithService } from '@outrigger/services'
import { tempFolder } from '@outrigger/testkit'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { component, endSidecars, Sidecar, startSidecar } from '../../src/index.ts'
import { clients, grpcClientOf } from '../client/clients.ts'

afterEach(endSidecars)

const keys = {
  old: '00112233445566778899aabbccddeeff',
  new: '202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f',
}
/** `{"from":"elsewhere"}` under the key `old`, made from the documented format with another implementation. */
const elsewhere = 'AAECAwQFBgcICQoLUPdRtsH6rVq9XUXsdfopiH96rzfYW9sgqVD/PMY+CvUr02JA||old'

interface Held {
  /** The component without keys. */
  readonly type: string
  readonly metadata: Readonly<Record<string, string>>
  /** What the store holds under a complete key, as the encryption wrote it. */
  read(key: string): Promise<string>
  /** Puts a row there as Dapr would. */
  write(key: string, text: string): Promise<void>
}

type KeyNames = readonly [primary: string, secondary?: string]

function resources({ type, metadata }: Held, [primary, secondary]: KeyNames): Record<string, string> {
  const store = component('store', type, {
    metadata: {
      ...metadata,
      primaryEncryptionKey: { secret: primary },
      ...(secondary !== undefined && { secondaryEncryptionKey: { secret: secondary } }),
    },
    secretStore: 'vault',
  })
  const vault = component('vault', 'secretstores.local.file', {
    metadata: { secretsFile: 'resources/secrets.json' },
  })
  return { 'components.yaml': [vault, store].join('---\n'), 'secrets.json': JSON.stringify(keys) }
}

const json = { 'content-type': 'application/json' }
const post = (sidecar: Sidecar, path: string, body: unknown): Promise<Response> =>
  fetch(`${sidecar.url}/v1.0/state/store${path}`, {
    method: 'POST',
    headers: json,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
const get = (sidecar: Sidecar, key: string): Promise<Response> =>
  fetch(`${sidecar.url}/v1.0/state/store/${key}`)

function encrypted(held: () => Promise<Held>): void {
  test('values are held encrypted and read as they were sent, by every operation', async () => {
    const store = await held()
    const sidecar = await startSidecar({ appId: 'shop', resources: resources(store, ['new']) })
    expect((await post(sidecar, '', '[{"key":"a","value":{"n":12345678901234567890.10}}]')).status).toBe(204)
    expect(await store.read('shop||a')).toMatch(/^[A-Za-z0-9+/]+=*\|\|new$/)
    const item = await get(sidecar, 'a')
    expect(await item.text()).toBe('{"n":12345678901234567890.10}')
    const operations = [
      { operation: 'upsert', request: { key: 'b', value: 'two' } },
      { operation: 'upsert', request: { key: 'c', value: null } },
    ]
    expect((await post(sidecar, '/transaction', { operations })).status).toBe(204)
    expect(await store.read('shop||b')).toMatch(/\|\|new$/)
    await store.write('shop||plain', '"not encrypted"')
    const bulk = await post(sidecar, '/bulk', { keys: ['a', 'b', 'c', 'plain', 'none'] })
    const results = (await bulk.json()) as Record<string, unknown>[]
    expect(results.map(({ key, data }) => [key, data])).toEqual([
      ['a', expect.anything()],
      ['b', 'two'],
      ['c', null],
      ['plain', undefined],
      ['none', undefined],
    ])
    expect(results[3]!['error']).toContain('cannot decrypt a value of state store store')
    const plain = await get(sidecar, 'plain')
    expect([plain.status, await plain.json()]).toMatchObject([500, { errorCode: 'ERR_STATE_GET' }])
    const etag = item.headers.get('etag')!
    const removed = await fetch(`${sidecar.url}/v1.0/state/store/a`, {
      method: 'DELETE',
      headers: { 'if-match': etag },
    })
    expect([removed.status, (await get(sidecar, 'a')).status]).toEqual([204, 204])
    for (const line of sidecar.log) for (const key of Object.values(keys)) expect(line).not.toContain(key)
  })

  test('after a rotation values of both keys are read, and new ones have the new key', async () => {
    const store = await held()
    await store.write('shop||theirs', elsewhere)
    const before = await startSidecar({ appId: 'shop', resources: resources(store, ['old']) })
    expect(await (await get(before, 'theirs')).text()).toBe('{"from":"elsewhere"}')
    expect((await post(before, '', [{ key: 'ours', value: 1 }])).status).toBe(204)
    await before.stop()
    const after = await startSidecar({ appId: 'shop', resources: resources(store, ['new', 'old']) })
    expect(await (await get(after, 'ours')).text()).toBe('1')
    expect(await (await get(after, 'theirs')).text()).toBe('{"from":"elsewhere"}')
    expect((await post(after, '', [{ key: 'ours', value: 2 }])).status).toBe(204)
    expect(await store.read('shop||ours')).toMatch(/\|\|new$/)
    await after.stop()
    const late = await startSidecar({ appId: 'shop', resources: resources(store, ['new']) })
    expect(await (await get(late, 'ours')).text()).toBe('2')
    const lost = await get(late, 'theirs')
    expect([lost.status, ((await lost.json()) as { message: string }).message]).toEqual([
      500,
      expect.stringContaining('neither primaryEncryptionKey nor secondaryEncryptionKey'),
    ])
  })

  test('both faces read what the other wrote', async () => {
    const store = await held()
    const sidecar = await startSidecar({ appId: 'shop', resources: resources(store, ['new']) })
    for (const [name, sdk] of clients) {
      const client = grpcClientOf(sdk, sidecar)
      await client.start()
      await client.state.save('store', [{ key: name, value: { by: name } }])
      expect(await (await get(sidecar, encodeURIComponent(name))).json()).toEqual({ by: name })
      expect((await post(sidecar, '', [{ key: name, value: { by: 'http' } }])).status).toBe(204)
      expect(await client.state.get('store', name)).toEqual({ by: 'http' })
      await client.stop()
    }
  })
}

describe('state.sqlite', () => {
  encrypted(async () => {
    const { path, remove } = await tempFolder()
    onTestFinished(remove)
    const file = `${path}/state.db`
    const open = (): DatabaseSync => {
      const database = new DatabaseSync(file)
      database.exec(`CREATE TABLE IF NOT EXISTS state (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL,
        is_binary BOOLEAN NOT NULL, etag TEXT NOT NULL, expiration_time TIMESTAMP DEFAULT NULL,
        update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)`)
      return database
    }
    return {
      type: 'state.sqlite',
      metadata: { connectionString: file },
      async read(key) {
        const database = open()
        const row = database.prepare('SELECT value, is_binary FROM state WHERE key = ?').get(key)
        database.close()
        expect(row?.['is_binary']).toBe(1)
        return Buffer.from(String(row!['value']), 'base64').toString()
      },
      async write(key, text) {
        const database = open()
        const value = Buffer.from(text).toString('base64')
        database
          .prepare('INSERT INTO state (key, value, is_binary, etag) VALUES (?, ?, 1, ?)')
          .run(key, value, 'e')
        database.close()
      },
    }
  })
})

describeWithService('redis', 'state.redis', (service) => {
  encrypted(async () => {
    await say(service(), 'FLUSHDB')
    return {
      type: 'state.redis',
      metadata: { redisHost: `127.0.0.1:${service().port}` },
      read: async (key) => (await say(service(), `HGET "${key}" data`)).split('\r\n')[1]!,
      async write(key, text) {
        await say(service(), `HSET "${key}" data ${JSON.stringify(text)} version 1`)
      },
    }
  })
})

test('a key that is none stops the start, and is not shown', async () => {
  const sidecar = await Sidecar.launch({
    env: { BAD_KEY: 'sesame-open' },
    resources: [
      component('env', 'secretstores.local.env'),
      component('store', 'state.in-memory', {
        metadata: { primaryEncryptionKey: { secret: 'BAD_KEY' } },
        secretStore: 'env',
      }),
    ],
  })
  await sidecar.child.line('primaryEncryptionKey must be an AES key')
  expect(sidecar.child.output).not.toContain('sesame-open')
})
