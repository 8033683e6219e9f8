import type { StateSetRequest, StateStore, StateTransaction } from '@outrigger/spec'
import { expect, test } from 'vitest'
import { withEncryption } from './store.ts'
import { valueCipher } from './values.ts'

const bytes = (content: string): Uint8Array => new TextEncoder().encode(content)
const primary = { name: 'k', bytes: new Uint8Array(32) }
const cipher = valueCipher('orders', { primary, secondary: undefined })

/** A store on a Map with every method; `raw` is what it holds. */
function setUp() {
  const raw = new Map<string, StateSetRequest>()
  const item = (key: string) => {
    const found = raw.get(key)
    return found && { value: found.value, etag: '7', expiresAtMs: 9, metadata: { a: 'b' } }
  }
  const base: StateStore = {
    capabilities: new Set(['etag', 'transactional', 'query', 'keysLike', 'deleteWithPrefix']),
    maxTransactionOperations: 5,
    get: async ({ key }) => item(key),
    set: async (request) => void raw.set(request.key, request),
    delete: async ({ key, etag }) => {
      expect(etag).toBe('7')
      raw.delete(key)
    },
    bulkGet: async (requests) => requests.map(({ key }) => ({ key, item: item(key) })),
    bulkSet: async (requests) => {
      for (const request of requests) raw.set(request.key, request)
      return []
    },
    bulkDelete: async (requests) => {
      for (const { key } of requests) raw.delete(key)
      return []
    },
    transact: async ({ operations }: StateTransaction) => {
      for (const { operation, request } of operations) {
        if (operation === 'upsert') raw.set(request.key, request)
        else raw.delete(request.key)
      }
    },
    query: async () => ({ results: [] }),
    keysLike: async () => ({ keys: [...raw.keys()] }),
    deleteWithPrefix: async () => 3,
    close: async () => {},
  }
  return { raw, base, store: withEncryption(base, 'orders', cipher) }
}

const request = (key: string, content: string): StateSetRequest => ({
  key,
  value: { bytes: bytes(content), kind: 'json', contentType: 'application/json' },
  etag: '6',
  ttlSeconds: 5,
  concurrency: 'first-write',
  metadata: { partitionKey: 'p' },
})

test('a value is held encrypted and read as it was sent; all else stays', async () => {
  const { raw, store } = setUp()
  await store.set(request('a', '[1.50]'), {})
  const held = raw.get('a')!
  expect(new TextDecoder().decode(held.value.bytes)).toMatch(/^[A-Za-z0-9+/=]+\|\|k$/)
  expect(held).toMatchObject({
    etag: '6',
    ttlSeconds: 5,
    concurrency: 'first-write',
    metadata: { partitionKey: 'p' },
    value: { kind: 'binary', contentType: 'application/json' },
  })
  const item = await store.get({ key: 'a', metadata: {} }, {})
  expect(new TextDecoder().decode(item!.value.bytes)).toBe('[1.50]')
  expect(item).toMatchObject({ etag: '7', expiresAtMs: 9, metadata: { a: 'b' } })
  expect(await store.get({ key: 'none', metadata: {} }, {})).toBeUndefined()
  await store.delete({ key: 'a', etag: '7', metadata: {} }, {})
  expect(raw.size).toBe(0)
})

test('a store is not told that what it holds is JSON', async () => {
  const { raw, store } = setUp()
  const metadata = { contentType: 'application/json', partitionKey: 'p' }
  await store.set({ ...request('a', '1'), metadata }, {})
  const operation = { operation: 'upsert', request: { ...request('b', '1'), metadata } } as const
  await store.transact!({ operations: [operation], metadata }, {})
  expect([raw.get('a')?.metadata, raw.get('b')?.metadata]).toEqual([
    { partitionKey: 'p' },
    { partitionKey: 'p' },
  ])
})

test('of many, one that cannot be decrypted fails alone', async () => {
  const { raw, store } = setUp()
  expect(await store.bulkSet!([request('a', '1'), request('b', '2')], {})).toEqual([])
  raw.set('c', request('c', 'plain'))
  const results = await store.bulkGet!(
    ['a', 'b', 'c', 'd'].map((key) => ({ key, metadata: {} })),
    {},
  )
  expect(results.map(({ item }) => item && new TextDecoder().decode(item.value.bytes))).toEqual([
    '1',
    '2',
    undefined,
    undefined,
  ])
  expect(results.map(({ error }) => error?.message.includes('orders'))).toEqual([
    undefined,
    undefined,
    true,
    undefined,
  ])
  await store.bulkDelete!([{ key: 'a', metadata: {} }], {})
  expect([...raw.keys()]).toEqual(['b', 'c'])
})

test('what a transaction writes is encrypted', async () => {
  const { raw, store } = setUp()
  await store.set(request('gone', '1'), {})
  const operations = [
    { operation: 'upsert', request: request('a', '"x"') },
    { operation: 'delete', request: { key: 'gone', metadata: {} } },
  ] as const
  await store.transact!({ operations, metadata: {} }, {})
  expect([...raw.keys()]).toEqual(['a'])
  expect(new TextDecoder().decode(raw.get('a')!.value.bytes)).not.toContain('x"')
  const item = await store.get({ key: 'a', metadata: {} }, {})
  expect(new TextDecoder().decode(item!.value.bytes)).toBe('"x"')
})

test('there are no queries; the rest is as it was', async () => {
  const { store } = setUp()
  await expect(store.query!({}, {}, {})).rejects.toThrow('cannot query encrypted store orders')
  expect(store.capabilities.has('query')).toBe(false)
  expect(store.maxTransactionOperations).toBe(5)
  expect(await store.keysLike!({ pattern: '%' }, {})).toEqual({ keys: [] })
  expect(await store.deleteWithPrefix!('a', {})).toBe(3)
  expect(withEncryption({ ...setUp().base, query: undefined as never }, 'orders', cipher).query).toBe(
    undefined,
  )
})
