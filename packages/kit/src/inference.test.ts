import { defineStateStore, type StateStore } from '@outrigger/spec'
import { expect, expectTypeOf, test } from 'vitest'
import { fields, int, string } from './fields.ts'

test('create knows the metadata of its version', () => {
  const definition = defineStateStore({
    type: 'state.test',
    title: 'Test',
    versions: {
      v1: {
        metadata: fields({ table: string({ required: true, description: 'x' }) }),
        capabilities: [],
        create(context) {
          expectTypeOf(context.metadata.table).toEqualTypeOf<string>()
          return Promise.resolve({} as StateStore)
        },
      },
      v2: {
        metadata: fields({ size: int({ description: 'x' }) }),
        capabilities: [],
        create(context) {
          expectTypeOf(context.metadata.size).toEqualTypeOf<number | undefined>()
          return Promise.resolve({} as StateStore)
        },
      },
    },
  })
  expect(definition.contract).toBe('state/1')
})
