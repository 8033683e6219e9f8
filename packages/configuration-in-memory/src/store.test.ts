import type { ConfigurationChanges } from '@outrigger/spec'
import { settle } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { MemoryItems } from './items.ts'
import { MemoryConfigurationStore } from './store.ts'

test('items have versions, and metadata where it was given', async () => {
  const items = new MemoryItems({ a: '1' })
  items.set('b', '2', { unit: 'kg' })
  items.set('__proto__', 'odd')
  const store = new MemoryConfigurationStore(items)
  const found = await store.get({ keys: [], metadata: {} }, {})
  expect(Object.entries(found)).toEqual([
    ['a', { value: '1', version: '1' }],
    ['b', { value: '2', version: '2', metadata: { unit: 'kg' } }],
    ['__proto__', { value: 'odd', version: '3' }],
  ])
})

test('what one piece of code changes is told together, each key with what it holds in the end', async () => {
  const items = new MemoryItems({ gone: 'x' })
  const store = new MemoryConfigurationStore(items)
  const told: ConfigurationChanges[] = []
  await store.subscribe({ keys: [], metadata: {} }, async (changes) => void told.push(changes), {})
  items.set('a', '1')
  items.set('a', '2')
  items.delete('gone')
  items.delete('never there')
  await settle()
  expect(told).toEqual([{ a: { value: '2', version: '3' }, gone: undefined }])
})

test('a store that was closed no longer watches the items', async () => {
  const items = new MemoryItems()
  const store = new MemoryConfigurationStore(items)
  let calls = 0
  await store.subscribe({ keys: [], metadata: {} }, async () => void calls++, {})
  await store.close()
  items.set('a', '1')
  await settle()
  expect(calls).toBe(0)
})
