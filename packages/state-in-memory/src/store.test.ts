import { virtualClock, type VirtualClock } from '@outrigger/testkit'
import { beforeEach, expect, test } from 'vitest'
import { MemoryStore } from './store.ts'

const metadata = {}
const value = { bytes: Uint8Array.of(1), kind: 'binary' } as const
let clock: VirtualClock
let store: MemoryStore

beforeEach(() => {
  clock = virtualClock()
  store = new MemoryStore(clock)
})

test('readers are given the very bytes that were handed in', async () => {
  await store.set({ key: 'k', value, metadata }, {})
  expect((await store.get({ key: 'k', metadata }, {}))?.value.bytes).toBe(value.bytes)
})

test('a small part of a large buffer does not keep the buffer', async () => {
  const bytes = new Uint8Array(64 * 1024).fill(7).subarray(10, 20)
  await store.set({ key: 'k', value: { bytes, kind: 'json', contentType: 'text/x' }, metadata }, {})
  const kept = (await store.get({ key: 'k', metadata }, {}))?.value
  expect(kept).toEqual({ bytes: new Uint8Array(10).fill(7), kind: 'json', contentType: 'text/x' })
  expect(kept?.bytes.buffer.byteLength).toBe(10)
})

test('a value is there until its last millisecond', async () => {
  await store.set({ key: 'k', value, ttlSeconds: 5, metadata }, {})
  await clock.advance(4999)
  expect((await store.get({ key: 'k', metadata }, {}))?.expiresAtMs).toBe(clock.now() + 1)
  await clock.advance(1)
  expect(await store.get({ key: 'k', metadata }, {})).toBeUndefined()
})

test('without values that expire no timer runs', async () => {
  await store.set({ key: 'k', value, metadata }, {})
  expect(clock.pending).toBe(0)
})

test('what has expired is swept away though nobody reads it, and then no timer runs', async () => {
  for (let n = 0; n < 5000; n++) await store.set({ key: `k${n}`, value, ttlSeconds: 1, metadata }, {})
  await store.set({ key: 'lasting', value, metadata }, {})
  expect(store.size).toBe(5001)
  await clock.advance(60_000)
  expect(store.size).toBe(1)
  expect(clock.pending).toBe(0)
})

test('a sweep looks at a bounded number of values', async () => {
  for (let n = 0; n < 5000; n++) await store.set({ key: `k${n}`, value, ttlSeconds: 1, metadata }, {})
  await clock.advance(1000)
  expect(store.size).toBe(4000)
})

test('values that outlive others stay through the sweeps', async () => {
  for (let n = 0; n < 3000; n++) {
    await store.set({ key: `k${n}`, value, ttlSeconds: n % 2 === 0 ? 1 : 3600, metadata }, {})
  }
  await clock.advance(60_000)
  expect(store.size).toBe(1500)
  expect(await store.get({ key: 'k1', metadata }, {})).toBeDefined()
})

test('any text may be an ETag, and another one is a mismatch', async () => {
  await store.set({ key: 'k', value, metadata }, {})
  for (const etag of ['', 'x', '01', '1 ']) {
    await expect(store.set({ key: 'k', value, etag, metadata }, {})).rejects.toMatchObject({
      code: 'ETAG_MISMATCH',
    })
  }
})

test('a first delete without an ETag happens only where nothing is', async () => {
  const request = { key: 'k', concurrency: 'first-write', metadata } as const
  await store.delete(request, {})
  await store.set({ key: 'k', value, metadata }, {})
  await expect(store.delete(request, {})).rejects.toMatchObject({ code: 'ETAG_MISMATCH' })
})

test('a page needs a size above 0', async () => {
  await expect(store.keysLike({ pattern: '%', pageSize: 0 }, {})).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  })
})

test('close stops the sweeping and gives the memory back', async () => {
  await store.set({ key: 'k', value, ttlSeconds: 1, metadata }, {})
  await store.close()
  expect([clock.pending, store.size]).toEqual([0, 0])
})
