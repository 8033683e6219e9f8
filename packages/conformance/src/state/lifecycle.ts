import type { OperationOptions, StateStore } from '@outrigger/spec'
import { expect } from 'vitest'
import { aborted, expectCode, plain } from '../checks.ts'
import { deleteOf, getOf, setOf, textOf, type StateCase } from './options.ts'

/** Every operation that the store has, as a call. */
function operations(
  store: StateStore,
  key: string,
  options: OperationOptions,
): readonly (() => Promise<unknown>)[] {
  const operation = { operation: 'upsert', request: setOf(key, '2') } as const
  return [
    () => store.get(getOf(key), options),
    () => store.set(setOf(key, '2'), options),
    () => store.delete(deleteOf(key), options),
    ...(store.bulkGet ? [() => store.bulkGet!([getOf(key)], options)] : []),
    ...(store.bulkSet ? [() => store.bulkSet!([setOf(key, '2')], options)] : []),
    ...(store.bulkDelete ? [() => store.bulkDelete!([deleteOf(key)], options)] : []),
    ...(store.transact ? [() => store.transact!({ operations: [operation], metadata: {} }, options)] : []),
    ...(store.keysLike ? [() => store.keysLike!({ pattern: `${key}%` }, options)] : []),
    ...(store.deleteWithPrefix ? [() => store.deleteWithPrefix!(key, options)] : []),
  ]
}

export const lifecycleCases: readonly StateCase[] = [
  {
    name: 'a signal that was aborted cancels every operation and nothing is changed',
    run: async (fixture) => {
      const key = fixture.unique()
      await fixture.instance.set(setOf(key, '1'), plain)
      for (const call of operations(fixture.instance, key, aborted())) await expectCode(call(), 'CANCELLED')
      expect(await textOf(fixture.instance, key)).toBe('1')
    },
  },
  {
    name: 'after close every operation is refused as CLOSED',
    run: async (fixture) => {
      const store = await fixture.create()
      const key = fixture.unique()
      await store.set(setOf(key, '1'), plain)
      await store.close()
      for (const call of operations(store, key, plain)) await expectCode(call(), 'CLOSED')
    },
  },
]
