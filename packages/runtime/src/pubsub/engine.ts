import type { OperationOptions } from '@outrigger/spec'
import type { AppChannel } from '../app/channel.ts'
import { withDeadline } from '../app/time.ts'
import { Calm } from './calm.ts'
import { discover } from './discovery.ts'
import { httpSubscriber, type ReplyLimits } from './http-subscriber.ts'
import { PubSubProblem, type PubSubProblemKind } from './problem.ts'
import { Publisher } from './publish.ts'
import { SubscriptionRunner } from './runner.ts'
import type { DeliveryShared } from './settle.ts'
import type { Subscriber } from './subscriber.ts'
import { fromResource, merge, ownPlan } from './subscriptions.ts'
import type { SubscriptionPlan, SubscriptionSource } from './subscriptions.ts'
import type {
  BulkPublishInput,
  OwnSubscription,
  PublishFailure,
  PublishInput,
  PubSubEngine,
  PubSubEngineOptions,
  RunningSubscription,
  SubscriptionInfo,
} from './types.ts'

/** Creates the engine; nothing is subscribed before `start`. */
export function createPubSubEngine(options: PubSubEngineOptions): PubSubEngine {
  return new Engine(options)
}

interface OwnRunner {
  readonly plan: SubscriptionPlan
  readonly close: (signal?: AbortSignal) => Promise<void>
}

class Engine implements PubSubEngine {
  private readonly options: PubSubEngineOptions
  private readonly publisher: Publisher
  private readonly shared: DeliveryShared
  private readonly limits: ReplyLimits
  /** The application; made when it is first needed. */
  private subscriber: Subscriber | undefined
  private readonly own = new Set<OwnRunner>()
  private readonly life = new AbortController()
  /** Aborts when `stop` may wait no longer: a pause under way neither. */
  private readonly force = new AbortController()
  private plans: readonly SubscriptionPlan[]
  /** Whether the application was asked for its subscriptions: once is enough. */
  private discovered = false
  private runners: readonly SubscriptionRunner[] | undefined
  /** Of the start that is under way. */
  private opening: AbortController | undefined
  /** Starts and stops follow one another. */
  private turn: Promise<void> = Promise.resolve()

  constructor(options: PubSubEngineOptions) {
    this.options = options
    const { pubsubs, appId, namespace, clock, random, logger, channel, limits = {} } = options
    this.publisher = new Publisher({
      pubsubs,
      appId,
      namespace,
      clock,
      random,
      bulkParallelism: limits.bulkPublishParallelism ?? 32,
    })
    this.limits = {
      maxReplyBytes: limits.maxReplyBytes ?? 64 * 1024,
      maxBulkReplyBytes: limits.maxReplyBytes ?? 1024 * 1024,
    }
    this.shared = {
      publisher: this.publisher,
      calm: new Calm(clock, random),
      clock,
      random,
      logger,
      deadLetterTimeoutMs: limits.deadLetterTimeoutMs ?? 30_000,
      policyOf: options.policyOf ?? (() => undefined),
      overload: options.overload,
    }
    this.plans = merge([], this.named(options.subscriptions.map(fromResource)), this.brokerNames(), logger)
    if (channel === undefined && this.plans.length > 0) {
      logger.warn('there are subscriptions but no application: give --app-port')
    }
  }

  publish(input: PublishInput, options?: OperationOptions): Promise<void> {
    return this.publisher.publish(input, options)
  }

  bulkPublish(input: BulkPublishInput, options?: OperationOptions): Promise<readonly PublishFailure[]> {
    return this.publisher.bulkPublish(input, options)
  }

  subscriptions(): readonly SubscriptionInfo[] {
    return [...this.plans, ...Array.from(this.own, ({ plan }) => plan)].map(({ info }) => info)
  }

  async subscribe(input: OwnSubscription, subscriber: Subscriber): Promise<RunningSubscription> {
    const { pubsubName, topic } = input
    const { maxOwnSubscriptions = 1000, maxInFlight } = this.options.limits ?? {}
    const broker = this.publisher.broker(pubsubName, topic)
    const problem = (kind: PubSubProblemKind, text: string): PubSubProblem =>
      new PubSubProblem(kind, pubsubName, topic, text)
    if (!broker.scopes.maySubscribe(topic))
      throw problem('forbidden', `topic ${topic} is not allowed for app id ${this.options.appId}`)
    if (this.life.signal.aborted) throw problem('not-subscribed', 'the sidecar is stopping')
    if (this.own.size >= maxOwnSubscriptions)
      throw problem('too-many', `${maxOwnSubscriptions} subscriptions are open already`)
    const plan = ownPlan(input)
    const runner = new SubscriptionRunner(this.shared, subscriber, plan, broker, maxInFlight)
    const closed = new AbortController()
    const own: OwnRunner = {
      plan,
      close: async (signal) => {
        this.own.delete(own)
        const ending = runner.close(signal)
        await ending
        closed.abort()
      },
    }
    this.own.add(own)
    const failure = await runner.start()
    if (failure === undefined) return { closed: closed.signal, close: own.close }
    await own.close(AbortSignal.abort())
    throw problem('not-subscribed', failure)
  }

