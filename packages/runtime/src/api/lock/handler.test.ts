import { ComponentError, type LockStore, type UnlockStatus } from '@outrigger/spec'
import { recordingLogger } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { LockHandler } from './handler.ts'

function setUp(overrides: Partial<LockStore> = {}) {
  const seen: unknown[] = []
  const store: LockStore = {
    capabilities: new Set(),
    tryLock: async (request) => seen.push(request) > 0,
    unlock: async (request): Promise<UnlockStatus> => (seen.push(request), 'lock-belongs-to-others'),
    close: async () => {},
    ...overrides,
  }
  const logger = recordingLogger()
  return { seen, logger, handler: new LockHandler(new Map([['store', { instance: store }]]), logger) }
}

const lock = { storeName: 'store', resourceId: 'r', lockOwner: 'me', expiryInSeconds: 5 }

test('asks the store and passes on what it says', async () => {
  const { handler, seen } = setUp()
  expect(await handler.tryLock(lock, {})).toBe(true)
  expect(await handler.unlock(lock, {})).toBe('lock-belongs-to-others')
  expect(seen).toEqual([
    { resourceId: 'r', owner: 'me', expirySeconds: 5 },
    { resourceId: 'r', owner: 'me' },
  ])
})

test.each([
  [{ expiryInSeconds: 0 }, 'MALFORMED_REQUEST', 'ExpiryInSeconds is not positive in lock store store'],
  [{ expiryInSeconds: -1 }, 'MALFORMED_REQUEST', 'ExpiryInSeconds is not positive in lock store store'],
  [{ resourceId: '' }, 'MALFORMED_REQUEST', 'ResourceId is empty in lock store store'],
  [{ lockOwner: '' }, 'MALFORMED_REQUEST', 'LockOwner is empty in lock store store'],
  [{ storeName: 'other' }, 'LOCK_STORE_NOT_FOUND', 'lock store other not found'],
  [
    { resourceId: 'a||b' },
    'TRY_LOCK',
    "failed to try acquiring lock: input key/keyPrefix 'a||b' can't contain '||'",
  ],
] as const)('%j is refused as %s and reaches no store', async (wrong, id, message) => {
  const { handler, seen } = setUp()
  await expect(handler.tryLock({ ...lock, ...wrong }, {})).rejects.toMatchObject({ id, message })
  if (!('expiryInSeconds' in wrong)) {
    await expect(handler.unlock({ ...lock, ...wrong }, {})).rejects.toMatchObject({
      id: id === 'TRY_LOCK' ? 'UNLOCK' : id,
    })
  }
  expect(seen).toEqual([])
})

test('without any store the time is looked at first, the rest afterwards', async () => {
  const handler = new LockHandler(new Map(), recordingLogger())
  await expect(handler.tryLock({ ...lock, expiryInSeconds: 0 }, {})).rejects.toMatchObject({
    id: 'MALFORMED_REQUEST',
  })
  await expect(handler.tryLock({ ...lock, resourceId: '' }, {})).rejects.toMatchObject({
    id: 'LOCK_STORE_NOT_CONFIGURED',
  })
  await expect(handler.unlock(lock, {})).rejects.toMatchObject({
    id: 'LOCK_STORE_NOT_CONFIGURED',
    message: 'lock store is not configured',
  })
})

test('a failure of the store is told; what is no ComponentError stays in the log', async () => {
  const known = setUp({
    tryLock: () => Promise.reject(new ComponentError('UNAVAILABLE', 'no connection')),
    unlock: () => Promise.reject(new ComponentError('UNAVAILABLE', 'no connection')),
  })
  await expect(known.handler.tryLock(lock, {})).rejects.toMatchObject({
    id: 'TRY_LOCK',
    message: 'failed to try acquiring lock: no connection',
  })
  await expect(known.handler.unlock(lock, {})).rejects.toMatchObject({
    id: 'UNLOCK',
    message: 'failed to release lock: no connection',
  })
  const strange = setUp({ tryLock: () => Promise.reject(new Error('password=hunter2')) })
  const error = await strange.handler.tryLock(lock, {}).catch((caught: unknown) => caught as Error)
  expect((error as Error).message).not.toContain('hunter2')
  expect(strange.logger.messages('error')).toHaveLength(1)
})
