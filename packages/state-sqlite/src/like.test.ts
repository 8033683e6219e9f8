import { DatabaseSync } from 'node:sqlite'
import { afterAll, expect, test } from 'vitest'
import { likeToGlob, prefixToGlob } from './like.ts'

const database = new DatabaseSync(':memory:')
afterAll(() => database.close())
const glob = database.prepare('SELECT ? GLOB ? AS yes')
const matches = (text: string, pattern: string): boolean => glob.get(text, pattern)!['yes'] === 1

test.each([
  ['a%', 'abc', true],
  ['a%', 'Abc', false],
  ['%b%', 'abc', true],
  ['%%%c', 'abc', true],
  ['a_c', 'abc', true],
  ['a_c', 'ac', false],
  ['_', 'é', true],
  ['_', '😀', true],
  ['100\\%', '100%', true],
  ['100\\%', '1000', false],
  ['a\\_c', 'abc', false],
  ['a*c', 'abc', false],
  ['a*c', 'a*c', true],
  ['a?c', 'abc', false],
  ['[a]', '[a]', true],
  ['[a]', 'a', false],
  ['a]b', 'a]b', true],
  ['x\\\\y', 'x\\y', true],
  ['x\\', 'x\\', true],
  ['%*', 'a*', true],
  ['%*', 'ab', false],
  ['\\*%', '*b', true],
])('%s and %s: %s', (pattern, text, expected) => expect(matches(text, likeToGlob(pattern))).toBe(expected))

test('a prefix is literal', () => {
  expect(matches('a[*]?b', prefixToGlob('a[*]?'))).toBe(true)
  expect(matches('axb', prefixToGlob('a?'))).toBe(false)
  expect(matches('😀x', prefixToGlob('😀'))).toBe(true)
  expect(matches('anything', prefixToGlob(''))).toBe(true)
})
