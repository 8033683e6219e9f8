import {
  isComponentError,
  type Clock,
  type ConfigurationChanges,
  type ConfigurationGetRequest,
  type ConfigurationStore,
  type ConfigurationSubscription,
  type Logger,
  type Random,
} from '@outrigger/spec'
import { Backoff, sleep, whilePending } from '../../app/time.ts'

/**
 * Hears what has changed: items as they are now, `undefined` for keys that are gone. It is not called again before it
 * has settled. The signal aborts when the runtime can wait no longer; `closing` before that, when what is under way may
 * finish and nothing more is wanted.
 */
export type ConfigurationListener = (
  id: string,
  changes: ConfigurationChanges,
  signal: AbortSignal,
  closing: AbortSignal,
) => Promise<void> | void

export interface RunnerOptions {
  readonly id: string
  readonly storeName: string
  readonly store: ConfigurationStore
  readonly request: ConfigurationGetRequest
  readonly listener: ConfigurationListener
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** A subscription that held this long starts anew with short waits. */
const stableMs = 10_000

/** Keeps one subscription alive: one that ends with an error is made again, for ever, and what was missed is told. */
export class SubscriptionRunner {
  /** Resolves when it is over: closed, or the store is. */
  readonly ended: Promise<void>
  readonly storeName: string
  readonly #options: RunnerOptions
  readonly #closing = new AbortController()
  readonly #cut = new AbortController()
  readonly #over: () => void
  #current: ConfigurationSubscription | undefined
  /** Changes are told one after the other. */
  #turn: Promise<void> = Promise.resolve()
  #kept: Promise<void> | undefined

  constructor(options: RunnerOptions) {
    this.#options = options
    this.storeName = options.storeName
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    this.#over = resolve
  }

  /** Subscribes; rejects with what the store says when it cannot, and then there is nothing to close. */
  async start(signal: AbortSignal | undefined): Promise<void> {
    this.#current = await whilePending(signal, (pending) => this.#subscribe(pending))
    this.#kept = this.#keep(this.#current).finally(this.#over)
  }

  /** Tells no more than what is being told. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#current?.close()
    await this.#kept
  }

  /** As `close`, and gives up what is being told. */
  stop(): Promise<void> {
    this.#cut.abort()
    return this.close()
  }

  async #keep(first: ConfigurationSubscription): Promise<void> {
    const { clock, random, logger, storeName } = this.#options
    const { signal } = this.#closing
    const backoff = new Backoff({ initialMs: 500, maxMs: 60_000, factor: 1.5 }, random)
    let current: ConfigurationSubscription | undefined = first
    for (;;) {
      const startedAt = clock.monotonic()
      let problem: unknown
      try {
        current ??= await this.#again()
        problem = await current.ended
      } catch (error) {
        problem = error
      }
      current = undefined
      if (signal.aborted || problem === undefined) return
      if (isComponentError(problem) && problem.code === 'CLOSED') return
      if (clock.monotonic() - startedAt >= stableMs) backoff.reset()
      const waitMs = backoff.nextMs()
      logger.error(`a subscription to configuration store ${storeName} ended and is made again`, {
        problem: problem instanceof Error ? problem.message : String(problem),
        waitMs,
      })
      await sleep(clock, waitMs, signal)
      if (signal.aborted) return
    }
  }

  /** Subscribes once more and tells how things are, since what happened in between nobody has told. */
  async #again(): Promise<ConfigurationSubscription> {
    const { store, request } = this.#options
    const { signal } = this.#closing
    const subscription = await whilePending(signal, (pending) => this.#subscribe(pending))
    this.#current = subscription
    try {
      const items = await store.get(request, { signal })
      const named = request.keys.map(
        (key) => [key, Object.hasOwn(items, key) ? items[key] : undefined] as const,
      )
      await this.#tell(request.keys.length > 0 ? Object.fromEntries(named) : items)
      return subscription
    } catch (error) {
      await subscription.close()
      throw error
    }
  }

  #subscribe(signal: AbortSignal): Promise<ConfigurationSubscription> {
    const { store, request } = this.#options
    return store.subscribe!(request, (changes) => this.#tell(changes), { signal })
  }

  #tell(changes: ConfigurationChanges): Promise<void> {
    const { id, listener, logger, storeName } = this.#options
    this.#turn = this.#turn.then(async () => {
      if (this.#closing.signal.aborted) return
      try {
        await orAborted(listener(id, changes, this.#cut.signal, this.#closing.signal), this.#cut.signal)
      } catch (error) {
        logger.error(`changes of configuration store ${storeName} were not taken`, { error })
      }
    })
    return this.#turn
  }
}

/** Settles with `work`, or when `signal` aborts: one that does not listen to it holds up no end. */
function orAborted(work: Promise<void> | void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => resolve()
    signal.addEventListener('abort', aborted, { once: true })
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', aborted))
  })
}
