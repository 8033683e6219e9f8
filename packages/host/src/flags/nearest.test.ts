import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

const names = ['app-port', 'app-protocol', 'state.redis', 'redisHost', 'url']

test.each<[word: string, meant: string | undefined, why: string]>([
  ['app-prot', 'app-port', 'two neighbours swapped'],
  ['app-prt', 'app-port', 'a letter less'],
  ['STATE.REDDIS', 'state.redis', 'a letter more, whatever the case'],
  ['REDISHOST', 'redisHost', 'another case'],
  ['ulr', 'url', 'a short name'],
  ['redis', 'redisHost', 'the beginning of one'],
  ['app', undefined, 'the beginning of two'],
  ['frobnicate', undefined, 'nothing like any'],
  ['', undefined, 'nothing at all'],
  ['x'.repeat(100_000), undefined, 'far too long'],
])('%.20s means %s: %s', (word, meant) => expect(nearest(word, names)).toBe(meant))
