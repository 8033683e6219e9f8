import { isComponentError, type Clock } from '@outrigger/spec'
import { sleep } from '../../app/time.ts'
import { membersOf, namesOf } from '../../app/members.ts'
import { isRecord } from '../json-body.ts'

/**
 * How often a write is tried again, as early versions of Dapr's API had it in the options of an item:
 * `{ "interval": 100, "pattern": "exponential", "threshold": 3 }`.
 */
export interface RetryPolicy {
  /** Milliseconds before the first repetition. */
  readonly intervalMs: number
  /** Whether each wait is as long as the first, or twice as long as the one before it. */
  readonly pattern: 'linear' | 'exponential'
  /** Repetitions at most. */
  readonly threshold: number
}

const names = namesOf('interval', 'pattern', 'threshold')
const mostRepetitions = 20
const longestMs = 60_000

/**
 * Reads the option `retryPolicy` of an item. Numbers above the limits count as the limits (20 repetitions, a minute).
 * @throws Error that says what is wrong
 */
export function parseRetryPolicy(value: unknown): RetryPolicy {
  if (!isRecord(value)) throw new Error('retryPolicy must be an object with interval, pattern and threshold')
  const { interval, pattern, threshold } = membersOf(value, names)
  if (pattern !== undefined && pattern !== '' && pattern !== 'linear' && pattern !== 'exponential') {
    throw new Error('retryPolicy.pattern must be linear or exponential')
  }
  return {
    intervalMs: Math.min(wholeNumber(interval, 'interval'), longestMs),
    pattern: pattern === 'exponential' ? pattern : 'linear',
    threshold: Math.min(wholeNumber(threshold, 'threshold'), mostRepetitions),
  }
}

/** The waits before each repetition, in milliseconds. */
export function retrySchedule({ intervalMs, pattern, threshold }: RetryPolicy): readonly number[] {
  return Array.from({ length: threshold }, (_, repetition) =>
    pattern === 'linear' ? intervalMs : Math.min(intervalMs * 2 ** repetition, longestMs),
  )
}

/** What the same request will always meet with. */
const finalCodes: ReadonlySet<string> = new Set([
  'ETAG_MISMATCH',
  'ETAG_INVALID',
  'INVALID_ARGUMENT',
  'UNSUPPORTED',
  'CANCELLED',
  'CLOSED',
])

/** Tries once, and again after each of `waitsMs`, unless a repetition cannot help or `signal` aborts. */
export async function withRetries(
  attempt: () => Promise<void>,
  waitsMs: readonly number[],
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let tried = 0; ; tried++) {
    try {
      return await attempt()
    } catch (error) {
      const waitMs = waitsMs[tried]
      if (waitMs === undefined || (isComponentError(error) && finalCodes.has(error.code))) throw error
      if (!(await sleep(clock, waitMs, signal))) throw error
    }
  }
}

function wholeNumber(value: unknown, name: string): number {
  if (value === undefined || value === null) return 0
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new Error(`retryPolicy.${name} must be a whole number, 0 or above`)
}
