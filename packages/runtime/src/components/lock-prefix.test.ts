import type { LockStore } from '@outrigger/spec'
import { expect, test } from 'vitest'
import { StartupError } from '../config/startup-error.ts'
import { lockPrefix, withLockPrefix } from './lock-prefix.ts'

const names = { appId: 'Orders', storeName: 'LockStore' }
const resource = { name: 'LockStore', type: 'lock.test', source: { file: 'lock.yaml', line: 3 } } as never

test.each([
  [{}, 'lock||Orders||'],
  [{ keyPrefix: 'appid' }, 'lock||Orders||'],
  [{ KEYPREFIX: 'AppID' }, 'lock||Orders||'],
  [{ keyPrefix: 'name' }, 'lock||LockStore||'],
  [{ keyPrefix: 'none' }, 'lock||'],
  [{ keyPrefix: 'namespace' }, 'lock||namespace||'],
  [{ keyPrefix: 'Shared' }, 'lock||shared||'],
])('%j gives %j', (properties, prefix) => {
  expect(lockPrefix({ properties: properties as Record<string, string>, resource }, names)).toBe(prefix)
})

test('a prefix with the separator stops the start and says where it is written', () => {
  const wrong = (): string => lockPrefix({ properties: { keyPrefix: 'a||b' }, resource }, names)
  expect(wrong).toThrow(StartupError)
  expect(wrong).toThrow(/lock\.yaml:3.*keyPrefix/)
})

test('names go in with the prefix', async () => {
  const seen: string[] = []
  const inner: LockStore = {
    capabilities: new Set(),
    tryLock: async ({ resourceId }) => seen.push(resourceId) > 0,
    unlock: async ({ resourceId }) => (seen.push(resourceId) > 0 ? 'success' : 'lock-does-not-exist'),
    close: () => Promise.resolve(),
  }
  const wrapped = withLockPrefix(inner, 'lock||a||')
  await wrapped.tryLock({ resourceId: 'r', owner: 'o', expirySeconds: 1 }, {})
  await wrapped.unlock({ resourceId: 'r', owner: 'o' }, {})
  expect(seen).toEqual(['lock||a||r', 'lock||a||r'])
  expect('ping' in wrapped).toBe(false)
})
