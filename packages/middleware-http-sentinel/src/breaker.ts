import type { BreakerRule } from './rules.ts'
import { Window } from './window.ts'

/** One circuit breaker rule at work. Time is in milliseconds that never go back. */
export class Breaker {
  readonly #rule: BreakerRule
  readonly #window: Window<'total' | 'bad'>
  #state: 'closed' | 'open' | 'half-open' = 'closed'
  #retryAt = 0
  #probes = 0

  constructor(rule: BreakerRule) {
    this.#rule = rule
    const { statIntervalMs: interval, statSlidingWindowBucketCount: wanted } = rule
    const count = wanted > 0 && interval % wanted === 0 ? wanted : 1
    this.#window = new Window(['total', 'bad'] as const, interval / count, count)
  }

  get state(): string {
    return this.#state
  }

  /** Whether a request may try. One that may while it is open tries for all. */
  check(now: number): boolean {
    if (this.#state === 'closed') return true
    if (this.#state === 'half-open') return this.#rule.probeNum > 0
    if (now < this.#retryAt) return false
    this.#state = 'half-open'
    return true
  }

  /** A request that was let through was refused by another rule after all. */
  notTried(): void {
    if (this.#state === 'half-open') this.#state = 'open'
  }

  complete(now: number, ms: number, failed: boolean): void {
    const { strategy, maxAllowedRtMs, minRequestAmount, threshold, probeNum } = this.#rule
    const isBad = strategy === 0 ? ms > maxAllowedRtMs : failed
    this.#window.add(now, 'total')
    if (isBad) this.#window.add(now, 'bad')
    if (this.#state === 'open') return
    if (this.#state === 'half-open') {
      if (isBad) this.#open(now)
      else if (++this.#probes >= probeNum) this.#close()
      return
    }
    const total = this.#window.sum(now, 'total')
    const bad = this.#window.sum(now, 'bad')
    if (total < minRequestAmount) return
    if (strategy === 2 ? bad >= threshold : bad / total >= threshold) this.#open(now)
  }

  #open(now: number): void {
    this.#state = 'open'
    this.#probes = 0
    this.#retryAt = now + this.#rule.retryTimeoutMs
  }

  #close(): void {
    this.#state = 'closed'
    this.#probes = 0
    this.#window.clear()
  }
}
