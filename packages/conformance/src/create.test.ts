import { fields, int, string } from '@outrigger/kit'
import { defineSecretStore, type ComponentContext, type SecretStore } from '@outrigger/spec'
import { expect, test } from 'vitest'
import { createForTest } from './create.ts'

const seen: ComponentContext<unknown>[] = []

function create(context: ComponentContext<unknown>): Promise<SecretStore> {
  seen.push(context)
  return Promise.resolve({
    capabilities: new Set<never>(),
    get: () => Promise.resolve(undefined),
    bulkGet: () => Promise.resolve({}),
    close: () => Promise.resolve(),
  })
}

const definition = defineSecretStore({
  type: 'secretstores.test',
  title: 'Test',
  versions: {
    v2: { metadata: fields({}), capabilities: [], create },
    v1: {
      metadata: fields({
        path: string({ required: true, description: 'x' }),
        size: int({ default: '3', description: 'x' }),
      }),
      capabilities: [],
      create,
    },
  },
})

test('the first version is the one that is meant, and another can be asked for', async () => {
  await createForTest(definition, { properties: {} })
  await createForTest(definition, {
    version: 'v1',
    properties: { PATH: 'p' },
    appId: 'orders',
    name: 'secrets',
  })
  expect(seen.map(({ version }) => version)).toEqual(['v2', 'v1'])
  expect(seen[1]).toMatchObject({
    name: 'secrets',
    type: 'secretstores.test',
    appId: 'orders',
    namespace: 'default',
    metadata: { path: 'p', size: 3 },
    properties: { PATH: 'p' },
  })
})

test('wrong metadata is told with every issue, and nothing is created', async () => {
  const before = seen.length
  await expect(createForTest(definition, { version: 'v1', properties: { size: 'x' } })).rejects.toThrow(
    'metadata of secretstores.test/v1: path is required; size must be a whole number, got "x"',
  )
  expect(seen.length).toBe(before)
})

test('a version that does not exist is told with those that do', async () => {
  await expect(createForTest(definition, { version: 'v9', properties: {} })).rejects.toThrow(
    'secretstores.test has no version v9; it has v2, v1',
  )
})
