import { backoffDelayMs } from '@outrigger/kit'
import type { Deliver, Settlement, Subscription, Timer } from '@outrigger/spec'
import { messageOf, type GroupQueue, type Letter } from './queue.ts'

const backoff = { initialMs: 10, maxMs: 1000 }
/** The more messages rest, the longer each of them does: all together they come back no more often than this. */
const restPerMessageMs = 20
const longestRestMs = 60_000

/**
 * One subscription. A message that was nacked rests until its back-off is over. With `maxInFlight` 1 the others wait for it,
 * so that order is kept; otherwise they do not, so that a few that are never processed hold up nobody.
 */
export class Consumer implements Subscription {
  readonly ended: Promise<Error | undefined>
  readonly #queue: GroupQueue
  readonly #deliver: Deliver
  readonly #maxInFlight: number
  /** Handed over and not settled. */
  readonly #pending = new Set<Letter>()
  /** Nacked, waiting to be handed out again. */
  readonly #resting = new Map<Letter, Timer>()
  #paused = false
  #closing = false
  #closed: (() => void) | undefined
  #end: ((error: Error | undefined) => void) | undefined
  readonly #whenClosed: Promise<void>

  constructor(queue: GroupQueue, deliver: Deliver, maxInFlight: number) {
    this.#queue = queue
    this.#deliver = deliver
    this.#maxInFlight = maxInFlight
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
    this.#whenClosed = new Promise((resolve) => {
      this.#closed = resolve
    })
    queue.join(this)
  }

  get hasRoom(): boolean {
    const held = this.#maxInFlight === 1 ? this.#resting.size : 0
    return !this.#paused && !this.#closing && this.#pending.size + held < this.#maxInFlight
  }

  take(letter: Letter): void {
    this.#pending.add(letter)
    void this.#hand(letter)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#queue.serveSoon()
  }

  close(signal?: AbortSignal): Promise<void> {
    if (!this.#closing) {
      this.#closing = true
      this.#queue.leave(this)
      for (const [letter, timer] of this.#resting) {
        timer.cancel()
        this.#queue.putBack(letter)
      }
      this.#resting.clear()
    }
    if (this.#pending.size === 0) this.#finish()
    else if (signal?.aborted === true) this.#giveBack()
    else if (signal !== undefined) {
      signal.addEventListener('abort', this.#giveBack, { once: true })
      void this.#whenClosed.then(() => signal.removeEventListener('abort', this.#giveBack))
    }
    return this.#whenClosed
  }

  async #hand(letter: Letter): Promise<void> {
    let settlement: Settlement
    try {
      settlement = await this.#deliver(messageOf(letter))
    } catch {
      // It never rejects; if it does, the message is not lost.
      settlement = 'nack'
    }
    // Given back meanwhile: another delivery decides now.
    if (!this.#pending.delete(letter)) return
    if (settlement === 'ack') this.#queue.settled(letter)
    else if (this.#closing) this.#queue.putBack(letter)
    else this.#rest(letter)
    if (!this.#closing) this.#queue.serveSoon()
    else if (this.#pending.size === 0) this.#finish()
  }

  #rest(letter: Letter): void {
    const { clock, random } = this.#queue.surroundings
    const among = Math.min(this.#resting.size * restPerMessageMs, longestRestMs)
    const delayMs = Math.max(backoffDelayMs(letter.deliveries, backoff, random), among)
    const timer = clock.schedule(delayMs, () => {
      this.#resting.delete(letter)
      this.#queue.putBack(letter)
    })
    this.#resting.set(letter, timer)
  }

  readonly #giveBack = (): void => {
    for (const letter of this.#pending) this.#queue.putBack(letter)
    this.#pending.clear()
    this.#finish()
  }

  #finish(): void {
    this.#closed?.()
    this.#end?.(undefined)
  }
}
