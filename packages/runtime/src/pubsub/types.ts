import type { Clock, Logger, Metadata, OperationOptions, PubSub, Random } from '@outrigger/spec'
import type { AppChannel } from '../app/channel.ts'
import type { Live } from '../components/live.ts'
import type { Overload } from '../overload/guard.ts'
import type { Policy } from '../resiliency/policy.ts'
import type { RouteRule, SubscriptionResource } from '../resources/model.ts'
import type { Subscriber } from './subscriber.ts'

export interface PublishInput {
  readonly pubsubName: string
  readonly topic: string
  readonly data: Uint8Array
  /** Content type of the request; default `text/plain`. */
  readonly contentType?: string | undefined
  /** Metadata of the request: `rawPayload`, `ttlInSeconds`, `cloudevent.*` and what the component knows. */
  readonly metadata: Metadata
}

export interface BulkPublishInputEntry {
  /** Unique and not empty: the caller has checked it. */
  readonly entryId: string
  readonly data: Uint8Array
  readonly contentType?: string | undefined
  /** Wins over the metadata of the request. */
  readonly metadata?: Metadata | undefined
  /** Of this entry's own span; default: that of the request. */
  readonly traceparent?: string | undefined
}

export interface BulkPublishInput {
  readonly pubsubName: string
  readonly topic: string
  readonly entries: readonly BulkPublishInputEntry[]
  readonly metadata: Metadata
}

export interface PublishFailure {
  readonly entryId: string
  readonly error: Error
}

/** A subscription as `GET /v1.0/metadata` shows it. */
export interface SubscriptionInfo {
  readonly pubsubName: string
  readonly topic: string
  readonly metadata: Metadata
  /** The default route is the last one, with an empty `match`. */
  readonly rules: readonly RouteRule[]
  readonly deadLetterTopic: string | undefined
  readonly type: 'DECLARATIVE' | 'PROGRAMMATIC' | 'STREAMING'
}

/** A subscription of somebody who takes the messages himself, instead of the application's routes. */
export interface OwnSubscription {
  readonly pubsubName: string
  readonly topic: string
  readonly metadata: Metadata
  readonly deadLetterTopic: string | undefined
}

export interface PubSubLimits {
  /** Subscriptions by stream or function at a time. Default 1000. */
  readonly maxOwnSubscriptions?: number
  /** Bytes of an application's answer to a message that are read. Default 64 KiB; of a bulk: 1 MiB. */
  readonly maxReplyBytes?: number
  /** Bytes of the answer of GET /dapr/subscribe. Default 4 MiB. */
  readonly maxSubscriptionsBytes?: number
  /** Messages under way of one bulk publish with a component that has none. Default 32. */
  readonly bulkPublishParallelism?: number
  /** How long publishing to a dead letter topic may take. Default 30000. */
  readonly deadLetterTimeoutMs?: number
  /** How long `pause` waits for messages under way. Default 30000. */
  readonly drainTimeoutMs?: number
  /** Given to the components with each subscription. Default: the component's own. */
  readonly maxInFlight?: number
}

export interface PubSubEngineOptions {
  readonly pubsubs: ReadonlyMap<string, Live<PubSub>>
  /** Absent when there is no application: nothing is subscribed then. */
  readonly channel: AppChannel | undefined
  readonly appId: string
  readonly namespace: string
  /** Declarative subscriptions of this application, in the order of loading. */
  readonly subscriptions: readonly SubscriptionResource[]
  /** Ask the application with GET /dapr/subscribe; `false` with `--disable-init-endpoints`. Default true. */
  readonly discover?: boolean
  /** A subscription without pubsubname is one of the only broker, where there is just one. Default false. */
  readonly soleBroker?: boolean
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  readonly limits?: PubSubLimits
  /** What applies to the deliveries of a broker. Default: nothing, each is tried once. */
  readonly policyOf?: ((pubsubName: string) => Policy | undefined) | undefined
  /** Whether messages are held back. Default: never. */
  readonly overload?: Overload | undefined
}

export interface RunningSubscription {
  readonly closed: AbortSignal
  close(signal?: AbortSignal): Promise<void>
}

/** Publishing and everything between the brokers and the application. */
export interface PubSubEngine {
  /** Throws a PubSubProblem. */
  publish(input: PublishInput, options?: OperationOptions): Promise<void>
  /** Resolves with the entries that failed; throws a PubSubProblem when the request as a whole is refused. */
  bulkPublish(input: BulkPublishInput, options?: OperationOptions): Promise<readonly PublishFailure[]>
  /**
   * Has messages delivered to `subscriber`, besides all other subscriptions, until the result is closed: that
   * stops pulling and waits for what is under way until `signal` aborts; `closed` aborts when the engine ends it.
   * Needs no application. Throws a PubSubProblem when the broker cannot be subscribed to.
   */
  subscribe(input: OwnSubscription, subscriber: Subscriber): Promise<RunningSubscription>
  /**
   * Discovers the subscriptions and starts them. Resolves when each was tried once; those that failed are
   * tried again for ever. The signal ends the discovery.
   */
  start(signal?: AbortSignal): Promise<void>
  /** The application is not healthy: stops all subscriptions and waits for messages under way. */
  pause(): Promise<void>
  /** Undoes `pause`; starts when nothing was started yet. */
  resume(): Promise<void>
  /** For ever. What is under way when `signal` aborts is given back to the brokers. Publishing goes on. */
  stop(signal?: AbortSignal): Promise<void>
  subscriptions(): readonly SubscriptionInfo[]
}
