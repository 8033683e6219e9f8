import { expect, test } from 'vitest'
import { likeMatcher } from './like.ts'

test.each([
  ['', '', true],
  ['', 'a', false],
  ['%', '', true],
  ['%', 'anything\nat all', true],
  ['a%', 'a', true],
  ['a%', 'ba', false],
  ['%b', 'aab', true],
  ['%b', 'ba', false],
  ['a%b%c', 'axxbyybzzc', true],
  ['a%b%c', 'acb', false],
  ['%ab%ab%', 'xabxaab', true],
  ['%ab%ab%', 'xab', false],
  ['_', 'a', true],
  ['_', '', false],
  ['_', '🔑', true],
  ['__', '🔑', false],
  ['%_', '', false],
  ['%_b', 'ab', true],
  ['_%_', 'a', false],
  ['\\%', '%', true],
  ['\\%', 'a', false],
  ['\\_a', '_a', true],
  ['\\\\%', '\\x', true],
  ['\\a', 'a', true],
  ['a\\', 'a\\', true],
  ['a.c', 'abc', false],
])('%j on %j is %j', (pattern, key, expected) => expect(likeMatcher(pattern)(key)).toBe(expected))

test('many wildcards on a long key take no time that one could wait for', () => {
  const matches = likeMatcher(`${'%a'.repeat(2000)}%b`)
  expect(matches('a'.repeat(20_000))).toBe(false)
})
