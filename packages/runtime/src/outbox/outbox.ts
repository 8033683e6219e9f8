import {
  isComponentError,
  type Clock,
  type Logger,
  type OperationOptions,
  type PubSub,
  type Random,
  type StateOperation,
  type StateTransaction,
} from '@outrigger/spec'
import { EarlierTriesFailed } from '../components/guard.ts'
import type { Live, LiveStateStore } from '../components/live.ts'
import { cloudEventType } from '../pubsub/content-type.ts'
import { isNamespaced } from '../pubsub/scopes.ts'
import type { PubSubEngine } from '../pubsub/types.ts'
import { traced } from '../telemetry/trace-context.ts'
import { Consumer } from './consumer.ts'
import { internalEvent, splitTransaction } from './events.ts'
import { OutboxProblem } from './problem.ts'
import { internalTopic, outboxSettings, type OutboxSettings } from './settings.ts'

export interface OutboxOptions {
  readonly stores: ReadonlyMap<string, LiveStateStore>
  readonly pubsubs: ReadonlyMap<string, Live<PubSub>>
  readonly engine: Pick<PubSubEngine, 'publish'>
  readonly appId: string
  readonly namespace: string
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
}

interface Box {
  readonly store: LiveStateStore
  readonly settings: OutboxSettings
  readonly topic: string
  readonly consumer: Consumer | undefined
}

/** Failed transactions that are remembered; what is forgotten is looked for in the store. */
const mostRefused = 10_000
const certainCodes: ReadonlySet<string> = new Set([
  'INVALID_ARGUMENT',
  'ETAG_MISMATCH',
  'ETAG_INVALID',
  'UNSUPPORTED',
])
const markerValue = { bytes: new TextEncoder().encode('0'), kind: 'binary' } as const

/**
 * Publishes an event for every write of a transaction, if and only if the transaction is committed. Before it is, each
 * event goes to an internal topic, and into the transaction goes a marker that names it. Whoever takes the event from
 * the internal topic looks for the marker: found, the event is published and the marker deleted. Topics, events and
 * markers are Dapr's, so that instances of both can work together. At least once; a crash may publish twice.
 */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #boxes = new Map<string, Box>()
  /** Markers of transactions of this process that are not decided yet. */
  readonly #undecided = new Set<string>()
  /** Markers of the last transactions of this process that were certainly not committed. */
  readonly #refused = new Set<string>()

  constructor(options: OutboxOptions) {
    this.#options = options
    const { stores, pubsubs, engine, appId, namespace, logger, clock, random } = options
    for (const [name, store] of stores) {
      const settings = outboxSettings(store)
      if (settings === undefined) continue
      const topic = internalTopic(appId, namespace, settings)
      const pubsub = pubsubs.get(settings.pubsub)
      if (store.bare.transact === undefined) {
        logger.warn(`state store ${name} has no transactions: its outbox has no effect`)
        continue
      }
      if (pubsub === undefined) {
        logger.error(
          `the outbox of state store ${name} needs the pubsub ${settings.pubsub}, which is not loaded: its transactions will fail`,
        )
      }
      const consumer =
        pubsub &&
        new Consumer({
          pubsub: pubsub.instance,
          topic: (isNamespaced(pubsub) ? namespace : '') + topic,
          store: store.bare,
          storeName: name,
          settings,
          engine,
          isUndecided: (marker) => this.#undecided.has(marker),
          isRefused: (marker) => this.#refused.has(marker),
          logger,
          clock,
          random,
        })
      this.#boxes.set(name, { store, settings, topic, consumer })
    }
  }

  /** Whether transactions of this store go through `transact`. */
  has(storeName: string): boolean {
    return this.#boxes.has(storeName)
  }

  /** How many operations the store will see of a transaction. @throws OutboxProblem as `transact` */
  count(transaction: StateTransaction): number {
    const { operations, writes } = splitTransaction(transaction)
    return operations.length + writes.length
  }

  /**
   * Executes a transaction together with its markers.
   * @throws OutboxProblem when its events cannot be kept; otherwise what the store throws
   */
  async transact(storeName: string, transaction: StateTransaction, options: OperationOptions): Promise<void> {
    const box = this.#boxes.get(storeName)!
    const { store } = box
    const { operations, writes } = splitTransaction(transaction)
    if (box.consumer?.subscribed !== true && writes.length > 0) {
      throw new OutboxProblem(
        `the internal topic ${box.topic} of pubsub ${box.settings.pubsub} is not subscribed to: events would be lost`,
      )
    }
    const markers: string[] = []
    // Its events belong to one trace, as those that are published belong to one.
    const traceable = traced(options, this.#options.random)
    try {
      for (const write of writes) {
        const marker = `outbox-${this.#options.random.uuid()}`
        markers.push(marker)
        this.#undecided.add(marker)
        await this.#keep(box, marker, internalEvent(write, this.#context(box, marker, traceable)), options)
      }
      const all = [...operations.map(store.wrap), ...markers.map(markerOperation)]
      await store.bare.transact!({ operations: all, metadata: transaction.metadata }, options)
    } catch (error) {
      if (isCertain(error)) this.#refuse(markers)
      throw error
    } finally {
      for (const marker of markers) this.#undecided.delete(marker)
    }
  }

  #refuse(markers: readonly string[]): void {
    for (const marker of markers) this.#refused.add(marker)
    for (const oldest of this.#refused) {
      if (this.#refused.size <= mostRefused) break
      this.#refused.delete(oldest)
    }
  }

  /** Subscribes to the internal topics. Resolves when each was tried once; those that failed are tried again for ever. */
  async start(signal?: AbortSignal): Promise<void> {
    await Promise.all(this.#consumers().map((consumer) => consumer.start(signal)))
  }

  /** What is under way when `signal` aborts is given back to the brokers. */
  async stop(signal?: AbortSignal): Promise<void> {
    await Promise.all(this.#consumers().map((consumer) => consumer.stop(signal)))
  }

  #consumers(): readonly Consumer[] {
    return [...this.#boxes.values()].flatMap(({ consumer }) => consumer ?? [])
  }

  #context({ topic, settings }: Box, id: string, { traceparent, tracestate }: OperationOptions) {
    const { appId, clock } = this.#options
    return {
      id,
      source: appId,
      topic,
      pubsubName: settings.pubsub,
      nowMs: clock.now(),
      traceparent,
      tracestate,
    }
  }

  async #keep(
    { topic, settings }: Box,
    marker: string,
    data: Uint8Array,
    options: OperationOptions,
  ): Promise<void> {
    try {
      await this.#options.engine.publish(
        { pubsubName: settings.pubsub, topic, data, contentType: cloudEventType, metadata: {} },
        options,
      )
    } catch (error) {
      throw new OutboxProblem((error as Error).message, error)
    }
  }
}

/** Whether a transaction that failed so was certainly not committed. */
function isCertain(error: unknown): boolean {
  if (error instanceof OutboxProblem) return true
  // After tries of which nobody knows how they ended, an ETag does not match because one of them was committed.
  if (!isComponentError(error) || error.cause instanceof EarlierTriesFailed) return false
  return certainCodes.has(error.code)
}

function markerOperation(key: string): StateOperation {
  return { operation: 'upsert', request: { key, value: markerValue, metadata: {} } }
}
