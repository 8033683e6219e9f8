import { describe, expect, test } from 'vitest'
import { JsonError, parseJson } from './json.ts'

function errorOf(text: string): JsonError {
  try {
    parseJson(text, 4)
  } catch (error) {
    if (error instanceof JsonError) return error
    throw error
  }
  throw new Error(`${text} was accepted`)
}

describe('parseJson', () => {
  test('keeps numbers and booleans as they were written', () => {
    const text =
      ' { "a" : 12345678901234567890, "b": 1.50, "c": -2E+3, "d": true , "e": null, "f": [ false , "x" ] } '
    const expected = new Map<string, unknown>([
      ['a', '12345678901234567890'],
      ['b', '1.50'],
      ['c', '-2E+3'],
      ['d', 'true'],
      ['e', null],
      ['f', ['false', 'x']],
    ])
    expect(parseJson(text, 4)).toEqual(expected)
  })

  test.each([
    '{}',
    '[]',
    '"\\u00e9\\n\\"\\\\"',
    '{"__proto__":{"constructor":"x"}}',
    '[[[[]]]]',
    '"\x7f"',
    '-0',
  ])('reads %s as JSON.parse does', (text) => {
    const plain = (value: unknown): unknown =>
      value instanceof Map
        ? Object.fromEntries(Array.from(value, ([k, v]: [string, unknown]) => [k, plain(v)]))
        : Array.isArray(value)
          ? value.map(plain)
          : value
    const expected: unknown = JSON.parse(text, (_key, value: unknown) =>
      typeof value === 'number' ? text : value,
    )
    expect(plain(parseJson(text, 4))).toEqual(expected)
  })

  test.each([
    ['', 1, 1, 'ends too early'],
    ['{"a": }', 1, 7, 'expected a value'],
    ['{\n  "a": "x",\r\n  b: "y"\n}', 3, 3, 'expected a name in double quotes'],
    ['{"a" "b"}', 1, 6, 'expected ":"'],
    ['{"a": "b" "c": "d"}', 1, 11, 'expected "," or "}"'],
    ['{"a": "b",}', 1, 11, 'expected a name'],
    ['["a" "b"]', 1, 6, 'expected "," or "]"'],
    ['{"a": "b', 1, 7, 'is not closed'],
    ['{"a": "b\\', 1, 7, 'is not closed'],
    ['{"a": "\\x"}', 1, 7, 'invalid escape'],
    ['{"a": "\n"}', 1, 7, 'control character'],
    ['{"a": 012}', 1, 7, 'expected a value'],
    ['{"a": 1.}', 1, 7, 'expected a value'],
    ['{"a": truely}', 1, 7, 'expected a value'],
    ["{'a': 1}", 1, 2, 'expected a name in double quotes'],
    ['{} {}', 1, 4, 'more text'],
    ['[[[[[1]]]]]', 1, 5, 'deeper than 4'],
  ])('says where %j is wrong', (text, line, column, message) => {
    const error = errorOf(text)
    expect([error.line, error.column]).toEqual([line, column])
    expect(error.message).toContain(message)
  })

  test('takes a long string and a deep text without running out of stack', () => {
    const long = 'x'.repeat(5_000_000)
    expect(parseJson(`"${long}"`, 4)).toBe(long)
    expect(errorOf(`"${long}`).message).toContain('not closed')
    expect(errorOf('['.repeat(1_000_000)).message).toContain('deeper')
  })
})
