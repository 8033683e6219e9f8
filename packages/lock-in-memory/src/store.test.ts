import { virtualClock, type VirtualClock } from '@outrigger/testkit'
import { beforeEach, expect, test } from 'vitest'
import { MemoryLockStore } from './store.ts'

const lock = (resourceId: string, owner: string, expirySeconds: number) => ({
  resourceId,
  owner,
  expirySeconds,
})
let clock: VirtualClock
let store: MemoryLockStore

beforeEach(() => {
  clock = virtualClock()
  store = new MemoryLockStore(clock)
})

test('a lock is held to its last millisecond', async () => {
  await store.tryLock(lock('r', 'a', 5), {})
  await clock.advance(4999)
  expect(await store.tryLock(lock('r', 'b', 5), {})).toBe(false)
  await clock.advance(1)
  expect(await store.unlock({ resourceId: 'r', owner: 'a' }, {})).toBe('lock-does-not-exist')
  expect(await store.tryLock(lock('r', 'b', 5), {})).toBe(true)
})

test('who comes too late does not unlock the next owner', async () => {
  await store.tryLock(lock('r', 'a', 1), {})
  await clock.advance(1000)
  await store.tryLock(lock('r', 'b', 60), {})
  expect(await store.unlock({ resourceId: 'r', owner: 'a' }, {})).toBe('lock-belongs-to-others')
  expect(await store.tryLock(lock('r', 'c', 1), {})).toBe(false)
})

test('what has expired is swept away, and then no timer runs', async () => {
  for (let n = 0; n < 1000; n++) await store.tryLock(lock(`r${n}`, 'a', 1), {})
  await store.tryLock(lock('lasting', 'a', 3600), {})
  await clock.advance(60_000)
  expect([store.size, clock.pending]).toEqual([1, 1])
  await store.unlock({ resourceId: 'lasting', owner: 'a' }, {})
  await clock.advance(60_000)
  expect([store.size, clock.pending]).toEqual([0, 0])
})

test('there is a limit, and locks that have expired do not count for it', async () => {
  for (let n = 0; n < 100_000; n++) await store.tryLock(lock(`r${n}`, 'a', 1), {})
  await expect(store.tryLock(lock('one more', 'a', 1), {})).rejects.toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
  })
  await clock.advance(1000)
  expect(await store.tryLock(lock('one more', 'a', 1), {})).toBe(true)
})

test('close frees the memory and stops the timer', async () => {
  await store.tryLock(lock('r', 'a', 5), {})
  await store.close()
  expect([store.size, clock.pending]).toEqual([0, 0])
})
