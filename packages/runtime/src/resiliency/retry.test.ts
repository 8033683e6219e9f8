import { seededRandom } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import type { RetryPolicy } from './model.ts'
import { repeats, Waits } from './retry.ts'

const base: RetryPolicy = {
  name: 'r',
  kind: 'constant',
  waitMs: 5000,
  maxWaitMs: 60_000,
  maxElapsedMs: Infinity,
  maxRetries: Infinity,
  httpCodes: undefined,
  grpcCodes: undefined,
}
const half = { next: () => 0.5, uuid: () => '' }

/** The waits until the policy gives up, `most` at most; each try takes `tryMs`. */
function waitsOf(policy: Partial<RetryPolicy>, most: number, random = half, tryMs = 0): number[] {
  const waits = new Waits({ ...base, ...policy }, random, 0)
  const found: number[] = []
  let now = tryMs
  while (found.length < most) {
    const wait = waits.next(now)
    if (wait === undefined) break
    found.push(wait)
    now += wait + tryMs
  }
  expect(waits.retries).toBe(found.length)
  return found
}

test('constant waits, as many as there are repetitions', () => {
  expect(waitsOf({ maxRetries: 3 }, 10)).toEqual([5000, 5000, 5000])
})

test('none at all with maxRetries 0', () => expect(waitsOf({ maxRetries: 0 }, 10)).toEqual([]))

test('constant waits go on for ever without a limit', () => {
  expect(waitsOf({ waitMs: 60_000 }, 5000)).toHaveLength(5000)
})

test('exponential waits grow by half up to the longest', () => {
  const waits = waitsOf({ kind: 'exponential', waitMs: 500, maxWaitMs: 2000, maxRetries: 6 }, 10)
  expect(waits).toEqual([500, 750, 1125, 1687.5, 2000, 2000])
})

test('chance spreads them from half to one and a half, and never beyond the longest', () => {
  const waits = waitsOf({ kind: 'exponential', waitMs: 500, maxWaitMs: 1000 }, 2000, seededRandom(7))
  const first = Array.from({ length: 500 }, (_, seed) => {
    return waitsOf({ kind: 'exponential', waitMs: 500 }, 1, seededRandom(seed))[0]!
  })
  expect(Math.min(...first)).toBeGreaterThanOrEqual(250)
  expect(Math.min(...first)).toBeLessThan(260)
  expect(Math.max(...first)).toBeLessThanOrEqual(750)
  expect(Math.max(...first)).toBeGreaterThan(740)
  const later = waits.slice(2)
  expect(Math.max(...later)).toBe(1000)
  expect(Math.min(...later)).toBeGreaterThanOrEqual(500)
  expect(new Set(later).size).toBeGreaterThan(500)
})

test('the first wait is no longer than the longest either', () => {
  expect(waitsOf({ kind: 'exponential', waitMs: 500, maxWaitMs: 100, maxRetries: 2 }, 10)).toEqual([100, 100])
})

test('no try begins after the time is up, counted from the first one', () => {
  const limits = { kind: 'exponential', waitMs: 500, maxWaitMs: 1000, maxElapsedMs: 10_000 } as const
  expect(waitsOf(limits, 100)).toEqual([500, 750, ...Array<number>(8).fill(1000)])
  expect(waitsOf(limits, 100, half, 4000)).toEqual([500, 750])
})

test.each([
  [{ http: 500 }, true],
  [{ http: 599 }, true],
  [{ http: 429 }, true],
  [{ http: 430 }, false],
  [{ http: 404 }, false],
  [{ grpc: 14 }, true],
  [{ grpc: 2 }, false],
  [{}, true],
])('by codes, %j is repeated: %s', (failure, expected) => {
  const policy: RetryPolicy = {
    ...base,
    httpCodes: [
      { first: 500, last: 599 },
      { first: 429, last: 429 },
    ],
    grpcCodes: [{ first: 14, last: 14 }],
  }
  expect(repeats(policy, failure)).toBe(expected)
})

test('every status is repeated where no codes are given', () => {
  expect([{ http: 404 }, { grpc: 5 }].map((failure) => repeats(base, failure))).toEqual([true, true])
})
