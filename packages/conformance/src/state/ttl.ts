import { isComponentError } from '@outrigger/spec'
import { expect } from 'vitest'
import { expectCode, plain } from '../checks.ts'
import { systemClock } from '../system.ts'
import { deleteOf, etagOf, getOf, setOf, textOf, type StateCase, type StateFixture } from './options.ts'

function gone(fixture: StateFixture, key: string): Promise<void> {
  return fixture.until('the value to expire', async () => (await textOf(fixture.instance, key)) === undefined)
}

async function expiryOf(fixture: StateFixture, key: string): Promise<number | undefined> {
  return (await fixture.instance.get(getOf(key), plain))?.expiresAtMs
}

export const ttlCases: readonly StateCase[] = [
  {
    name: 'without the ttl capability a TTL is refused or has no effect',
    without: ['ttl'],
    run: async (fixture) => {
      const key = fixture.unique()
      try {
        await fixture.instance.set(setOf(key, '1', { ttlSeconds: 1 }), plain)
      } catch (error) {
        if (isComponentError(error) && error.code === 'UNSUPPORTED') return
        throw error
      }
      expect(await expiryOf(fixture, key)).toBeUndefined()
      await fixture.pause(2500)
      expect(await textOf(fixture.instance, key)).toBe('1')
    },
  },
  {
    name: 'a value with a TTL tells when it expires, and then is gone',
    needs: ['ttl'],
    run: async (fixture) => {
      const [short, long, lasting] = [fixture.unique(), fixture.unique(), fixture.unique()]
      const clock = fixture.options.clock ?? systemClock
      await fixture.instance.set(setOf(lasting, '3'), plain)
      const before = clock.now()
      await fixture.instance.set(setOf(long, '2', { ttlSeconds: 600 }), plain)
      const expiry = await expiryOf(fixture, long)
      // Stores round to whole seconds, and their clock is not ours.
      expect(expiry).toBeGreaterThanOrEqual(before + 600_000 - 1100)
      expect(expiry).toBeLessThanOrEqual(clock.now() + 600_000 + 1100)
      await fixture.instance.set(setOf(short, '1', { ttlSeconds: 1 }), plain)
      await gone(fixture, short)
      expect(await textOf(fixture.instance, long)).toBe('2')
      expect(await textOf(fixture.instance, lasting)).toBe('3')
      expect(await expiryOf(fixture, lasting)).toBeUndefined()
    },
  },
  {
    name: 'a write without a TTL takes the expiry away, and so does never',
    needs: ['ttl'],
    run: async (fixture) => {
      const [plainly, never, goes] = [fixture.unique(), fixture.unique(), fixture.unique()]
      for (const key of [plainly, never, goes])
        await fixture.instance.set(setOf(key, '1', { ttlSeconds: 1 }), plain)
      await fixture.instance.set(setOf(plainly, '2'), plain)
      await fixture.instance.set(setOf(never, '2', { ttlSeconds: 'never' }), plain)
      expect(await expiryOf(fixture, plainly)).toBeUndefined()
      expect(await expiryOf(fixture, never)).toBeUndefined()
      await gone(fixture, goes)
      expect(await textOf(fixture.instance, plainly)).toBe('2')
      expect(await textOf(fixture.instance, never)).toBe('2')
    },
  },
  {
    name: 'a write with a longer TTL prolongs',
    needs: ['ttl'],
    run: async (fixture) => {
      const [key, goes] = [fixture.unique(), fixture.unique()]
      for (const each of [key, goes]) await fixture.instance.set(setOf(each, '1', { ttlSeconds: 1 }), plain)
      await fixture.instance.set(setOf(key, '2', { ttlSeconds: 600 }), plain)
      await gone(fixture, goes)
      expect(await textOf(fixture.instance, key)).toBe('2')
    },
  },
  {
    name: 'a TTL of years is kept',
    needs: ['ttl'],
    run: async (fixture) => {
      const key = fixture.unique()
      const seconds = 10 * 365 * 24 * 3600
      await fixture.instance.set(setOf(key, '1', { ttlSeconds: seconds }), plain)
      const clock = fixture.options.clock ?? systemClock
      expect(Math.abs((await expiryOf(fixture, key))! - clock.now() - seconds * 1000)).toBeLessThan(60_000)
    },
  },
  {
    name: 'what has expired counts as absent for ETags and first writes',
    needs: ['ttl', 'etag'],
    run: async (fixture) => {
      const [key, withEtag, deleted] = [fixture.unique(), fixture.unique(), fixture.unique()]
      for (const each of [withEtag, deleted])
        await fixture.instance.set(setOf(each, '0', { ttlSeconds: 2 }), plain)
      const etag = await etagOf(fixture.instance, withEtag)
      const etagDeleted = await etagOf(fixture.instance, deleted)
      // Written last, so that the others have expired when this one is gone.
      await fixture.instance.set(setOf(key, '1', { ttlSeconds: 2 }), plain)
      // Only this one is read: reading is what might remove what has expired.
      await gone(fixture, key)
      await fixture.pause(50)
      await expectCode(fixture.instance.set(setOf(withEtag, '2', { etag }), plain), 'ETAG_MISMATCH')
      await expectCode(fixture.instance.delete(deleteOf(deleted, etagDeleted), plain), 'ETAG_MISMATCH')
      await fixture.instance.set(setOf(key, '2', { concurrency: 'first-write' }), plain)
      expect(await textOf(fixture.instance, key)).toBe('2')
    },
  },
]
