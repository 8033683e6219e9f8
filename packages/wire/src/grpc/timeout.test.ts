import { expect, test } from 'vitest'
import { formatTimeout, parseTimeout } from './timeout.ts'

test.each([
  ['1H', 3_600_000],
  ['2M', 120_000],
  ['5S', 5000],
  ['100m', 100],
  ['250u', 0.25],
  ['0n', 0],
  ['99999999S', 99_999_999_000],
])('%s is %d ms', (text, ms) => expect(parseTimeout(text)).toBe(ms))

test.each(['', '5', 'S', '123456789S', '-1S', '1.5S', '5s', ' 5S'])('%j is none', (text) => {
  expect(parseTimeout(text)).toBeUndefined()
})

test('what is written is read again, never shorter than it was', () => {
  for (const ms of [0, 0.001, 0.4, 1, 99.5, 100, 1500, 99_999_999, 1e8, 5e10, 1e12]) {
    const read = parseTimeout(formatTimeout(ms))!
    expect(read).toBeGreaterThanOrEqual(ms)
    expect(read).toBeLessThanOrEqual(ms * 1.04 + 1)
  }
})
