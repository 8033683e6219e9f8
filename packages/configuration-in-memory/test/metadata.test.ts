import { createForTest } from '@outrigger/conformance'
import { expect, test } from 'vitest'
import definition, { configurationOf, MemoryItems } from '../src/index.ts'

const everything = { keys: [], metadata: {} }

test('the items of the metadata', async () => {
  const store = await createForTest(definition, {
    properties: { items: '{"limit": 10, "open": true, "name": "ключ"}' },
  })
  expect(await store.get(everything, {})).toEqual({
    limit: { value: '10', version: '1' },
    open: { value: 'true', version: '2' },
    name: { value: 'ключ', version: '3' },
  })
})

test('two components of the package do not share their items', async () => {
  const one = await createForTest(definition, { properties: { items: '{"a": "1"}' } })
  const two = await createForTest(definition, { properties: {} })
  expect([await one.get(everything, {}), await two.get(everything, {})]).toEqual([
    { a: { value: '1', version: '1' } },
    {},
  ])
})

test('items of the program win over those of the metadata', async () => {
  const items = new MemoryItems({ a: 'program' })
  const store = await createForTest(configurationOf(items), {
    properties: { items: '{"a": "metadata", "b": "metadata"}' },
  })
  expect(await store.get(everything, {})).toMatchObject({ a: { value: 'program' }, b: { value: 'metadata' } })
})

test.each(['[]', '"x"', 'null', '{"a": {}}', '{"a": null}', '{"a'])('%s is refused', async (items) => {
  await expect(createForTest(definition, { properties: { items } })).rejects.toThrow(/items/)
})
