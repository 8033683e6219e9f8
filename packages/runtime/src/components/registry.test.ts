import type { StateOperation, StateSetRequest, StateStore } from '@outrigger/spec'
import { expect, test } from 'vitest'
import type { LoadedComponent } from './live.ts'
import { createRegistry } from './registry.ts'

const key = '00112233445566778899aabbccddeeff'

/** A loaded state store on a Map. */
function stateStore(properties: Readonly<Record<string, string>>) {
  const rows = new Map<string, StateSetRequest>()
  const instance: StateStore = {
    capabilities: new Set(['transactional']),
    get: async ({ key: wanted }) => rows.get(wanted),
    set: async (request) => void rows.set(request.key, request),
    delete: async () => {},
    transact: async () => {},
    close: async () => {},
  }
  const metadata = Object.keys(properties).map((name) => ({
    name,
    line: 7,
    secretKeyRef: { name: 'state-key', key: 'k' },
  }))
  const resource = { name: 'store', type: 'state.mine', source: { file: 'a.yaml', line: 1 }, metadata }
  return { rows, component: { kind: 'state', resource, properties, instance } as unknown as LoadedComponent }
}

const value = { bytes: new TextEncoder().encode('"plain"'), kind: 'json' as const }

function live(properties: Readonly<Record<string, string>>, resourceNamespace?: string) {
  const { rows, component } = stateStore(properties)
  const store = createRegistry([component], { appId: 'shop', resourceNamespace }).state.get('store')!
  return { rows, store }
}

test('an operation is wrapped as the store wraps it: prefixed, and encrypted where there is a key', async () => {
  for (const properties of [{}, { primaryEncryptionKey: key }]) {
    const { rows, store } = live(properties)
    await store.instance.set({ key: 'a', value, metadata: {} }, {})
    const operation: StateOperation = { operation: 'upsert', request: { key: 'b', value, metadata: {} } }
    await store.bare.set(store.wrap(operation).request as StateSetRequest, {})
    expect([...rows.keys()]).toEqual(['shop||a', 'shop||b'])
    for (const name of ['a', 'b']) {
      const item = await store.instance.get({ key: name, metadata: {} }, {})
      expect(new TextDecoder().decode(item!.value.bytes)).toBe('"plain"')
    }
    const held = new TextDecoder().decode(rows.get('shop||b')!.value.bytes)
    expect(held.endsWith('||state-key')).toBe('primaryEncryptionKey' in properties)
    expect(store.wrap({ operation: 'delete', request: { key: 'c', metadata: {} } })).toEqual({
      operation: 'delete',
      request: { key: 'shop||c', metadata: {} },
    })
  }
})

test('the strategy namespace needs a namespace of the environment', async () => {
  for (const [namespace, expected] of [
    [undefined, 'shop||a'],
    ['prod', 'prod.shop||a'],
  ] as const) {
    const { rows, store } = live({ keyPrefix: 'namespace' }, namespace)
    await store.instance.set({ key: 'a', value, metadata: {} }, {})
    expect([...rows.keys()]).toEqual([expected])
  }
})

test('a prefix with the separator is refused', () => {
  expect(() => live({ keyPrefix: 'a||b' })).toThrow(
    'a.yaml:1: Component "store" (state.mine): keyPrefix must not contain ||',
  )
})
