import type { StateStore } from '@outrigger/spec'
import { expect } from 'vitest'
import { expectBytes, expectError, plain } from '../checks.ts'
import { deleteOf, etagOf, getOf, json, setOf, textOf, type StateCase } from './options.ts'

const lacks =
  (method: 'bulkGet' | 'bulkSet' | 'bulkDelete') =>
  (store: StateStore): string | undefined =>
    store[method] === undefined ? `there is no ${method}` : undefined

export const bulkCases: readonly StateCase[] = [
  {
    name: 'bulkGet answers each request once: present, absent and asked for twice',
    lacks: lacks('bulkGet'),
    run: async (fixture) => {
      const store = fixture.instance
      const [a, b, absent] = [fixture.unique(), fixture.unique(), fixture.unique()]
      await store.set(setOf(a, '1'), plain)
      await store.set(setOf(b, '2'), plain)
      const results = await store.bulkGet!([a, absent, b, a].map(getOf), plain)
      expect(results.map(({ key }) => key).toSorted()).toEqual([a, a, b, absent].toSorted())
      for (const { key, item, error } of results) {
        expect(error).toBeUndefined()
        if (key === absent) expect(item).toBeUndefined()
        else expectBytes(item?.value.bytes, json(key === a ? '1' : '2').bytes)
        if (item !== undefined && store.capabilities.has('etag'))
          expect(item.etag).toBe(await etagOf(store, key))
      }
      expect(await store.bulkGet!([], plain)).toEqual([])
    },
  },
  {
    name: 'bulkGet answers a few hundred keys',
    lacks: lacks('bulkGet'),
    run: async (fixture) => {
      const keys = Array.from({ length: 300 }, () => fixture.unique())
      await Promise.all(keys.map((key) => fixture.instance.set(setOf(key, JSON.stringify(key)), plain)))
      const results = await fixture.instance.bulkGet!(keys.map(getOf), plain)
      expect(
        new Set(results.map(({ key, item }) => `${key} ${Buffer.from(item!.value.bytes).toString()}`)),
      ).toEqual(new Set(keys.map((key) => `${key} ${JSON.stringify(key)}`)))
    },
  },
  {
    name: 'bulkSet writes all',
    lacks: lacks('bulkSet'),
    run: async (fixture) => {
      const keys = Array.from({ length: 20 }, () => fixture.unique())
      expect(
        await fixture.instance.bulkSet!(
          keys.map((key, n) => setOf(key, `${n}`)),
          plain,
        ),
      ).toEqual([])
      expect(await Promise.all(keys.map((key) => textOf(fixture.instance, key)))).toEqual(
        keys.map((_, n) => `${n}`),
      )
      expect(await fixture.instance.bulkSet!([], plain)).toEqual([])
    },
  },
  {
    name: 'bulkSet tells which keys failed and writes the others',
    needs: ['etag'],
    lacks: lacks('bulkSet'),
    run: async (fixture) => {
      const store = fixture.instance
      const [a, late, b] = [fixture.unique(), fixture.unique(), fixture.unique()]
      await store.set(setOf(late, '0'), plain)
      const etag = await etagOf(store, late)
      await store.set(setOf(late, '1'), plain)
      const failures = await store.bulkSet!(
        [setOf(a, 'true'), setOf(late, '2', { etag }), setOf(b, 'true')],
        plain,
      )
      expect(failures.map(({ key }) => key)).toEqual([late])
      expectError(failures[0]!.error, 'ETAG_MISMATCH')
      expect(await Promise.all([a, late, b].map((key) => textOf(store, key)))).toEqual(['true', '1', 'true'])
    },
  },
  {
    name: 'bulkDelete deletes all, absent ones too',
    lacks: lacks('bulkDelete'),
    run: async (fixture) => {
      const keys = Array.from({ length: 5 }, () => fixture.unique())
      await Promise.all(keys.slice(1).map((key) => fixture.instance.set(setOf(key, '1'), plain)))
      expect(
        await fixture.instance.bulkDelete!(
          keys.map((key) => deleteOf(key)),
          plain,
        ),
      ).toEqual([])
      expect(await Promise.all(keys.map((key) => textOf(fixture.instance, key)))).toEqual(
        keys.map(() => undefined),
      )
      expect(await fixture.instance.bulkDelete!([], plain)).toEqual([])
    },
  },
  {
    name: 'bulkDelete tells which keys failed and deletes the others',
    needs: ['etag'],
    lacks: lacks('bulkDelete'),
    run: async (fixture) => {
      const store = fixture.instance
      const [a, late, b] = [fixture.unique(), fixture.unique(), fixture.unique()]
      for (const key of [a, late, b]) await store.set(setOf(key, '0'), plain)
      const etag = await etagOf(store, late)
      await store.set(setOf(late, '1'), plain)
      const failures = await store.bulkDelete!([deleteOf(a), deleteOf(late, etag), deleteOf(b)], plain)
      expect(failures.map(({ key }) => key)).toEqual([late])
      expectError(failures[0]!.error, 'ETAG_MISMATCH')
      expect(await Promise.all([a, late, b].map((key) => textOf(store, key)))).toEqual([
        undefined,
        '1',
        undefined,
      ])
    },
  },
]
