import { connectRedis, type RedisArgument, type RedisClient, type SendOptions } from '@outrigger/common-redis'
import { throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  isComponentError,
  type BulkPublishEntry,
  type BulkPublishFailure,
  type BulkPublishRequest,
  type Clock,
  type Deliver,
  type Logger,
  type OperationOptions,
  type PubSub,
  type PubSubCapability,
  type PublishRequest,
  type Random,
  type SubscribeRequest,
  type Subscription,
} from '@outrigger/spec'
import { leaveLua, StreamGroup } from './group.ts'
import { entryFields } from './message.ts'
import { maxBlockMs, StreamSubscription } from './subscription.ts'

export interface PubSubOptions {
  readonly client: RedisClient
  readonly group: string
  readonly concurrency: number
  readonly queueDepth: number
  readonly processingTimeoutMs: number
  readonly redeliverIntervalMs: number
  readonly maxLenApprox: number | undefined
  readonly streamTtlMs: number | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export const capabilities = ['bulkPublish'] as const satisfies readonly PubSubCapability[]

/** A broker on streams: a topic is a stream, an application a consumer group, an instance of it a consumer. */
export class RedisPubSub implements PubSub {
  readonly capabilities: ReadonlySet<PubSubCapability> = new Set(capabilities)
  readonly #options: PubSubOptions
  readonly #leave: (args: readonly RedisArgument[], options?: SendOptions) => Promise<unknown>
  readonly #subscriptions = new Set<Subscription>()
  #closing: Promise<void> | undefined

  constructor(options: PubSubOptions) {
    this.#options = options
    this.#leave = options.client.script({ name: 'outriggerLeave', lua: leaveLua, keys: 1 })
  }

  async publish(request: PublishRequest, { signal }: OperationOptions): Promise<void> {
    await this.#add(request.topic, request, signal)
  }

  async bulkPublish(
    request: BulkPublishRequest,
    { signal }: OperationOptions,
  ): Promise<BulkPublishFailure[]> {
    const { topic, entries } = request
    // They travel together: one write, one answer.
    const results = await Promise.allSettled(entries.map((entry) => this.#add(topic, entry, signal)))
    const failures = results.flatMap((result, index) =>
      result.status === 'rejected'
        ? [{ entryId: entries[index]!.entryId, error: result.reason as Error }]
        : [],
    )
    const first = failures[0]?.error
    if (
      first !== undefined &&
      (signal?.aborted === true || (isComponentError(first) && first.code === 'CLOSED'))
    ) {
      throw first
    }
    return failures
  }

  async subscribe(
    request: SubscribeRequest,
    deliver: Deliver,
    { signal }: OperationOptions,
  ): Promise<Subscription> {
    const { client, clock, random, logger, concurrency, queueDepth, ...rest } = this.#options
    const { topic } = request
    if (this.#closing !== undefined) throw closed()
    throwIfAborted(signal)
    const reader = await connectRedis(client.settings, {
      clock,
      random,
      logger,
      signal: signal ?? new AbortController().signal,
      blockMs: maxBlockMs,
    })
    const consumer = `${rest.group}-${random.uuid()}`
    const group = new StreamGroup({ client, reader, leave: this.#leave, topic, group: rest.group, consumer })
    try {
      await group.create(signal)
      if (this.#closing !== undefined) throw closed()
    } catch (error) {
      await reader.close()
      throw error
    }
    const subscription: Subscription = new StreamSubscription({
      topic,
      group,
      deliver,
      maxInFlight: request.maxInFlight ?? concurrency,
      queueDepth,
      processingTimeoutMs: rest.processingTimeoutMs,
      redeliverIntervalMs: rest.redeliverIntervalMs,
      clock,
      logger,
      dispose: () => reader.close(),
    })
    this.#subscriptions.add(subscription)
    void subscription.ended.then(() => this.#subscriptions.delete(subscription))
    return subscription
  }

  ping({ signal }: OperationOptions): Promise<void> {
    return this.#options.client.ping(signal)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const now = AbortSignal.abort()
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close(now)))
    await this.#options.client.close()
  }

  async #add(
    topic: string,
    entry: PublishRequest | BulkPublishEntry,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (this.#closing !== undefined) throw closed()
    await this.#options.client.send('xadd', [topic, ...this.#trimming(), '*', ...entryFields(entry)], {
      signal,
    })
  }

  #trimming(): RedisArgument[] {
    const { maxLenApprox, streamTtlMs, clock } = this.#options
    if (maxLenApprox !== undefined) return ['MAXLEN', '~', maxLenApprox]
    if (streamTtlMs !== undefined) return ['MINID', '~', `${clock.now() - Math.floor(streamTtlMs)}-1`]
    return []
  }
}

const closed = (): ComponentError => new ComponentError('CLOSED', 'the component was closed')
