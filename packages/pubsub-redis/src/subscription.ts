import { sleep } from '@outrigger/kit'
import type { Clock, Deliver, IncomingMessage, Logger, Settlement, Subscription } from '@outrigger/spec'
import { isComponentError } from '@outrigger/spec'
import { isGone, type StreamGroup } from './group.ts'
import { incomingMessage, type StreamEntry } from './message.ts'

export interface SubscriptionOptions {
  readonly topic: string
  readonly group: StreamGroup
  readonly deliver: Deliver
  readonly maxInFlight: number
  /** The most entries that one read asks for. */
  readonly queueDepth: number
  /** After this long without a sign of life an entry is delivered again; 0 never. */
  readonly processingTimeoutMs: number
  /** How often to look for such entries; 0 never. */
  readonly redeliverIntervalMs: number
  readonly clock: Clock
  readonly logger: Logger
  /** Closes what belongs to this subscription alone. */
  readonly dispose: () => Promise<void>
}

/** A read blocks no longer than this on the server, so that a lost `unblock` delays a close by no more. */
export const maxBlockMs = 2000
const retryMs = 250
/** How long a hurried close still waits for the read that is under way. */
const graceMs = 250
const sweepEveryMs = 3_600_000

/** Pulls, hands over and settles. One loop reads new entries and claims abandoned ones, each into free slots only. */
export class StreamSubscription implements Subscription {
  readonly ended: Promise<Error | undefined>
  readonly #options: SubscriptionOptions
  readonly #inFlight = new Map<string, Promise<void>>()
  /** Settled, but not confirmed by the server yet: never delivered again. */
  readonly #acked = new Set<string>()
  readonly #acks = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  readonly #over = new AbortController()
  readonly #pulling: Promise<void>
  readonly #leases: Promise<void>
  #end!: (error: Error | undefined) => void
  #freed: (() => void) | undefined
  #closing: Promise<void> | undefined

  constructor(options: SubscriptionOptions) {
    this.#options = options
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.#pulling = this.#pull()
    this.#leases = this.#keepLeases()
  }

  close(signal?: AbortSignal): Promise<void> {
    this.#closing ??= this.#close(signal, undefined)
    return this.#closing
  }

