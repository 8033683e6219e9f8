import type { Clock } from '@outrigger/spec'

/** One instance of an application, and how it is doing. */
export interface InstanceState {
  /** `host:port`, IPv6 in brackets. */
  readonly address: string
  /** Calls under way. */
  running: number
  /** Refusals in a row. */
  refusals: number
  /** Until then it is asked only when all others rest as well. */
  restsUntil: number
  /** It answered that it does not know calls in pieces. */
  wholeOnly: boolean
}

const firstRestMs = 1000
const longestRestMs = 30_000

/**
 * The instances of one application. Calls go to the one with the fewest calls under way, in turn where several
 * are equal; one that refuses a connection rests, longer each time.
 */
export class Instances {
  readonly #clock: Clock
  #all: InstanceState[] = []
  #turn = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#all.length
  }

  /** Whether calls are under way. */
  get busy(): boolean {
    return this.#all.some(({ running }) => running > 0)
  }

  /** Those that are there now; what is known of the ones that were there before stays. */
  update(addresses: readonly string[]): void {
    const known = new Map(this.#all.map((instance) => [instance.address, instance]))
    const fresh = (address: string): InstanceState => ({
      address,
      running: 0,
      refusals: 0,
      restsUntil: 0,
      wholeOnly: false,
    })
    this.#all = [...new Set(addresses)].map((address) => known.get(address) ?? fresh(address))
  }

  /** Whom to ask next, of those that were not tried yet; `undefined` when all were. */
  pick(tried?: ReadonlySet<InstanceState>): InstanceState | undefined {
    const all = this.#all
    const { length } = all
    if (length === 0) return undefined
    const start = this.#turn++ % length
    const now = this.#clock.monotonic()
    let best: InstanceState | undefined
    let bestRests = false
    for (let offset = 0; offset < length; offset++) {
      const one = all[(start + offset) % length]!
      if (tried?.has(one) === true) continue
      const rests = one.restsUntil > now
      if (best === undefined || isBetter(one, rests, best, bestRests)) {
        best = one
        bestRests = rests
      }
    }
    return best
  }

  /** It could not be reached. */
  refused(instance: InstanceState): void {
    const restMs = Math.min(firstRestMs * 2 ** instance.refusals, longestRestMs)
    instance.refusals++
    instance.restsUntil = this.#clock.monotonic() + restMs
  }

  /** It turned a call away for a while, and is well otherwise. */
  turnedAway(instance: InstanceState): void {
    instance.restsUntil = this.#clock.monotonic() + firstRestMs
  }

  /** It answered. */
  answered(instance: InstanceState): void {
    if (instance.refusals === 0) return
    instance.refusals = 0
    instance.restsUntil = 0
  }
}

function isBetter(one: InstanceState, rests: boolean, best: InstanceState, bestRests: boolean): boolean {
  if (rests !== bestRests) return bestRests
  if (rests) return one.restsUntil < best.restsUntil
  return one.running < best.running
}
