import { backoffDelayMs } from '@outrigger/kit'
import {
  isComponentError,
  type Clock,
  type Deliver,
  type Logger,
  type Random,
  type Subscription,
  type Timer,
} from '@outrigger/spec'
import type { ClaimedMessage, Group } from './group.ts'

export interface ConsumerOptions {
  readonly maxInFlight: number
  readonly leaseMs: number
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Called once when the subscription is over. */
  readonly onEnd: () => void
  /** Called when messages were given back that others may want. */
  readonly onRelease: () => void
}

const failureBackoff = { initialMs: 50, maxMs: 5000 }
/** Messages of one transaction at most: the event loop waits for as long as it takes. */
const mostClaimed = 256
/** However far away the next delivery is, look this often. */
const longestSleepMs = 60_000

/** A running subscription: claims as much as there is room for, hands it over, settles it, and renews leases meanwhile. */
export class Consumer implements Subscription {
  readonly ended: Promise<Error | undefined>
  readonly group: Group
  readonly #deliver: Deliver
  readonly #options: ConsumerOptions
  readonly #inFlight = new Map<number, ClaimedMessage>()
  readonly #settling = new Set<Promise<void>>()
  #end: (error: Error | undefined) => void = () => {}
  #whenEmpty: (() => void)[] = []
  #pumping: Promise<void> | undefined
  #woken = false
  #paused = false
  #stopped = false
  #failures = 0
  #closing: Promise<void> | undefined
  #wakeTimer: Timer | undefined
  #renewTimer: Timer | undefined

  constructor(group: Group, deliver: Deliver, options: ConsumerOptions) {
    this.group = group
    this.#deliver = deliver
    this.#options = options
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** Something may have changed: look again as soon as there is room. */
  wake(): void {
    this.#woken = true
    if (this.#pumping !== undefined || this.#stopped || this.#paused) return
    this.#pumping = this.#pump().finally(() => {
      this.#pumping = undefined
      if (this.#woken && !this.#full()) this.wake()
    })
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.wake()
  }

  close(signal?: AbortSignal): Promise<void> {
    this.#closing ??= this.#close()
    const abort = (): void => this.#giveBack()
    if (signal?.aborted === true) abort()
    else signal?.addEventListener('abort', abort, { once: true })
    return this.#closing.finally(() => signal?.removeEventListener('abort', abort))
  }

  #full(): boolean {
    return this.#inFlight.size >= this.#options.maxInFlight
  }

  async #pump(): Promise<void> {
    try {
      while (this.#woken && !this.#stopped && !this.#paused && !this.#full()) {
        this.#woken = false
        const { ready, nextVisibleAt } = await this.group.look()
        if (!ready) {
          this.#sleepUntil(nextVisibleAt)
          continue
        }
        const room = this.#options.maxInFlight - this.#inFlight.size
        const claimed = await this.group.claim(Math.min(room, mostClaimed))
        if (this.#stopped || this.#paused) await this.#returnUnseen(claimed)
        else for (const message of claimed) this.#handOver(message)
        this.#woken = true
      }
      this.#failures = 0
    } catch (error) {
      this.#failed(error)
    }
  }

  #sleepUntil(at: number | undefined): void {
    this.#wakeTimer?.cancel()
    this.#wakeTimer = undefined
    if (at === undefined || this.#stopped) return
    const delayMs = Math.min(Math.max(1, at - this.#options.clock.now()), longestSleepMs)
    this.#wakeTimer = this.#options.clock.schedule(delayMs, () => this.wake())
  }

  #failed(error: unknown): void {
    if (this.#stopped) return
    const { clock, random, logger } = this.#options
    if (isComponentError(error) && error.retryable) {
      const delayMs = backoffDelayMs(++this.#failures, failureBackoff, random)
      logger.warn('messages could not be claimed; trying again', { topic: this.group.topic, delayMs, error })
      this.#woken = false
      this.#wakeTimer?.cancel()
      this.#wakeTimer = clock.schedule(delayMs, () => this.wake())
      return
    }
    this.#stop()
    this.#end(error instanceof Error ? error : new Error(String(error)))
  }

  #handOver(message: ClaimedMessage): void {
    // Its lease ran out here while it was being delivered, and has just been taken again.
    if (this.#inFlight.has(message.id)) return
    this.#inFlight.set(message.id, message)
    this.#renewLater()
    void this.#deliver(message.incoming)
      .catch(() => 'nack' as const)
      .then((settlement) => {
        // Given back in the meantime: somebody else's now.
        if (!this.#remove(message)) return
        // Only when a nack is committed can be seen when its message is due again.
        const settled = this.group.settle(message, settlement).then(() => {
          if (settlement === 'nack') this.wake()
        })
        this.#track(settled, 'a message could not be settled and will come again')
        this.wake()
      })
  }

  #remove(message: ClaimedMessage): boolean {
    if (!this.#inFlight.delete(message.id)) return false
    if (this.#inFlight.size === 0) {
      this.#renewTimer?.cancel()
      this.#renewTimer = undefined
      for (const resolve of this.#whenEmpty.splice(0)) resolve()
    }
    return true
  }

  #renewLater(): void {
    this.#renewTimer ??= this.#options.clock.schedule(this.#options.leaseMs / 3, () => {
      this.#renewTimer = undefined
      if (this.#inFlight.size === 0) return
      this.#track(this.group.renew([...this.#inFlight.values()]), 'leases could not be renewed')
      this.#renewLater()
    })
  }

  /** Claimed, and then there was nobody to take it. */
  async #returnUnseen(messages: readonly ClaimedMessage[]): Promise<void> {
    if (messages.length === 0) return
    await this.group.release(messages, false)
    this.#options.onRelease()
  }

  /** Nacks whatever is under way, at once. */
  #giveBack(): void {
    const messages = [...this.#inFlight.values()]
    if (messages.length === 0) return
    const released = this.group.release(messages, true).then(() => this.#options.onRelease())
    this.#track(released, 'messages could not be given back; they come again when their lease is over')
    for (const message of messages) this.#remove(message)
  }

  #track(work: Promise<void>, warning: string): void {
    const tracked = work
      .catch((error: unknown) => this.#options.logger.warn(warning, { topic: this.group.topic, error }))
      .finally(() => this.#settling.delete(tracked))
    this.#settling.add(tracked)
  }

  #stop(): void {
    this.#stopped = true
    this.#wakeTimer?.cancel()
    this.#options.onEnd()
  }

  async #close(): Promise<void> {
    if (!this.#stopped) this.#stop()
    await this.#pumping
    if (this.#inFlight.size > 0) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve))
    while (this.#settling.size > 0) await Promise.all(this.#settling)
    this.#end(undefined)
  }
}
