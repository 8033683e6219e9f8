import { expect, test } from 'vitest'
import { table } from './table.ts'

test('columns are as wide as their longest cell, and lines end with their text', () => {
  expect(
    table(
      ['A', 'LONG', 'C'],
      [
        ['1', '2', '3'],
        ['wide cell', '', ''],
      ],
    ),
  ).toBe(['A          LONG  C', '1          2     3', 'wide cell'].join('\n'))
  expect(table(['A', 'B'], [])).toBe('A  B')
})
