import type { StateDeleteRequest, StateOperation, StateSetRequest } from '@outrigger/spec'
import { expect } from 'vitest'
import { expectCode, plain } from '../checks.ts'
import { deleteOf, etagOf, getOf, setOf, textOf, type StateCase, type StateFixture } from './options.ts'

const upsert = (request: StateSetRequest): StateOperation => ({ operation: 'upsert', request })
const remove = (request: StateDeleteRequest): StateOperation => ({ operation: 'delete', request })

function transact({ instance }: StateFixture, ...operations: StateOperation[]): Promise<void> {
  return instance.transact!({ operations, metadata: {} }, plain)
}

export const transactionCases: readonly StateCase[] = [
  {
    name: 'a transaction writes and deletes',
    needs: ['transactional'],
    run: async (fixture) => {
      const [a, b, c] = [fixture.unique(), fixture.unique(), fixture.unique()]
      await fixture.instance.set(setOf(b, '0'), plain)
      await transact(
        fixture,
        upsert(setOf(a, '12345678901234567890')),
        remove(deleteOf(b)),
        upsert(setOf(c, '3')),
        remove(deleteOf(fixture.unique())),
      )
      expect(await Promise.all([a, b, c].map((key) => textOf(fixture.instance, key)))).toEqual([
        '12345678901234567890',
        undefined,
        '3',
      ])
    },
  },
  {
    name: 'an empty transaction does nothing',
    needs: ['transactional'],
    run: (fixture) => transact(fixture),
  },
  {
    name: 'later operations of a transaction on a key see earlier ones',
    needs: ['transactional'],
    run: async (fixture) => {
      const [a, b, c] = [fixture.unique(), fixture.unique(), fixture.unique()]
      await fixture.instance.set(setOf(c, '0'), plain)
      await transact(
        fixture,
        upsert(setOf(a, '1')),
        upsert(setOf(b, '1')),
        upsert(setOf(a, '2')),
        remove(deleteOf(b)),
        remove(deleteOf(c)),
        upsert(setOf(c, '3')),
      )
      expect(await Promise.all([a, b, c].map((key) => textOf(fixture.instance, key)))).toEqual([
        '2',
        undefined,
        '3',
      ])
    },
  },
  {
    name: 'an ETag mismatch in the middle undoes the whole transaction',
    needs: ['transactional', 'etag'],
    run: async (fixture) => {
      const store = fixture.instance
      const [a, late, b, c] = [fixture.unique(), fixture.unique(), fixture.unique(), fixture.unique()]
      for (const key of [a, late, b]) await store.set(setOf(key, '0'), plain)
      const past = await etagOf(store, late)
      await store.set(setOf(late, '1'), plain)
      const before = await Promise.all([a, late, b].map((key) => etagOf(store, key)))
      for (const operation of [upsert(setOf(late, '2', { etag: past })), remove(deleteOf(late, past))]) {
        await expectCode(
          transact(fixture, upsert(setOf(a, '2')), remove(deleteOf(b)), operation, upsert(setOf(c, '2'))),
          'ETAG_MISMATCH',
        )
        expect(await Promise.all([a, late, b, c].map((key) => textOf(store, key)))).toEqual([
          '0',
          '1',
          '0',
          undefined,
        ])
      }
      expect(await Promise.all([a, late, b].map((key) => etagOf(store, key)))).toEqual(before)
    },
  },
  {
    name: 'a transaction with the current ETags happens',
    needs: ['transactional', 'etag'],
    run: async (fixture) => {
      const store = fixture.instance
      const [a, b] = [fixture.unique(), fixture.unique()]
      for (const key of [a, b]) await store.set(setOf(key, '0'), plain)
      const [etagA, etagB] = [await etagOf(store, a), await etagOf(store, b)]
      await transact(fixture, upsert(setOf(a, '1', { etag: etagA })), remove(deleteOf(b, etagB)))
      expect(await Promise.all([a, b].map((key) => textOf(store, key)))).toEqual(['1', undefined])
      expect(await etagOf(store, a)).not.toBe(etagA)
    },
  },
  {
    name: 'a first write in a transaction fails where something is',
    needs: ['transactional', 'etag'],
    run: async (fixture) => {
      const [a, b] = [fixture.unique(), fixture.unique()]
      await transact(fixture, upsert(setOf(a, '1', { concurrency: 'first-write' })))
      await expectCode(
        transact(fixture, upsert(setOf(b, '2')), upsert(setOf(a, '2', { concurrency: 'first-write' }))),
        'ETAG_MISMATCH',
      )
      expect(await Promise.all([a, b].map((key) => textOf(fixture.instance, key)))).toEqual(['1', undefined])
    },
  },
  {
    name: 'of concurrent transactions on the same keys one happens after the other',
    needs: ['transactional'],
    run: async (fixture) => {
      const keys = Array.from({ length: 5 }, () => fixture.unique())
      await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          transact(fixture, ...keys.map((key) => upsert(setOf(key, `${n}`)))),
        ),
      )
      const found = await Promise.all(keys.map((key) => textOf(fixture.instance, key)))
      expect(new Set(found).size).toBe(1)
    },
  },
  {
    name: 'a transaction may have as many operations as the store says, or a few hundred',
    needs: ['transactional'],
    run: async (fixture) => {
      const count = Math.min(fixture.instance.maxTransactionOperations ?? 300, 300)
      const keys = Array.from({ length: count }, () => fixture.unique())
      await transact(fixture, ...keys.map((key) => upsert(setOf(key, '1'))))
      expect(await textOf(fixture.instance, keys[count - 1]!)).toBe('1')
    },
  },
  {
    name: 'the greatest number of operations is a positive whole number',
    needs: ['transactional'],
    run: ({ instance }) => {
      const most = instance.maxTransactionOperations
      if (most !== undefined) expect(Number.isSafeInteger(most) && most > 0).toBe(true)
      return Promise.resolve()
    },
  },
  {
    name: 'a TTL within a transaction holds',
    needs: ['transactional', 'ttl'],
    run: async (fixture) => {
      const [a, b] = [fixture.unique(), fixture.unique()]
      await transact(fixture, upsert(setOf(a, '1', { ttlSeconds: 1 })), upsert(setOf(b, '1')))
      await fixture.until(
        'the value to expire',
        async () => (await textOf(fixture.instance, a)) === undefined,
      )
      expect(await textOf(fixture.instance, b)).toBe('1')
    },
  },
  {
    name: 'what holds actor state has ETags and transactions',
    needs: ['actor'],
    run: ({ instance }) => {
      expect([...instance.capabilities]).toEqual(expect.arrayContaining(['etag', 'transactional']))
      return Promise.resolve()
    },
  },
  {
    name: 'a write is seen by the strong read that follows it',
    needs: ['actor'],
    run: async (fixture) => {
      const key = fixture.unique()
      for (let n = 0; n < 50; n++) {
        await fixture.instance.set(setOf(key, `${n}`, { consistency: 'strong' }), plain)
        const item = await fixture.instance.get(getOf(key), plain)
        expect(Buffer.from(item!.value.bytes).toString()).toBe(`${n}`)
      }
    },
  },
]
