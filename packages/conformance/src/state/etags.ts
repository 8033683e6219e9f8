import { expect } from 'vitest'
import { expectCode, plain } from '../checks.ts'
import { deleteOf, etagOf, getOf, setOf, textOf, type StateCase } from './options.ts'

/** Adds one to a number under `key`, as an application does: read, write with the ETag, again if it was too late. */
async function increment(store: Parameters<typeof textOf>[0], key: string): Promise<void> {
  for (let attempt = 0; attempt < 10_000; attempt++) {
    const item = await store.get(getOf(key), plain)
    const next = Number(Buffer.from(item!.value.bytes).toString('utf8')) + 1
    try {
      await store.set(setOf(key, `${next}`, { etag: item!.etag, concurrency: 'first-write' }), plain)
      return
    } catch (error) {
      await expectCode(Promise.reject(error as Error), 'ETAG_MISMATCH')
    }
  }
  throw new Error('no write came through')
}

export const etagCases: readonly StateCase[] = [
  {
    name: 'without the etag capability no value carries an ETag',
    without: ['etag'],
    run: async (fixture) => {
      const key = fixture.unique()
      await fixture.instance.set(setOf(key, '1'), plain)
      expect((await fixture.instance.get(getOf(key), plain))?.etag).toBeUndefined()
    },
  },
  {
    name: 'the ETag stays while the value stays and changes with each write, also of the same value',
    needs: ['etag'],
    run: async (fixture) => {
      const key = fixture.unique()
      const seen = new Set<string>()
      for (const value of ['1', '2', '2', '1']) {
        await fixture.instance.set(setOf(key, value), plain)
        const etag = await etagOf(fixture.instance, key)
        expect(await etagOf(fixture.instance, key)).toBe(etag)
        seen.add(etag)
      }
      expect(seen.size).toBe(4)
    },
  },
  {
    name: 'a write with the current ETag happens',
    needs: ['etag'],
    run: async (fixture) => {
      const key = fixture.unique()
      await fixture.instance.set(setOf(key, '1'), plain)
      await fixture.instance.set(setOf(key, '2', { etag: await etagOf(fixture.instance, key) }), plain)
      expect(await textOf(fixture.instance, key)).toBe('2')
      const etag = await etagOf(fixture.instance, key)
      await fixture.instance.set(setOf(key, '3', { etag, concurrency: 'first-write' }), plain)
      expect(await textOf(fixture.instance, key)).toBe('3')
    },
  },
  {
    name: 'a write with an ETag of the past is a mismatch and changes nothing',
    needs: ['etag'],
    run: async (fixture) => {
      const key = fixture.unique()
      await fixture.instance.set(setOf(key, '1'), plain)
      const past = await etagOf(fixture.instance, key)
      await fixture.instance.set(setOf(key, '2'), plain)
      const current = await etagOf(fixture.instance, key)
      for (const concurrency of [undefined, 'first-write', 'last-write'] as const) {
        await expectCode(
          fixture.instance.set(setOf(key, '3', { etag: past, concurrency }), plain),
          'ETAG_MISMATCH',
        )
      }
      expect(await textOf(fixture.instance, key)).toBe('2')
      expect(await etagOf(fixture.instance, key)).toBe(current)
    },
  },
  {
    name: 'a write with an ETag where nothing is, is a mismatch and creates nothing',
    needs: ['etag'],
    run: async (fixture) => {
      const [key, other] = [fixture.unique(), fixture.unique()]
      await fixture.instance.set(setOf(other, '1'), plain)
      const etag = await etagOf(fixture.instance, other)
      await expectCode(fixture.instance.set(setOf(key, '1', { etag }), plain), 'ETAG_MISMATCH')
      expect(await textOf(fixture.instance, key)).toBeUndefined()
    },
  },
  {
    name: 'an ETag that this store never made is refused',
    needs: ['etag'],
    run: async (fixture) => {
      const key = fixture.unique()
      await fixture.instance.set(setOf(key, '1'), plain)
      await expectCode(
        fixture.instance.set(setOf(key, '2', { etag: 'not one' }), plain),
        'ETAG_MISMATCH',
        'ETAG_INVALID',
      )
      await expectCode(
        fixture.instance.delete(deleteOf(key, 'not one'), plain),
        'ETAG_MISMATCH',
        'ETAG_INVALID',
      )
      expect(await textOf(fixture.instance, key)).toBe('1')
    },
  },
  {
    name: 'an ETag that cannot be one is invalid',
    needs: ['etag'],
    unless: (options) =>
      options.invalidEtag === undefined ? 'any string may be an ETag of this store' : undefined,
    run: async (fixture) => {
      const [key, etag] = [fixture.unique(), fixture.options.invalidEtag!]
      await fixture.instance.set(setOf(key, '1'), plain)
      await expectCode(fixture.instance.set(setOf(key, '2', { etag }), plain), 'ETAG_INVALID')
      await expectCode(fixture.instance.delete(deleteOf(key, etag), plain), 'ETAG_INVALID')
      expect(await textOf(fixture.instance, key)).toBe('1')
    },
  },
  {
    name: 'a first write without an ETag happens only where nothing is',
    needs: ['etag'],
    run: async (fixture) => {
      const key = fixture.unique()
      await fixture.instance.set(setOf(key, '1', { concurrency: 'first-write' }), plain)
      await expectCode(
        fixture.instance.set(setOf(key, '2', { concurrency: 'first-write' }), plain),
        'ETAG_MISMATCH',
      )
      expect(await textOf(fixture.instance, key)).toBe('1')
      await fixture.instance.delete(deleteOf(key), plain)
      await fixture.instance.set(setOf(key, '3', { concurrency: 'first-write' }), plain)
      expect(await textOf(fixture.instance, key)).toBe('3')
    },
  },
  {
    name: 'of many first writes at once one wins',
    needs: ['etag'],
    run: async (fixture) => {
      const key = fixture.unique()
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (_, n) =>
          fixture.instance.set(setOf(key, `${n}`, { concurrency: 'first-write' }), plain),
        ),
      )
      const winners = outcomes.flatMap(({ status }, n) => (status === 'fulfilled' ? [`${n}`] : []))
      expect(winners).toEqual([await textOf(fixture.instance, key)])
    },
  },
  {
    name: 'a last write without an ETag always happens',
    needs: ['etag'],
    run: async (fixture) => {
      const key = fixture.unique()
      for (const value of ['1', '2']) {
        await fixture.instance.set(setOf(key, value, { concurrency: 'last-write' }), plain)
      }
      expect(await textOf(fixture.instance, key)).toBe('2')
    },
  },
  {
    name: 'a delete with the current ETag happens, with another it is a mismatch',
    needs: ['etag'],
    run: async (fixture) => {
      const key = fixture.unique()
      await fixture.instance.set(setOf(key, '1'), plain)
      const past = await etagOf(fixture.instance, key)
      await fixture.instance.set(setOf(key, '2'), plain)
      await expectCode(fixture.instance.delete(deleteOf(key, past), plain), 'ETAG_MISMATCH')
      expect(await textOf(fixture.instance, key)).toBe('2')
      await fixture.instance.delete(deleteOf(key, await etagOf(fixture.instance, key)), plain)
      expect(await textOf(fixture.instance, key)).toBeUndefined()
    },
  },
  {
    name: 'a delete with an ETag where nothing is, is a mismatch',
    needs: ['etag'],
    run: async (fixture) => {
      const key = fixture.unique()
      await fixture.instance.set(setOf(key, '1'), plain)
      const etag = await etagOf(fixture.instance, key)
      await fixture.instance.delete(deleteOf(key, etag), plain)
      await expectCode(fixture.instance.delete(deleteOf(key, etag), plain), 'ETAG_MISMATCH')
    },
  },
  {
    name: '50 concurrent writers lose no update',
    needs: ['etag'],
    run: async (fixture) => {
      const key = fixture.unique()
      await fixture.instance.set(setOf(key, '0'), plain)
      await Promise.all(Array.from({ length: 50 }, () => increment(fixture.instance, key)))
      expect(await textOf(fixture.instance, key)).toBe('50')
    },
  },
]
