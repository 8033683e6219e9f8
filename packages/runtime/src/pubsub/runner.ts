import type { Clock, Logger, Random, Subscription } from '@outrigger/spec'
import { Backoff, sleep, whilePending } from '../app/time.ts'
import { createBulkDelivery } from './bulk-delivery.ts'
import { BulkBuffer } from './bulk-buffer.ts'
import { createDelivery } from './delivery.ts'
import type { Broker } from './publish.ts'
import type { DeliveryShared, SubscriptionLife } from './settle.ts'
import type { Subscriber } from './subscriber.ts'
import type { SubscriptionPlan } from './subscriptions.ts'

/** A subscription that held this long starts anew with short waits. */
const stableMs = 10_000

/** Keeps one subscription alive: what fails or ends is subscribed again, for ever. */
export class SubscriptionRunner {
  private readonly plan: SubscriptionPlan
  private readonly clock: Clock
  private readonly logger: Logger
  private readonly random: Random
  private readonly subscribe: (signal: AbortSignal) => Promise<Subscription>
  private readonly drainBuffer: () => void
  private readonly attempts = new AbortController()
  private readonly cut = new AbortController()
  private readonly life: SubscriptionLife
  private current: Subscription | undefined
  private loop: Promise<void> | undefined

  constructor(
    shared: DeliveryShared,
    subscriber: Subscriber,
    plan: SubscriptionPlan,
    broker: Broker,
    maxInFlight: number | undefined,
  ) {
    this.plan = plan
    this.clock = shared.clock
    this.logger = shared.logger
    this.random = shared.random
    this.life = { closing: this.attempts.signal, cut: this.cut.signal }
    const { instance, topicPrefix } = broker
    const request = {
      topic: topicPrefix + plan.info.topic,
      metadata: plan.info.metadata,
      ...(maxInFlight === undefined ? {} : { maxInFlight }),
    }
    const { bulk } = plan
    this.drainBuffer = () => {}
    if (bulk === undefined || subscriber.deliverBulk === undefined) {
      const deliver = createDelivery(shared, subscriber, plan, this.life, topicPrefix)
      this.subscribe = (attempt) => instance.subscribe(request, deliver, { signal: attempt })
      return
    }
    const deliverBulk = createBulkDelivery(
      shared,
      subscriber as Required<Subscriber>,
      plan,
      this.life,
      topicPrefix,
    )
    if (instance.capabilities.has('bulkSubscribe') && instance.bulkSubscribe !== undefined) {
      this.subscribe = (attempt) =>
        instance.bulkSubscribe!({ ...request, ...bulk }, deliverBulk, { signal: attempt })
      return
    }
    const buffer = new BulkBuffer(bulk, shared.clock, deliverBulk)
    this.drainBuffer = () => buffer.drain()
    // With fewer than these under way a batch would never fill.
    const gathering = { ...request, maxInFlight: Math.max(maxInFlight ?? 0, bulk.maxMessages) }
    this.subscribe = (attempt) => instance.subscribe(gathering, buffer.deliver, { signal: attempt })
  }

  /** Resolves after the first attempt with what went wrong; it is tried again all the same. */
  start(): Promise<string | undefined> {
    return new Promise((tried) => {
      this.loop = this.run(tried)
    })
  }

  /** Stops pulling and waits for what is under way; that is given up when `signal` aborts. */
  async close(signal?: AbortSignal): Promise<void> {
    const giveUp = (): void => this.cut.abort(signal?.reason)
    if (signal?.aborted) giveUp()
    else signal?.addEventListener('abort', giveUp, { once: true })
    this.attempts.abort()
    this.drainBuffer()
    try {
      await this.current?.close(signal)
    } catch (error) {
      this.logger.warn('a subscription did not close well', { ...this.names(), problem: messageOf(error) })
    } finally {
      signal?.removeEventListener('abort', giveUp)
      this.cut.abort()
    }
    await this.loop
  }

  private async run(tried: (problem?: string) => void): Promise<void> {
    const { signal } = this.attempts
    const backoff = new Backoff({ initialMs: 500, maxMs: 60_000, factor: 1.5 }, this.random)
    while (!signal.aborted) {
      const started = this.clock.monotonic()
      const problem = await this.once(signal, tried)
      tried(problem)
      if (signal.aborted) return
      if (this.clock.monotonic() - started >= stableMs) backoff.reset()
      const waitMs = backoff.nextMs()
      this.logger.error('a subscription failed and is tried again', { ...this.names(), problem, waitMs })
      await sleep(this.clock, waitMs, signal)
    }
  }

  /** One life of the subscription; resolves with what ended it. */
  private async once(signal: AbortSignal, tried: () => void): Promise<string> {
    try {
      const subscription = await whilePending(signal, this.subscribe)
      this.current = subscription
      if (signal.aborted) await subscription.close(this.cut.signal)
      else this.logger.info('subscribed', this.names())
      tried()
      const error = await subscription.ended
      return error === undefined ? 'the broker ended it' : error.message
    } catch (error) {
      return messageOf(error)
    } finally {
      this.current = undefined
    }
  }

  private names(): { readonly pubsub: string; readonly topic: string } {
    return { pubsub: this.plan.info.pubsubName, topic: this.plan.info.topic }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
