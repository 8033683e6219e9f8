import { Window } from './window.ts'

const bucketMs = 500
const second = 1000

/** What is known of one resource, or of all of them: ten seconds in buckets of half a second. */
export class Node {
  readonly #window = new Window(['pass', 'complete', 'time'] as const, bucketMs, 20)
  /** Requests under way. */
  concurrency = 0
  #shortest: { at: number; ms: number } | undefined

  pass(now: number): void {
    this.#window.add(now, 'pass')
    this.concurrency++
  }

  complete(now: number, ms: number): void {
    this.concurrency--
    this.#window.add(now, 'complete')
    this.#window.add(now, 'time', ms)
    if (this.#shortest === undefined || ms <= this.#shortest.ms || now - this.#shortest.at > second)
      this.#shortest = { at: now, ms }
  }

  /** Requests that passed in the last while. */
  passed(now: number, lengthMs = second): number {
    return this.#window.sum(now, 'pass', lengthMs)
  }

  averageMs(now: number): number {
    const count = this.#window.sum(now, 'complete', second)
    return count === 0 ? 0 : this.#window.sum(now, 'time', second) / count
  }

  /** How many can be under way without waiting for each other: what it did at best, by what one took at best. */
  capacity(now: number): number {
    const perSecond = this.#window.most(now, 'complete', second) * (second / bucketMs)
    return (perSecond * (this.#shortest?.ms ?? 0)) / second
  }
}
