import { expect, test } from 'vitest'
import { Buckets } from './buckets.ts'

test('as many as a second brings may come at once, and then as fast as they are refilled', () => {
  const buckets = new Buckets(2, 10)
  expect([1, 2, 3].map(() => buckets.take('a', 0))).toEqual([
    { allowed: true, left: 1, waitMs: 0 },
    { allowed: true, left: 0, waitMs: 500 },
    { allowed: false, left: 0, waitMs: 500 },
  ])
  expect(buckets.take('a', 499).allowed).toBe(false)
  expect(buckets.take('a', 500).allowed).toBe(true)
  expect(buckets.take('a', 500).allowed).toBe(false)
  expect(buckets.take('a', 100_000)).toEqual({ allowed: true, left: 1, waitMs: 0 })
})

test('less than one a second', () => {
  const buckets = new Buckets(0.1, 10)
  expect(buckets.take('a', 0)).toEqual({ allowed: true, left: 0, waitMs: 10_000 })
  expect(buckets.take('a', 9_999).allowed).toBe(false)
  expect(buckets.take('a', 10_000).allowed).toBe(true)
})

test.each([3, 7, 10, 333.3])(
  '%d a second, asked for every millisecond, are so many in a minute',
  (perSecond) => {
    const buckets = new Buckets(perSecond, 10)
    let allowed = 0
    for (let now = 0; now < 60_000; now++) if (buckets.take('a', now).allowed) allowed++
    const expected = perSecond * 60 + Math.max(1, Math.floor(perSecond))
    expect(Math.abs(allowed - expected)).toBeLessThanOrEqual(1)
  },
)

test('keys are apart, and bounded: the one not seen for longest is forgotten', () => {
  const buckets = new Buckets(1, 2)
  buckets.take('a', 0)
  buckets.take('b', 0)
  expect(buckets.take('a', 0).allowed).toBe(false)
  buckets.take('c', 0)
  expect(buckets.keys).toBe(2)
  expect(buckets.take('a', 0).allowed).toBe(false)
  expect(buckets.take('b', 0).allowed).toBe(true)
})
