import type {
  Clock,
  IncomingMessage,
  Logger,
  PubSub,
  Random,
  Settlement,
  StateStore,
  Subscription,
} from '@outrigger/spec'
import { Backoff, sleep, whilePending, withDeadline } from '../app/time.ts'
import { cloudEventType } from '../pubsub/content-type.ts'
import type { PubSubEngine } from '../pubsub/types.ts'
import { markerOf, publishedEvent } from './events.ts'
import type { OutboxSettings } from './settings.ts'

export interface ConsumerOptions {
  readonly pubsub: PubSub
  /** The internal topic as the broker knows it. */
  readonly topic: string
  /** Where the markers are. */
  readonly store: StateStore
  readonly storeName: string
  readonly settings: OutboxSettings
  readonly engine: Pick<PubSubEngine, 'publish'>
  /** Whether the transaction of a marker is under way in this process. */
  readonly isUndecided: (marker: string) => boolean
  /** Whether this process knows that the transaction of a marker was not committed. */
  readonly isRefused: (marker: string) => boolean
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
}

/** How long a marker is looked for, as in Dapr. */
const patienceMs = 11_000
const markerWaits = { initialMs: 50, maxMs: 3000, factor: 2 }
const subscribeWaits = { initialMs: 500, maxMs: 60_000, factor: 1.5 }
const subscribeTimeoutMs = 10_000

type Found = 'found' | 'missing' | 'unknown'

/** Takes the events of one outbox from the internal topic and publishes those whose transaction was committed. */
export class Consumer {
  readonly #options: ConsumerOptions
  readonly #life = new AbortController()
  readonly #cut = new AbortController()
  #current: Subscription | undefined
  #loop: Promise<void> | undefined
  #subscribed = false

  constructor(options: ConsumerOptions) {
    this.#options = options
  }

  /** Whether the broker has known of the subscription at least once: from then on it keeps events for it. */
  get subscribed(): boolean {
    return this.#subscribed
  }

  start(signal?: AbortSignal): Promise<void> {
    return new Promise((tried) => {
      signal?.addEventListener('abort', () => tried(), { once: true })
      this.#loop = this.#run(tried)
    })
  }

  async stop(signal?: AbortSignal): Promise<void> {
    const giveUp = (): void => this.#cut.abort()
    if (signal?.aborted) giveUp()
    else signal?.addEventListener('abort', giveUp, { once: true })
    this.#life.abort()
    try {
      await this.#current?.close(signal)
    } catch (error) {
      this.#options.logger.warn('the subscription of an outbox did not close well', this.#names(error))
    } finally {
      this.#cut.abort()
    }
    await this.#loop
  }

  async #run(tried: () => void): Promise<void> {
    const { clock, logger, random } = this.#options
    const { signal } = this.#life
    const backoff = new Backoff(subscribeWaits, random)
    while (!signal.aborted) {
      const problem = await this.#once(signal, () => {
        backoff.reset()
        tried()
      })
      tried()
      if (signal.aborted) return
      const waitMs = backoff.nextMs()
      logger.error('the subscription of an outbox failed and is tried again', {
        ...this.#names(problem),
        waitMs,
      })
      await sleep(clock, waitMs, signal)
    }
  }

  /** One life of the subscription; resolves with what ended it. */
  async #once(life: AbortSignal, opened: () => void): Promise<unknown> {
    const { pubsub, topic, clock } = this.#options
    try {
      const deliver = (message: IncomingMessage): Promise<Settlement> => this.#deliver(message)
      const subscription = await withDeadline(clock, subscribeTimeoutMs, life, (signal) =>
        pubsub.subscribe({ topic, metadata: {} }, deliver, { signal }),
      )
      this.#current = subscription
      if (life.aborted) await subscription.close(this.#cut.signal)
      this.#subscribed = true
      opened()
      return (await subscription.ended) ?? 'the broker ended it'
    } catch (error) {
      return error
    } finally {
      this.#current = undefined
    }
  }

  async #deliver({ data }: IncomingMessage): Promise<Settlement> {
    const { logger, settings, storeName } = this.#options
    const marker = markerOf(data)
    if (marker === undefined) {
      logger.error('an event of an outbox names no marker and is dropped', this.#names())
      return 'ack'
    }
    if (this.#options.isRefused(marker)) return 'ack'
    try {
      const found = await this.#find(marker)
      if (this.#options.isRefused(marker)) return 'ack'
      if (found !== 'found') {
        const drop = found === 'missing' && settings.discard && !this.#options.isUndecided(marker)
        logger.warn(
          drop
            ? 'no committed transaction was found for an event of an outbox: it is discarded'
            : 'no committed transaction was found for an event of an outbox: it is looked for again later',
          { ...this.#names(), marker },
        )
        return drop ? 'ack' : 'nack'
      }
      await this.#options.engine.publish(
        {
          pubsubName: settings.publishPubsub,
          topic: settings.publishTopic,
          data: publishedEvent(data),
          contentType: cloudEventType,
          metadata: {},
        },
        { signal: this.#cut.signal },
      )
      return (await this.#forget(marker)) ? 'ack' : 'nack'
    } catch (error) {
      logger.error(`an event of the outbox of ${storeName} could not be published: it is tried again`, {
        ...this.#names(error),
        marker,
      })
      return 'nack'
    }
  }

  /** Looks for a marker for a while: the transaction may be on its way still. */
  async #find(marker: string): Promise<Found> {
    const { store, logger, isRefused } = this.#options
    const last: { found: Found; problem?: unknown } = { found: 'missing' }
    const over = await this.#repeatedly(async (signal) => {
      try {
        const item = await store.get({ key: marker, consistency: 'strong', metadata: {} }, { signal })
        last.found = item === undefined || item.value.bytes.length === 0 ? 'missing' : 'found'
      } catch (error) {
        last.found = 'unknown'
        last.problem = error
      }
      return last.found === 'found' || isRefused(marker)
    })
    if (last.found === 'unknown') {
      logger.warn('the marker of an event of an outbox could not be read', this.#names(last.problem))
    }
    // Who stopped looking before the time was up knows nothing.
    return !over && this.#life.signal.aborted ? 'unknown' : last.found
  }

  async #forget(marker: string): Promise<boolean> {
    const { store, logger } = this.#options
    let problem: unknown
    const gone = await this.#repeatedly(async (signal) => {
      try {
        await store.delete({ key: marker, metadata: {} }, { signal })
        return true
      } catch (error) {
        problem = error
        return false
      }
    })
    if (!gone) logger.warn('the marker of a published event could not be deleted', this.#names(problem))
    return gone
  }

  /** Tries until it is so, the time is up or everything ends. Waits end with the subscription, calls with the cut. */
  async #repeatedly(attempt: (signal: AbortSignal) => Promise<boolean>): Promise<boolean> {
    const { clock, random } = this.#options
    const end = clock.monotonic() + patienceMs
    const backoff = new Backoff(markerWaits, random)
    for (;;) {
      const done = await whilePending(this.#cut.signal, attempt)
      if (done) return true
      const leftMs = end - clock.monotonic()
      if (leftMs <= 0 || this.#life.signal.aborted) return false
      if (!(await sleep(clock, Math.min(backoff.nextMs(), leftMs), this.#life.signal))) return false
    }
  }

  #names(error?: unknown): Readonly<Record<string, unknown>> {
    const { storeName, settings, topic } = this.#options
    const problem = error === undefined ? undefined : error instanceof Error ? error.message : String(error)
    return {
      store: storeName,
      pubsub: settings.pubsub,
      topic,
      ...(problem === undefined ? {} : { problem }),
    }
  }
}
