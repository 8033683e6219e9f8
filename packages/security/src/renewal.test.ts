import { describe, expect, it } from 'vitest'
import { renewalTime, retryDelay } from './renewal.ts'

const hour = 3_600_000

describe('the time of a renewal', () => {
  it.each([
    // A day that began a quarter of an hour ago: its middle is in 11 hours, 52 minutes and 30 seconds.
    ['at half of the validity', -hour / 4, 24 * hour, 0, 11.875 * hour],
    ['up to a tenth earlier', -hour / 4, 24 * hour, 1, 11.875 * 0.9 * hour],
    ['at half of what is left when the first half is over', -hour, hour / 2, 0, hour / 4],
    ['not at once, however short it is', 0, 1000, 0, 1000],
    ['soon when it is over', -2 * hour, -hour, 0, 1000],
  ])('is %s', (_, notBefore, notAfter, chance, wait) => {
    expect(renewalTime(0, notBefore, notAfter, chance)).toBe(wait)
  })
})

describe('the wait after a failure', () => {
  it('doubles up to half a minute', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 1000].map((failures) => retryDelay(failures, 1) / 1000)).toEqual([
      1, 2, 4, 8, 16, 30, 30, 30,
    ])
  })

  it('is up to half shorter by chance', () => {
    expect(retryDelay(3, 0)).toBe(2000)
    expect(retryDelay(3, 0.5)).toBe(3000)
  })
})
