import { expect, test } from 'vitest'
import { parseBool, parseDuration, parseQuantity } from './parse.ts'

test.each([
  ['true', true],
  ['True', true],
  ['yes', true],
  ['on', true],
  ['1', true],
  ['t', true],
  ['false', false],
  ['0', false],
  ['off', false],
  ['', false],
  ['maybe', undefined],
])('bool %j is %j', (text, value) => expect(parseBool(text)).toBe(value))

test.each([
  ['5s', 5000],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['300ms', 300],
  ['-2s', -2000],
  ['1000us', 1],
  ['10', 10_000],
  ['.5', 500],
  ['0', 0],
  ['', undefined],
  ['5 s', undefined],
  ['5x', undefined],
  ['s', undefined],
])('duration %j is %j ms', (text, value) => expect(parseDuration(text)).toBe(value))

test('a bare number counts in the unit of the field', () => {
  expect(parseDuration('1500', 'ms')).toBe(1500)
  expect(parseDuration('2', 'm')).toBe(120_000)
})

test.each([
  ['512', 512],
  ['4Mi', 4 * 1024 * 1024],
  ['1G', 1e9],
  ['1.5Ki', 1536],
  ['1e3', 1000],
  ['.5k', 500],
  ['1500m', 2],
  ['16Ei', Number.MAX_SAFE_INTEGER],
  ['4MB', undefined],
  ['x', undefined],
])('quantity %j is %j', (text, value) => expect(parseQuantity(text)).toBe(value))
