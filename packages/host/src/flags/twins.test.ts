import { parseBool, parseDuration, parseQuantity } from '@outrigger/kit'
import { expect, test } from 'vitest'
import { readBool, readDuration, readQuantity } from './units.ts'

// Flags and the metadata of components are read by two packages that may not import each other.

const numbers = [
  '',
  '0',
  '5',
  '05',
  '+5',
  '-5',
  '5.',
  '.5',
  '1.25',
  '-.5',
  '.',
  '-',
  '1e3',
  '1E+3',
  '1e-3',
  '1e',
  '1e3.5',
]
const spaced = (text: string): readonly string[] => [text, ` ${text} `]
const longest = '9'.repeat(400)

const quantitySuffixes = [
  ...['', 'n', 'u', 'm', 'k', 'K', 'M', 'G', 'T', 'P', 'E', 'Ki', 'ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'],
  ...['MB', 'mi', 'i', 'e', 'E2'],
]
const quantities = [...numbers, longest, '1e999', '--5', '5 Mi', '１'].flatMap((number) =>
  quantitySuffixes.map((suffix) => number + suffix).flatMap(spaced),
)

const durationUnits = [
  ...['', 'ns', 'us', 'µs', 'μs', 'ms', 's', 'm', 'h', 'd', 'S'],
  ...['m30s', 'h1.5m', 'm 30s', 'm-30s', 's5'],
]
const durations = [...numbers, longest].flatMap((number) =>
  durationUnits.map((unit) => number + unit).flatMap(spaced),
)

const words = 'true false t f yes no y n on off 1 0 True FALSE 2 ja -1'.split(' ').flatMap(spaced)

/** By text, so that a difference says which one it is. */
function read<T>(texts: readonly string[], reader: (text: string) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(texts.map((text) => [text, reader(text)]))
}

test('quantities are read alike, and as whole numbers', () => {
  const all = read(quantities, readQuantity)
  expect(all).toEqual(read(quantities, parseQuantity))
  const readable = Object.values(all).filter((value) => value !== undefined)
  expect(readable.length).toBeGreaterThan(100)
  expect(readable.every(Number.isSafeInteger)).toBe(true)
})

test.each(['ms', 's', 'm', 'h'] as const)('durations are read alike, bare ones in %s', (unit) => {
  const all = read(durations, (text) => readDuration(text, unit))
  expect(all).toEqual(read(durations, (text) => parseDuration(text, unit)))
})

test('booleans are read alike', () => expect(read(words, readBool)).toEqual(read(words, parseBool)))