  start(signal?: AbortSignal): Promise<void> {
    return this.inTurn(() => this.open(signal))
  }

  resume(): Promise<void> {
    return this.inTurn(() => this.open(undefined))
  }

  pause(): Promise<void> {
    this.opening?.abort()
    const { clock, limits } = this.options
    const force = this.force.signal
    return this.inTurn(() =>
      withDeadline(clock, limits?.drainTimeoutMs ?? 30_000, force, (signal) => this.closeAll(signal)),
    )
  }

  stop(signal?: AbortSignal): Promise<void> {
    this.life.abort()
    const giveUp = (): void => this.force.abort()
    if (signal?.aborted) giveUp()
    else signal?.addEventListener('abort', giveUp, { once: true })
    const own = Array.from(this.own, (one) => one.close(this.force.signal))
    return this.inTurn(async () => {
      await Promise.all([this.closeAll(this.force.signal), ...own])
    })
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    this.turn = this.turn.then(work, work)
    return this.turn
  }

  private async open(caller: AbortSignal | undefined): Promise<void> {
    const { channel } = this.options
    if (this.runners !== undefined || channel === undefined || this.publisher.brokers.size === 0) return
    this.opening = new AbortController()
    const signals = [this.opening.signal, this.life.signal, ...(caller === undefined ? [] : [caller])]
    const signal = AbortSignal.any(signals)
    const subscriber = (this.subscriber ??= await this.subscriberOf(channel))
    await this.askApplication(channel, signal)
    if (signal.aborted) return
    const runners = this.plans.flatMap((plan) => this.runner(subscriber, plan) ?? [])
    this.runners = runners
    await Promise.all(runners.map((runner) => aborted(signal, runner.start())))
  }

  private async subscriberOf(channel: AppChannel): Promise<Subscriber> {
    if (channel.kind === 'http') return httpSubscriber(channel, this.limits)
    return (await import('./grpc-subscriber.ts')).grpcSubscriber(channel)
  }

  /** Adds the subscriptions that the application names itself. */
  private async askApplication(channel: AppChannel, signal: AbortSignal): Promise<void> {
    if (this.discovered || this.options.discover === false) return
    const { appId, limits, clock, random, logger } = this.options
    const maxBytes = limits?.maxSubscriptionsBytes ?? 4 * 1024 * 1024
    const found = await discover({ channel, appId, clock, random, logger, maxBytes, signal })
    if (found === undefined) return
    this.discovered = true
    this.plans = merge(this.plans, this.named(found), this.brokerNames(), logger)
  }

  /** Gives subscriptions without a broker the only one that there is, where that is wanted. */
  private named(sources: readonly SubscriptionSource[]): readonly SubscriptionSource[] {
    const [pubsubName, second] = this.publisher.brokers.keys()
    if (this.options.soleBroker !== true || pubsubName === undefined || second !== undefined) return sources
    return sources.map((source) => (source.pubsubName === '' ? { ...source, pubsubName } : source))
  }

  private brokerNames(): ReadonlySet<string> {
    return new Set(this.publisher.brokers.keys())
  }

  private runner(subscriber: Subscriber, plan: SubscriptionPlan): SubscriptionRunner | undefined {
    const { pubsubName, topic } = plan.info
    const broker = this.publisher.brokers.get(pubsubName)
    if (broker === undefined) return undefined
    if (!broker.scopes.maySubscribe(topic)) {
      this.shared.logger.error(
        `the scopes of pubsub ${pubsubName} do not let ${this.options.appId} subscribe to topic ${topic}`,
      )
      return undefined
    }
    return new SubscriptionRunner(this.shared, subscriber, plan, broker, this.options.limits?.maxInFlight)
  }

  private async closeAll(signal: AbortSignal): Promise<void> {
    const runners = this.runners ?? []
    this.runners = undefined
    await Promise.all(runners.map((runner) => runner.close(signal)))
  }
}

/** Waits no longer than until `signal` aborts. */
function aborted(signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    const done = (): void => resolve()
    void work.then(done, done)
  })
}
