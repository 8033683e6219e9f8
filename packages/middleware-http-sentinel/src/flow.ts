import type { Node } from './node.ts'
import type { FlowRule } from './rules.ts'
import { Window } from './window.ts'

/** How many requests pass: at most so many, now. */
interface Tokens {
  allowed(now: number): number
}

/** One flow rule at work. Time is in milliseconds that never go back. */
export class FlowControl {
  readonly #rule: FlowRule
  readonly #tokens: Tokens
  readonly #counter: Counter
  #lastPassed = Number.NEGATIVE_INFINITY

  /** @param counted what is counted: the resource, or the one it depends on */
  constructor(rule: FlowRule, counted: Node, memoryBytes: () => number) {
    this.#rule = rule
    this.#counter = counterOf(rule, counted)
    const { tokenCalculateStrategy: strategy } = rule
    if (strategy === 1) this.#tokens = new WarmingUp(rule, counted)
    else if (strategy === 2) this.#tokens = { allowed: () => byMemory(rule, memoryBytes()) }
    else this.#tokens = { allowed: () => rule.threshold }
  }

  /** @returns how long the request has to wait, or `undefined` when it is refused */
  check(now: number): number | undefined {
    const allowed = this.#tokens.allowed(now)
    if (this.#rule.controlBehavior === 1) return this.#queue(now, allowed)
    return this.#counter.count(now) + 1 > allowed ? undefined : 0
  }

  /** The request passed every rule. */
  passed(now: number): void {
    this.#counter.passed?.(now)
  }

  #queue(now: number, allowed: number): number | undefined {
    if (allowed <= 0 || allowed < 1) return undefined
    const gap = (this.#rule.statIntervalInMs || 1000) / allowed
    const turn = this.#lastPassed + gap
    if (turn <= now) {
      this.#lastPassed = now
      return 0
    }
    if (turn - now > this.#rule.maxQueueingTimeMs) return undefined
    this.#lastPassed = turn
    return turn - now
  }
}

interface Counter {
  count(now: number): number
  passed?(now: number): void
}

/** Whatever divides the ten seconds that are kept for each resource is read from there. */
function counterOf({ statIntervalInMs: interval }: FlowRule, node: Node): Counter {
  if (interval === 0 || (interval % 500 === 0 && interval <= 10_000)) {
    return { count: (now) => node.passed(now, interval || 1000) }
  }
  const window = new Window(['pass'] as const, interval, 1)
  return { count: (now) => window.sum(now, 'pass'), passed: (now) => window.add(now, 'pass') }
}

/** Less while much memory is used. */
function byMemory(rule: FlowRule, bytes: number): number {
  const { memLowWaterMarkBytes: low, memHighWaterMarkBytes: high } = rule
  const { lowMemUsageThreshold: most, highMemUsageThreshold: least } = rule
  if (bytes <= low) return most
  if (bytes >= high) return least
  return most - ((most - least) * (bytes - low)) / (high - low)
}

/** After a rest it begins slowly (the warm-up limiter of Guava, as Sentinel has it). */
class WarmingUp implements Tokens {
  readonly #threshold: number
  readonly #coldFactor: number
  readonly #node: Node
  readonly #warning: number
  readonly #most: number
  readonly #slope: number
  #stored = 0
  #filledAt = 0
  #isCold = true

  constructor({ threshold, warmUpPeriodSec: period, warmUpColdFactor }: FlowRule, node: Node) {
    const factor = warmUpColdFactor > 1 ? warmUpColdFactor : 3
    this.#threshold = threshold
    this.#coldFactor = factor
    this.#node = node
    this.#warning = Math.floor((period * threshold) / (factor - 1))
    this.#most = this.#warning + Math.floor((2 * period * threshold) / (1 + factor))
    this.#slope = (factor - 1) / threshold / (this.#most - this.#warning)
  }

  allowed(now: number): number {
    this.#fill(now)
    if (this.#stored < this.#warning) return this.#threshold
    return 1 / ((this.#stored - this.#warning) * this.#slope + 1 / this.#threshold)
  }

  #fill(now: number): void {
    const whole = now - (now % 1000)
    if (this.#isCold) {
      // Nothing was asked of it yet.
      this.#isCold = false
      this.#stored = this.#most
      this.#filledAt = whole
      return
    }
    if (whole <= this.#filledAt) return
    const rate = this.#node.passed(now - 500)
    const cools = this.#stored < this.#warning || rate < Math.floor(this.#threshold / this.#coldFactor)
    if (cools) this.#stored += ((whole - this.#filledAt) * this.#threshold) / 1000
    this.#stored = Math.max(0, Math.min(this.#most, this.#stored) - rate)
    this.#filledAt = whole
  }
}
