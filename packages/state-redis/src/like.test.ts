import { expect, test } from 'vitest'
import { like } from './like.ts'

test.each([
  ['a%', 'a', true],
  ['a%', 'ba', false],
  ['%a%b%', 'xxaxxbxx', true],
  ['%a%b%', 'xxbxxaxx', false],
  ['a_c', 'a🔑c', true],
  ['a_c', 'ac', false],
  ['a\\%', 'a%', true],
  ['a\\%', 'ab', false],
  ['a\\', 'a\\', true],
  ['%', '', true],
  ['_%', '', false],
])('%j fits %j: %j', (pattern, key, expected) => {
  expect(like(pattern).fits(key)).toBe(expected)
})

test.each([
  ['a%b_c', 'a*b*c'],
  ['a%_%b', 'a*b'],
  ['a*[?]\\%%', 'a\\*\\[\\?\\]%*'],
  ['\\\\%', '\\\\*'],
])('%j is looked for as %j', (pattern, glob) => {
  expect(like(pattern).glob).toBe(glob)
})

test('a pattern of many runs takes no more time than the lengths say', () => {
  expect(like('%a'.repeat(500)).fits(`${'a'.repeat(20_000)}b`)).toBe(false)
})

test('an empty pattern and one without end are refused', () => {
  expect(() => like('')).toThrow('empty')
  expect(() => like('x'.repeat(5000))).toThrow('longer than')
})
