import type { Random } from '@outrigger/spec'
import type { CodeRange, RetryPolicy } from './model.ts'

const growth = 1.5
const spread = 0.5

/**
 * The waits between the tries of one call: a pure function of the policy, the time that is told to it and the
 * random source.
 */
export class Waits {
  readonly #policy: RetryPolicy
  readonly #random: Random
  readonly #startMs: number
  #retries = 0
  #intervalMs: number

  /** @param startMs when the first try began */
  constructor(policy: RetryPolicy, random: Random, startMs: number) {
    this.#policy = policy
    this.#random = random
    this.#startMs = startMs
    this.#intervalMs = policy.waitMs
  }

  /** Repetitions so far. */
  get retries(): number {
    return this.#retries
  }

  /** Milliseconds until the next try, or `undefined` when there shall be none. */
  next(nowMs: number): number | undefined {
    const { kind, waitMs, maxWaitMs, maxElapsedMs, maxRetries } = this.#policy
    if (this.#retries >= maxRetries) return undefined
    let wait = waitMs
    if (kind === 'exponential') {
      wait = Math.min(this.#intervalMs * (1 - spread + 2 * spread * this.#random.next()), maxWaitMs)
      this.#intervalMs = Math.min(this.#intervalMs * growth, maxWaitMs)
    }
    if (nowMs - this.#startMs + wait > maxElapsedMs) return undefined
    this.#retries++
    return wait
  }
}

/** What a failed try is judged by: a status of either protocol, if there was one. */
export interface Failure {
  readonly http?: number | undefined
  readonly grpc?: number | undefined
}

/** Whether a policy repeats what ended with this status. Without a status it does. */
export function repeats(policy: RetryPolicy, { http, grpc }: Failure): boolean {
  if (http !== undefined) return includes(policy.httpCodes, http)
  if (grpc !== undefined) return includes(policy.grpcCodes, grpc)
  return true
}

function includes(ranges: readonly CodeRange[] | undefined, code: number): boolean {
  return ranges === undefined || ranges.some(({ first, last }) => first <= code && code <= last)
}
