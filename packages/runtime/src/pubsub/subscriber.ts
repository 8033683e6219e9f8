import type { IncomingMessage } from '@outrigger/spec'
import type { Place, TakePlace } from '../app/channel.ts'
import type { DeliveredEvent } from './event.ts'
import type { Outcome } from './reply.ts'
import type { SubscriptionPlan } from './subscriptions.ts'

/** A message on its way to whoever subscribed. */
export interface Delivery {
  readonly plan: SubscriptionPlan
  /** As the subscriber knows it, without prefix. */
  readonly topic: string
  /** The route that matched. */
  readonly path: string
  readonly message: IncomingMessage
  readonly event: DeliveredEvent
  /** Of this call at the application, where there is a limit. */
  readonly place?: Place | undefined
}

/** Messages that go to one route in one call. */
export interface BulkDelivery {
  readonly plan: SubscriptionPlan
  readonly path: string
  /** Of this call. */
  readonly id: string
  readonly entries: readonly BulkEntry[]
  /** Of this call at the application, where there is a limit. */
  readonly place?: Place | undefined
}

export interface BulkEntry {
  readonly entryId: string
  readonly message: IncomingMessage
  readonly event: DeliveredEvent
}

/**
 * Where the messages of a subscription go: the application over HTTP or gRPC, a stream, a function. What it throws
 * counts as a failed call, to be tried again.
 */
export interface Subscriber {
  /** Waits until a call may be made; absent where there is no limit. */
  readonly place?: TakePlace | undefined
  deliver(delivery: Delivery, signal: AbortSignal): Promise<Outcome>
  /** Without it, messages are delivered one by one. One outcome for all, or one for each entry id; what is not mentioned is to be retried. */
  deliverBulk?(delivery: BulkDelivery, signal: AbortSignal): Promise<Outcome | ReadonlyMap<string, Outcome>>
}
