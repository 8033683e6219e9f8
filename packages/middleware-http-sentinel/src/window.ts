/** Counts events in buckets of time, and sums those of the last while. */
export class Window<K extends string> {
  readonly bucketMs: number
  readonly #kinds: readonly K[]
  readonly #buckets: { start: number; readonly counts: Record<K, number> }[]

  constructor(kinds: readonly K[], bucketMs: number, bucketCount: number) {
    this.bucketMs = bucketMs
    this.#kinds = kinds
    this.#buckets = Array.from({ length: bucketCount }, () => ({ start: -1, counts: zeros(kinds) }))
  }

  add(now: number, kind: K, count = 1): void {
    this.#current(now).counts[kind] += count
  }

  /** Of the last `lengthMs` until `now`, the bucket of which is not over included. */
  sum(now: number, kind: K, lengthMs = this.bucketMs * this.#buckets.length): number {
    let sum = 0
    for (const { start, counts } of this.#within(now, lengthMs)) if (start >= 0) sum += counts[kind]
    return sum
  }

  /** The largest count of one bucket. */
  most(now: number, kind: K, lengthMs: number): number {
    return Math.max(0, ...this.#within(now, lengthMs).map(({ counts }) => counts[kind]))
  }

  clear(): void {
    for (const bucket of this.#buckets) for (const kind of this.#kinds) bucket.counts[kind] = 0
  }

  #within(now: number, lengthMs: number) {
    const last = now - (now % this.bucketMs)
    const first = last - lengthMs + this.bucketMs
    return this.#buckets.filter(({ start }) => start >= 0 && start >= first && start <= last)
  }

  #current(now: number) {
    const start = now - (now % this.bucketMs)
    const bucket = this.#buckets[(start / this.bucketMs) % this.#buckets.length]!
    if (bucket.start !== start) {
      bucket.start = start
      for (const kind of this.#kinds) bucket.counts[kind] = 0
    }
    return bucket
  }
}

function zeros<K extends string>(kinds: readonly K[]): Record<K, number> {
  return Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<K, number>
}
