import { describe, expect, test } from 'vitest'
import { dayOfMonth, dayOfWeek, hour, minute, month, parseField, type FieldKind } from './fields.ts'

const values = (text: string, kind: FieldKind): number[] =>
  [...parseField(text, kind).values].toSorted((a, b) => a - b)

describe('parseField', () => {
  test.each<[string, FieldKind, number[]]>([
    ['5', minute, [5]],
    ['05', minute, [5]],
    ['1,3,5', minute, [1, 3, 5]],
    ['1,,3,', minute, [1, 3]],
    ['10-13', minute, [10, 11, 12, 13]],
    ['10-20/5', minute, [10, 15, 20]],
    ['*/20', minute, [0, 20, 40]],
    ['?/20', minute, [0, 20, 40]],
    ['0/15', minute, [0, 15, 30, 45]],
    ['50/7', minute, [50, 57]],
    ['7/100', minute, [7]],
    ['*/10', dayOfMonth, [1, 11, 21, 31]],
    ['22-23,0-2', hour, [0, 1, 2, 22, 23]],
    ['jan,DEC', month, [1, 12]],
    ['Apr-Jun', month, [4, 5, 6]],
    ['mon-FRI', dayOfWeek, [1, 2, 3, 4, 5]],
    ['Mon/2', dayOfWeek, [1, 3, 5]],
    ['*/2', dayOfWeek, [0, 2, 4, 6]],
    ['0', dayOfWeek, [0]],
    ['7', dayOfWeek, [0]],
    ['5-7', dayOfWeek, [0, 5, 6]],
    ['7/2', dayOfWeek, [0]],
  ])('%s in %o', (text, kind, expected) => {
    expect(values(text, kind)).toEqual(expected)
  })

  test.each<[string, boolean]>([
    ['*', true],
    ['?', true],
    ['*/1', true],
    ['3,*', true],
    ['*/2', false],
    ['1-31', false],
    ['1', false],
  ])('%s is open: %s', (text, open) => {
    expect(parseField(text, dayOfMonth).open).toBe(open)
  })

  test.each<[string, FieldKind, string]>([
    ['60', minute, 'minute: "60" is outside 0 to 59'],
    ['24', hour, 'hour: "24" is outside 0 to 23'],
    ['0', dayOfMonth, 'day of month: "0" is outside 1 to 31'],
    ['1-32', dayOfMonth, 'day of month: "1-32" is outside 1 to 31'],
    ['13', month, 'month: "13" is outside 1 to 12'],
    ['8', dayOfWeek, 'day of week: "8" is outside 0 to 7'],
    ['5-1', minute, 'minute: "5-1" begins after its end'],
    ['1-2-3', minute, 'has more than one "-"'],
    ['1/2/3', minute, 'has more than one "/"'],
    ['*/0', minute, 'has a step of 0'],
    ['*/x', minute, 'needs a whole number, and has "x"'],
    ['1,xyz', month, 'month: "xyz" needs a whole number or a name such as jan'],
    ['jan', dayOfWeek, 'needs a whole number or a name such as sun'],
    ['-5', minute, 'needs a whole number'],
    ['1.5', minute, 'needs a whole number'],
    ['5-', minute, 'needs a whole number'],
    [',', minute, 'names no value'],
    ['L', dayOfMonth, 'needs a whole number'],
  ])('refuses %s', (text, kind, message) => {
    expect(() => parseField(text, kind)).toThrow(message)
  })
})
