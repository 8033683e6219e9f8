import type { Database } from '@outrigger/common-sqlite'
import { backoffDelayMs, throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  type BulkPublishFailure,
  type BulkPublishRequest,
  type BulkSubscribeRequest,
  type Clock,
  type Deliver,
  type DeliverBulk,
  type Logger,
  type OperationOptions,
  type PubSub,
  type PubSubCapability,
  type PublishRequest,
  type Random,
  type SubscribeRequest,
  type Subscription,
} from '@outrigger/spec'
import { Batcher } from './batcher.ts'
import { Consumer } from './consumer.ts'
import { Group } from './group.ts'
import { Janitor } from './janitor.ts'
import { MessageLog } from './log.ts'
import { Wakeup } from './wakeup.ts'

export const capabilities = [
  'ttl',
  'bulkPublish',
  'bulkSubscribe',
  'pause',
] as const satisfies readonly PubSubCapability[]

export interface BrokerOptions {
  readonly consumerID: string
  readonly leaseMs: number
  readonly pollIntervalMs: number
  readonly redeliverIntervalMs: number
  readonly maxRedeliverIntervalMs: number
  readonly retentionMs: number
  readonly maxInFlight: number
  readonly maxSize: number
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** An at-least-once broker in a database file. */
export class SqlitePubSub implements PubSub {
  readonly capabilities: ReadonlySet<PubSubCapability> = new Set(capabilities)
  readonly #database: Database
  readonly #options: BrokerOptions
  readonly #log: MessageLog
  readonly #wakeup: Wakeup
  readonly #janitor: Janitor
  readonly #consumers = new Set<Consumer>()
  #closing: Promise<void> | undefined

  constructor(database: Database, options: BrokerOptions) {
    this.#database = database
    this.#options = options
    this.#log = new MessageLog(database, options.clock, options.maxSize)
    this.#wakeup = new Wakeup(database, options.clock, options.pollIntervalMs, () => this.#wake())
    this.#janitor = new Janitor(database, options, options.retentionMs, () =>
      [...this.#consumers].map((consumer) => consumer.group),
    )
    this.#janitor.start()
  }

  async publish(request: PublishRequest, { signal }: OperationOptions): Promise<void> {
    checkTopic(request.topic)
    await this.#log.append(request.topic, request, signal)
    this.#wake(request.topic)
  }

  async bulkPublish(
    request: BulkPublishRequest,
    { signal }: OperationOptions,
  ): Promise<readonly BulkPublishFailure[]> {
    checkTopic(request.topic)
    const failures = await this.#log.appendAll(request.topic, request.entries, signal)
    this.#wake(request.topic)
    return failures
  }

  async subscribe(
    request: SubscribeRequest,
    deliver: Deliver,
    options: OperationOptions,
  ): Promise<Subscription> {
    return this.#consume(request, deliver, this.#options.maxInFlight, options)
  }

  async bulkSubscribe(
    request: BulkSubscribeRequest,
    deliver: DeliverBulk,
    options: OperationOptions,
  ): Promise<Subscription> {
    const { maxWaitMs } = request
    const limit = request.maxInFlight ?? Math.max(this.#options.maxInFlight, request.maxMessages)
    const { clock } = this.#options
    const batcher = new Batcher(deliver, {
      maxMessages: Math.min(request.maxMessages, limit),
      maxWaitMs,
      clock,
    })
    const consumer = await this.#consume(request, batcher.add, limit, options)
    return {
      ended: consumer.ended,
      pause: () => consumer.pause(),
      resume: () => consumer.resume(),
      close: (signal) => {
        const closed = consumer.close(signal)
        batcher.flush()
        return closed
      },
    }
  }

  async ping({ signal }: OperationOptions): Promise<void> {
    await this.#database.read(() => this.#database.statement('SELECT 1').get(), signal)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #consume(
    request: SubscribeRequest,
    deliver: Deliver,
    maxInFlight: number,
    { signal }: OperationOptions,
  ): Promise<Consumer> {
    throwIfAborted(signal)
    checkTopic(request.topic)
    this.#assertOpen()
    const { clock, random, logger, leaseMs, retentionMs, consumerID } = this.#options
    const group = await Group.join(
      this.#database,
      clock,
      {
        topic: request.topic,
        name: consumerID,
        owner: random.uuid(),
        leaseMs,
        retentionMs,
        redeliverAfterMs: (attempts) => this.#redeliverAfterMs(attempts),
      },
      signal,
    )
    // Closed meanwhile: nobody would end what begins now.
    this.#assertOpen()
    const consumer = new Consumer(group, deliver, {
      maxInFlight: Math.max(1, request.maxInFlight ?? maxInFlight),
      leaseMs,
      clock,
      random,
      logger,
      onRelease: () => this.#wake(request.topic),
      onEnd: () => {
        this.#consumers.delete(consumer)
        if (this.#consumers.size === 0) this.#wakeup.stop()
      },
    })
    this.#consumers.add(consumer)
    this.#wakeup.start()
    consumer.wake()
    return consumer
  }

  #redeliverAfterMs(attempts: number): number {
    const { redeliverIntervalMs: initialMs, maxRedeliverIntervalMs: maxMs, random } = this.#options
    return Math.round(backoffDelayMs(attempts, { initialMs, maxMs, jitter: 0.2 }, random))
  }

  /** Lets the consumers of a topic look again; all of them without one. */
  #wake(topic?: string): void {
    for (const consumer of this.#consumers) {
      if (topic === undefined || consumer.group.topic === topic) consumer.wake()
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new ComponentError('CLOSED', 'the broker was closed')
  }

  async #close(): Promise<void> {
    this.#janitor.stop()
    const aborted = AbortSignal.abort()
    await Promise.all([...this.#consumers].map((consumer) => consumer.close(aborted)))
    this.#wakeup.stop()
    await this.#database.close()
  }
}

function checkTopic(topic: string): void {
  if (topic === '') throw new ComponentError('INVALID_ARGUMENT', 'the topic must not be empty')
}
