import type { StateStore } from '@outrigger/spec'
import { expect, test } from 'vitest'
import { keyPrefix, withKeyPrefix } from './state-prefix.ts'

const names = { appId: 'orders', namespace: 'shop', storeName: 'statestore' }

test.each([
  [undefined, 'orders||'],
  ['appid', 'orders||'],
  ['AppID', 'orders||'],
  ['name', 'statestore||'],
  ['namespace', 'shop.orders||'],
  ['none', ''],
  ['Shared', 'shared||'],
])('strategy %j gives %j', (strategy, prefix) => expect(keyPrefix(strategy, names)).toBe(prefix))

test('without a namespace the namespace strategy is the appid strategy', () => {
  expect(keyPrefix('namespace', { ...names, namespace: '' })).toBe('orders||')
})

test('a store with no optional methods gets none', () => {
  const inner: StateStore = {
    capabilities: new Set(),
    get: () => Promise.resolve(undefined),
    set: () => Promise.resolve(),
    delete: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
  const wrapped = withKeyPrefix(inner, 'a||')
  for (const name of [
    'bulkGet',
    'bulkSet',
    'bulkDelete',
    'transact',
    'query',
    'keysLike',
    'deleteWithPrefix',
    'ping',
  ]) {
    expect(name in wrapped).toBe(false)
  }
})

test('keys go in with the prefix and come out without it, LIKE patterns escaped', async () => {
  const seen: unknown[] = []
  const inner: StateStore = {
    capabilities: new Set(['keysLike', 'transactional']),
    get: () => Promise.resolve(undefined),
    set: () => Promise.resolve(),
    delete: () => Promise.resolve(),
    bulkGet: (requests) => Promise.resolve(requests.map(({ key }) => ({ key }))),
    transact: (transaction) => {
      seen.push(transaction.operations.map((operation) => operation.request.key))
      return Promise.resolve()
    },
    keysLike: (request) => {
      seen.push(request.pattern)
      return Promise.resolve({ keys: ['a_b||x'] })
    },
    close: () => Promise.resolve(),
  }
  const wrapped = withKeyPrefix(inner, 'a_b||')
  expect(await wrapped.bulkGet!([{ key: 'k', metadata: {} }], {})).toEqual([{ key: 'k' }])
  await wrapped.transact!(
    { operations: [{ operation: 'delete', request: { key: 'k', metadata: {} } }], metadata: {} },
    {},
  )
  expect(await wrapped.keysLike!({ pattern: 'x%' }, {})).toEqual({ keys: ['x'] })
  expect(seen).toEqual([['a_b||k'], 'a\\_b||x%'])
})
