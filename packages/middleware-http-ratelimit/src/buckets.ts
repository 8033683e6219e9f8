/** What is left of a limit after a request. */
export interface Taken {
  readonly allowed: boolean
  /** Whole requests that may come at once. */
  readonly left: number
  /** Until the next request is allowed; 0 when it is now. */
  readonly waitMs: number
}

interface Bucket {
  tokens: number
  /** When that was so. */
  at: number
}

/**
 * Token buckets by key: each holds as many tokens as a second brings, and at least one. The most keys are bounded:
 * one more pushes the key out that was not seen for the longest time, whose bucket is the fullest.
 */
export class Buckets {
  readonly #perMs: number
  readonly #size: number
  readonly #mostKeys: number
  readonly #byKey = new Map<string, Bucket>()

  constructor(perSecond: number, mostKeys: number) {
    this.#perMs = perSecond / 1000
    this.#size = Math.max(1, Math.floor(perSecond))
    this.#mostKeys = mostKeys
  }

  get keys(): number {
    return this.#byKey.size
  }

  /** @param now milliseconds that never go back */
  take(key: string, now: number): Taken {
    const bucket = this.#byKey.get(key) ?? { tokens: this.#size, at: now }
    // The order of the map is that of the last request.
    this.#byKey.delete(key)
    this.#byKey.set(key, bucket)
    if (this.#byKey.size > this.#mostKeys) this.#byKey.delete(this.#byKey.keys().next().value!)
    bucket.tokens = Math.min(this.#size, bucket.tokens + (now - bucket.at) * this.#perMs)
    bucket.at = now
    // What fractions of a millisecond cost must not keep a request waiting that came in time.
    const allowed = bucket.tokens > 1 - 1e-9
    if (allowed) bucket.tokens = Math.max(0, bucket.tokens - 1)
    const waitMs = bucket.tokens >= 1 ? 0 : (1 - bucket.tokens) / this.#perMs
    return { allowed, left: Math.floor(bucket.tokens), waitMs }
  }
}
