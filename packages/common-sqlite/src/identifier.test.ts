import { expect, test } from 'vitest'
import { quoteIdentifier } from './identifier.ts'

test.each(['state', 'State_2', '1st', 'order'])('%s is a table name', (name) => {
  expect(quoteIdentifier('tableName', name)).toBe(`"${name}"`)
})

test.each(['', 'a b', 'a"b', 'a;drop table b', 'täble', 'sqlite_master', 'a.b', 'x'.repeat(65)])(
  '%j is refused',
  (name) => {
    expect(() => quoteIdentifier('tableName', name)).toThrow(/^tableName must/)
    expect(() => quoteIdentifier('tableName', name)).toThrow(
      expect.objectContaining({ code: 'INVALID_METADATA' }),
    )
  },
)
