import type { BreakerPolicy } from './model.ts'

export type BreakerState = 'closed' | 'half-open' | 'open'

/** What has happened since the breaker came into its state, or since its interval began. Names as in CEL. */
export interface Counts {
  readonly requests: number
  readonly totalSuccesses: number
  readonly totalFailures: number
  readonly consecutiveSuccesses: number
  readonly consecutiveFailures: number
}

/** Opens after five failures in a row and one more, as Dapr's does. */
export const tripsByDefault = (counts: Counts): boolean => counts.consecutiveFailures > 5

/** The call was not made: the breaker is open, or half-open with as many calls under way as it lets through. */
export class BreakerError extends Error {
  readonly state: BreakerState

  constructor(name: string, state: BreakerState) {
    super(`${state === 'open' ? 'circuit breaker is open' : 'too many requests'} (${name})`)
    this.name = 'BreakerError'
    this.state = state
  }
}

const none: Counts = Object.freeze({
  requests: 0,
  totalSuccesses: 0,
  totalFailures: 0,
  consecutiveSuccesses: 0,
  consecutiveFailures: 0,
})

/**
 * A circuit breaker of one target. It decides by what it is told alone, the time included, so that every course
 * can be replayed. Outcomes of calls that began before the state changed do not count.
 */
export class Breaker {
  readonly name: string
  readonly #policy: BreakerPolicy
  #state: BreakerState = 'closed'
  #counts: Counts = none
  #generation = 0
  /** When the open state, the interval of the closed one, or the patience of the half-open one ends. */
  #endsMs: number

  constructor(name: string, policy: BreakerPolicy, nowMs: number) {
    this.name = name
    this.#policy = policy
    this.#endsMs = policy.intervalMs > 0 ? nowMs + policy.intervalMs : Infinity
  }

  get counts(): Counts {
    return this.#counts
  }

  /** As of the last call. */
  get lastState(): BreakerState {
    return this.#state
  }

  /** What the next call would find; asking changes nothing. */
  state(nowMs: number): BreakerState {
    return this.#state === 'open' && nowMs >= this.#endsMs ? 'half-open' : this.#state
  }

  /**
   * Asks for one call. @returns what `leave` wants to see at its end
   * @throws BreakerError when it must not be made
   */
  enter(nowMs: number): number {
    this.#pass(nowMs)
    const full = this.#state === 'half-open' && this.#counts.requests >= this.#policy.maxRequests
    if (this.#state === 'open' || full) throw new BreakerError(this.name, this.#state)
    this.#counts = { ...this.#counts, requests: this.#counts.requests + 1 }
    return this.#generation
  }

  /** Tells how a call ended. */
  leave(generation: number, succeeded: boolean, nowMs: number): void {
    this.#pass(nowMs)
    if (generation !== this.#generation) return
    const counts = this.#counts
    if (succeeded) {
      this.#counts = {
        ...counts,
        totalSuccesses: counts.totalSuccesses + 1,
        consecutiveSuccesses: counts.consecutiveSuccesses + 1,
        consecutiveFailures: 0,
      }
      const enough = this.#counts.consecutiveSuccesses >= this.#policy.maxRequests
      if (this.#state === 'half-open' && enough) this.#become('closed', nowMs)
      return
    }
    this.#counts = {
      ...counts,
      totalFailures: counts.totalFailures + 1,
      consecutiveSuccesses: 0,
      consecutiveFailures: counts.consecutiveFailures + 1,
    }
    if (this.#state === 'half-open' || this.#policy.trips(this.#counts)) this.#become('open', nowMs)
  }

  /** A call that was given up by its caller says nothing of the target. */
  forget(generation: number, nowMs: number): void {
    this.#pass(nowMs)
    if (generation !== this.#generation) return
    this.#counts = { ...this.#counts, requests: Math.max(0, this.#counts.requests - 1) }
  }

  #pass(nowMs: number): void {
    if (nowMs < this.#endsMs) return
    if (this.#state !== 'half-open')
      return this.#become(this.#state === 'open' ? 'half-open' : 'closed', nowMs)
    // Calls that try it may take for ever, as streams do: others may try then. What they bring still counts.
    this.#counts = { ...this.#counts, requests: 0 }
    this.#endsMs = nowMs + this.#policy.timeoutMs
  }

  #become(state: BreakerState, nowMs: number): void {
    const { intervalMs, timeoutMs } = this.#policy
    this.#state = state
    this.#generation++
    this.#counts = none
    if (state === 'closed') this.#endsMs = intervalMs > 0 ? nowMs + intervalMs : Infinity
    else this.#endsMs = nowMs + timeoutMs
  }
}
