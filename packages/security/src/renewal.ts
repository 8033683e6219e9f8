/** How often the time of a renewal is looked at: timers stand still while a machine sleeps, certificates do not. */
export const longestSleepMs = 60_000

const firstRetryMs = 1_000
const longestRetryMs = 30_000
/** So that what was started together does not renew together. */
const jitter = 0.1

/**
 * When to renew: after half of the validity, up to a tenth of the wait earlier. A certificate whose first half was
 * over when it came (it begins in the past, for clocks that go wrong) is renewed after half of what is left.
 * @param chance from [0, 1)
 */
export function renewalTime(now: number, notBefore: number, notAfter: number, chance: number): number {
  const half = notBefore + (notAfter - notBefore) / 2
  const wait = half > now ? half - now : Math.max(0, notAfter - now) / 2
  return now + Math.max(firstRetryMs, wait * (1 - jitter * chance))
}

/** How long to wait after so many failures in a row (from 1). */
export function retryDelay(failures: number, chance: number): number {
  const longest = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(20, failures - 1))
  return longest * (0.5 + chance / 2)
}
