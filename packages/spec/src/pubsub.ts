import type { ComponentDefinition, DefinitionInput } from './definition.ts'
import type { LiveComponent, Metadata, OperationOptions } from './operation.ts'

/**
 * - `ttl`: the broker itself drops messages that are older than `ttlSeconds`
 * - `wildcards`: subscriptions may name topics with wildcards
 * - `bulkPublish`, `bulkSubscribe`: the methods of these names exist
 * - `ordering`: within a partition key, order is kept
 * - `pause`: subscriptions can pause and resume
 */
export type PubSubCapability = 'ttl' | 'wildcards' | 'bulkPublish' | 'bulkSubscribe' | 'ordering' | 'pause'

export interface PublishRequest {
  readonly topic: string
  readonly data: Uint8Array
  readonly contentType?: string | undefined
  /** Whole seconds, above 0. Only given to brokers with the `ttl` capability. */
  readonly ttlSeconds?: number | undefined
  readonly metadata: Metadata
}

export interface BulkPublishEntry {
  /** Unique within the request. */
  readonly entryId: string
  readonly data: Uint8Array
  readonly contentType?: string | undefined
  readonly ttlSeconds?: number | undefined
  readonly metadata: Metadata
}

export interface BulkPublishRequest {
  readonly topic: string
  readonly entries: readonly BulkPublishEntry[]
  readonly metadata: Metadata
}

/** The entries that were not published; the others were. */
export interface BulkPublishFailure {
  readonly entryId: string
  readonly error: Error
}

export interface IncomingMessage {
  /** The topic it was published to, which differs from the subscription's where that has wildcards. */
  readonly topic: string
  readonly data: Uint8Array
  readonly contentType?: string | undefined
  readonly metadata: Metadata
  /** How often the broker has handed this message out, counting this time; only where the broker tells. */
  readonly deliveryCount?: number | undefined
}

/**
 * What became of a message.
 * `ack`: it is done with. `nack`: the broker delivers it again, to this or another consumer of the group.
 * Retries with back-off, drops and dead letters are the runtime's business.
 */
export type Settlement = 'ack' | 'nack'

/**
 * Hands one message to the runtime. It never rejects, and may take long: the component extends the broker's lease
 * meanwhile. It calls no more than `maxInFlight` of these at a time, and where the broker keeps order
 * it awaits one before it delivers the next of the same key.
 */
export type Deliver = (message: IncomingMessage) => Promise<Settlement>

/** Hands several messages over at once; the settlements are in the order of the messages. */
export type DeliverBulk = (messages: readonly IncomingMessage[]) => Promise<readonly Settlement[]>

export interface SubscribeRequest {
  readonly topic: string
  /** Metadata of the subscription. */
  readonly metadata: Metadata
  /** At most this many messages are handed over and not settled. Without it the component's own default holds. */
  readonly maxInFlight?: number | undefined
}

export interface BulkSubscribeRequest extends SubscribeRequest {
  readonly maxMessages: number
  readonly maxWaitMs: number
}

/** A running subscription. It reconnects by itself; what it cannot mend ends it. */
export interface Subscription {
  /**
   * Stops pulling, awaits the deliveries that are under way, and then leaves.
   * What is unsettled when `signal` aborts is nacked. May be called twice.
   */
  close(signal?: AbortSignal): Promise<void>
  /** Settles when the subscription is over: with `undefined` after `close`, with the error that ended it otherwise. */
  readonly ended: Promise<Error | undefined>
  pause?(): void
  resume?(): void
}

/** A broker that is connected. */
export interface PubSub extends LiveComponent {
  readonly capabilities: ReadonlySet<PubSubCapability>
  /** Resolves when the broker has taken the message in its charge. */
  publish(request: PublishRequest, options: OperationOptions): Promise<void>
  bulkPublish?(request: BulkPublishRequest, options: OperationOptions): Promise<readonly BulkPublishFailure[]>
  /** Resolves when messages published from now on will be delivered. Its signal aborts this call only. */
  subscribe(request: SubscribeRequest, deliver: Deliver, options: OperationOptions): Promise<Subscription>
  bulkSubscribe?(
    request: BulkSubscribeRequest,
    deliver: DeliverBulk,
    options: OperationOptions,
  ): Promise<Subscription>
}

export const pubsubContract = 'pubsub/1'
export type PubSubDefinition = ComponentDefinition<typeof pubsubContract, PubSubCapability, PubSub>

/** Defines a broker. A package default-exports the result. */
export function definePubSub<V extends object>(
  definition: DefinitionInput<V, PubSubCapability, PubSub>,
): PubSubDefinition {
  return { contract: pubsubContract, ...definition } as PubSubDefinition
}
