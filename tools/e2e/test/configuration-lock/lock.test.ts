import { randomUUID } from 'node:crypto'
import { describeWithService } from '@outrigger/services'
import { waitFor } from '@outrigger/testkit'
import { afterEach, describe, expect, test } from 'vitest'
import { component, endSidecars, startSidecar } from '../../src/index.ts'
import { clientOf, clients, wireError } from '../client/clients.ts'

/** The statuses as the client has them; it does not export its enumeration. */
const LockStatus = { Success: 0, LockDoesNotExist: 1, LockBelongsToOthers: 2 }

afterEach(endSidecars)

describeWithService('redis', 'locks with the official client', (get) => {
  const stores = (metadata: Readonly<Record<string, string>> = {}): readonly string[] => [
    component('redis', 'lock.redis', {
      metadata: { redisHost: `${get().host}:${get().port}`, ...metadata },
    }),
    component('memory', 'lock.in-memory', { metadata }),
  ]

  describe.each(clients)('%s', (_name, sdk) => {
    test.each(['redis', 'memory'])('%s: holds, is given back, expires', async (store) => {
      const sidecar = await startSidecar({ appId: `app-${randomUUID()}`, resources: stores() })
      const { lock } = clientOf(sdk, sidecar)
      expect(await lock.unlock(store, 'r', 'me')).toEqual({ status: LockStatus.LockDoesNotExist })
      expect(await lock.lock(store, 'r', 'me', 600)).toEqual({ success: true })
      expect(await lock.lock(store, 'r', 'me', 600)).toEqual({ success: false })
      expect(await lock.lock(store, 'r', 'another', 600)).toEqual({ success: false })
      expect(await lock.lock(store, 'another', 'another', 600)).toEqual({ success: true })
      expect(await lock.unlock(store, 'r', 'another')).toEqual({ status: LockStatus.LockBelongsToOthers })
      expect(await lock.unlock(store, 'r', 'me')).toEqual({ status: LockStatus.Success })

      expect(await lock.lock(store, 'r', 'short', 1)).toEqual({ success: true })
      await waitFor(async () => (await lock.lock(store, 'r', 'next', 600)).success, {
        what: 'the lock is free',
      })
      expect(await lock.unlock(store, 'r', 'short')).toEqual({ status: LockStatus.LockBelongsToOthers })

      const many = await Promise.all(
        Array.from({ length: 20 }, (_, n) => lock.lock(store, 'crowd', `${n}`, 600)),
      )
      expect(many.filter(({ success }) => success)).toHaveLength(1)

      const wrong = await lock.lock(store, 'r', 'me', 0).catch((error: unknown) => error)
      expect(wireError(wrong)).toMatchObject({ status: 400, errorCode: 'ERR_MALFORMED_REQUEST' })
      const nosuch = await lock.lock('nosuch', 'r', 'me', 1).catch((error: unknown) => error)
      expect(wireError(nosuch)).toMatchObject({ status: 400, errorCode: 'ERR_LOCK_STORE_NOT_FOUND' })
    })
  })

  test('in Redis the sidecars of one application keep each other out, those of another do not', async () => {
    const [one, two, other] = await Promise.all(
      ['orders', 'orders', 'billing'].map((appId) => startSidecar({ appId, resources: stores() })),
    )
    const take = async (sidecar: typeof one, owner: string): Promise<boolean> =>
      (await clientOf(clients[0]![1], sidecar!).lock.lock('redis', 'shared', owner, 600)).success
    expect(await take(one, 'a')).toBe(true)
    expect(await take(two, 'b')).toBe(false)
    expect(await take(other, 'c')).toBe(true)
    // A sidecar that is gone leaves its lock until it expires.
    await one!.kill()
    expect(await take(two, 'b')).toBe(false)
  })

  test('with another keyPrefix applications share their locks', async () => {
    const [one, two] = await Promise.all(
      ['orders', 'billing'].map((appId) => startSidecar({ appId, resources: stores({ keyPrefix: 'name' }) })),
    )
    const [first, second] = [one!, two!].map((sidecar) => clientOf(clients[0]![1], sidecar).lock)
    expect(await first!.lock('redis', 'common', 'a', 600)).toEqual({ success: true })
    expect(await second!.lock('redis', 'common', 'b', 600)).toEqual({ success: false })
    expect(await second!.unlock('redis', 'common', 'a')).toEqual({ status: LockStatus.Success })
  })
})