  async #close(signal: AbortSignal | undefined, error: Error | undefined): Promise<void> {
    const { group, dispose, clock } = this.#options
    this.#stop.abort()
    this.#freed?.()
    const hurry = aborted(signal)
    await Promise.race([this.#unblockUntilOver(), hurry.promise.then(() => sleep(clock, graceMs))])
    while (this.#inFlight.size > 0 && !hurry.now()) {
      await Promise.race([...this.#inFlight.values(), hurry.promise])
    }
    // From here on a settlement changes nothing.
    this.#over.abort()
    const left = [...this.#inFlight.keys()]
    this.#inFlight.clear()
    await this.#giveBack(left)
    await Promise.allSettled([...this.#acks, this.#leases])
    await group.leave().catch(ignore)
    hurry.dispose()
    await dispose()
    await this.#pulling
    this.#end(error)
  }

  /** An unblock that comes a moment before the read does nothing, so it is said again. */
  async #unblockUntilOver(): Promise<void> {
    let over = false
    const pulling = this.#pulling.finally(() => (over = true))
    while (!over) {
      await this.#options.group.unblock().catch(ignore)
      const wake = new AbortController()
      await Promise.race([pulling, sleep(this.#options.clock, 50, wake.signal).catch(ignore)])
      wake.abort()
    }
  }

  async #pull(): Promise<void> {
    const { clock, group, logger, topic, redeliverIntervalMs, processingTimeoutMs, queueDepth } =
      this.#options
    const redelivers = redeliverIntervalMs > 0 && processingTimeoutMs > 0
    let claimAt = redelivers ? clock.monotonic() : Infinity
    let sweepAt = clock.monotonic()
    let failing = false
    while (!this.#stop.signal.aborted) {
      try {
        const free = Math.min(await this.#freeSlots(), queueDepth)
        const now = clock.monotonic()
        if (this.#stop.signal.aborted) return
        if (now >= claimAt) {
          const more = await this.#claim(free)
          if (!more) claimAt = clock.monotonic() + redeliverIntervalMs
        } else if (now >= sweepAt) {
          sweepAt = now + sweepEveryMs
          await group.sweep(Math.max(sweepEveryMs, 10 * processingTimeoutMs)).catch(ignore)
        } else {
          const blockMs = Math.max(1, Math.ceil(Math.min(maxBlockMs, claimAt - now)))
          await this.#handAll(await group.read(free, blockMs), () => 1)
        }
        if (failing) logger.info('reading again', { topic })
        failing = false
      } catch (error) {
        if (this.#stop.signal.aborted) return
        if (isFinal(error)) {
          this.#closing ??= this.#close(undefined, error as Error)
          return
        }
        if (isGone(error)) logger.warn('the consumer group is gone, making it anew', { topic })
        else if (!failing)
          logger.warn('cannot read, trying again', { topic, reason: (error as Error).message })
        failing = true
        if (isGone(error)) await group.create(this.#stop.signal).catch(ignore)
        else await sleep(clock, retryMs, this.#stop.signal).catch(ignore)
      }
    }
  }

  /** Takes over what was abandoned; returns whether there may be more of it. */
  async #claim(free: number): Promise<boolean> {
    const { group, processingTimeoutMs } = this.#options
    const pending = await group.pending(processingTimeoutMs, free)
    const wanted = new Map<string, number>()
    for (const { id, deliveries } of pending) {
      if (this.#acked.has(id)) this.#ack(id)
      else if (!this.#inFlight.has(id)) wanted.set(id, deliveries)
    }
    if (wanted.size === 0) return false
    const claimed = await group.claim([...wanted.keys()], processingTimeoutMs)
    await this.#handAll(claimed, (id) => wanted.get(id)! + 1)
    return pending.length === free
  }

  async #handAll(entries: readonly StreamEntry[], count: (id: string) => number): Promise<void> {
    if (this.#stop.signal.aborted) {
      // They came in the moment of closing: others shall not wait for them.
      await this.#giveBack(entries.map(({ id }) => id))
      return
    }
    const { topic, logger } = this.#options
    for (const { id, fields } of entries) {
      if (fields === undefined) {
        this.#ack(id)
        continue
      }
      const message = incomingMessage(topic, fields, count(id), () =>
        logger.warn('the metadata of a message cannot be read', { topic, id }),
      )
      this.#inFlight.set(id, this.#hand(id, message))
    }
  }

  async #hand(id: string, message: IncomingMessage): Promise<void> {
    let settlement: Settlement = 'nack'
    try {
      settlement = await this.#options.deliver(message)
    } catch (error) {
      const { topic, logger } = this.#options
      logger.error('a delivery failed', { topic, id, reason: String(error) })
    } finally {
      if (!this.#over.signal.aborted) {
        this.#inFlight.delete(id)
        if (settlement === 'ack') this.#ack(id)
        this.#freed?.()
      }
    }
  }

  async #giveBack(ids: readonly string[]): Promise<void> {
    const { group, processingTimeoutMs } = this.#options
    if (ids.length > 0) await group.release(ids, processingTimeoutMs).catch(ignore)
  }

  #ack(id: string): void {
    const { group, logger, topic } = this.#options
    this.#acked.add(id)
    const ack = group.ack(id).then(
      () => {
        this.#acked.delete(id)
      },
      (error: Error) => logger.warn('cannot confirm a message yet', { topic, id, reason: error.message }),
    )
    this.#acks.add(ack)
    void ack.finally(() => this.#acks.delete(ack))
  }

  /** Waits until at least one more delivery may begin, and a turn longer, so that one read fills several slots. */
  async #freeSlots(): Promise<number> {
    const { maxInFlight } = this.#options
    while (this.#inFlight.size >= maxInFlight && !this.#stop.signal.aborted) {
      await new Promise<void>((resolve) => (this.#freed = resolve))
      await new Promise(setImmediate)
    }
    this.#freed = undefined
    return maxInFlight - this.#inFlight.size
  }

  async #keepLeases(): Promise<void> {
    const { clock, group, processingTimeoutMs, logger, topic } = this.#options
    if (processingTimeoutMs <= 0) return
    while (!this.#over.signal.aborted) {
      await sleep(clock, processingTimeoutMs / 3, this.#over.signal).catch(ignore)
      if (this.#inFlight.size === 0) continue
      await group
        .extend([...this.#inFlight.keys()])
        .catch((error: Error) => logger.debug('cannot extend the leases', { topic, reason: error.message }))
    }
  }
}

/** What trying again cannot mend: the topic's key holds something else, or this user may not read it. */
function isFinal(error: unknown): boolean {
  if (!isComponentError(error)) return true
  return ['PERMISSION_DENIED', 'FAILED_PRECONDITION', 'UNSUPPORTED'].includes(error.code)
}

function aborted(signal: AbortSignal | undefined) {
  let listener: (() => void) | undefined
  const promise =
    signal === undefined
      ? new Promise<void>(() => {})
      : new Promise<void>((resolve) => {
          if (signal.aborted) resolve()
          else signal.addEventListener('abort', (listener = () => resolve()), { once: true })
        })
  return {
    promise,
    now: () => signal?.aborted === true,
    dispose: () => listener && signal?.removeEventListener('abort', listener),
  }
}

const ignore = (): void => undefined
