import type { OperationOptions } from '@outrigger/spec'
import { withDeadline } from '../app/time.ts'
import { Calm } from './calm.ts'
import { discover } from './discovery.ts'
import { Publisher } from './publish.ts'
import { SubscriptionRunner } from './runner.ts'
import type { DeliveryShared } from './settle.ts'
import { fromResource, merge } from './subscriptions.ts'
import type { SubscriptionPlan } from './subscriptions.ts'
import type {
  BulkPublishInput,
  PublishFailure,
  PublishInput,
  PubSubEngine,
  PubSubEngineOptions,
  SubscriptionInfo,
} from './types.ts'

/** Creates the engine; nothing is subscribed before `start`. */
export function createPubSubEngine(options: PubSubEngineOptions): PubSubEngine {
  return new Engine(options)
}

class Engine implements PubSubEngine {
  private readonly options: PubSubEngineOptions
  private readonly publisher: Publisher
  private readonly shared: DeliveryShared | undefined
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
    const http = channel?.kind === 'http' ? channel : undefined
    this.shared = http && {
      publisher: this.publisher,
      channel: http,
      calm: new Calm(clock, random),
      clock,
      random,
      logger,
      maxReplyBytes: limits.maxReplyBytes ?? 64 * 1024,
      maxBulkReplyBytes: limits.maxReplyBytes ?? 1024 * 1024,
      deadLetterTimeoutMs: limits.deadLetterTimeoutMs ?? 30_000,
    }
    this.plans = merge([], options.subscriptions.map(fromResource), this.brokerNames(), logger)
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
    return this.plans.map(({ info }) => info)
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
    return this.inTurn(() => this.closeAll(this.force.signal))
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    this.turn = this.turn.then(work, work)
    return this.turn
  }

  private async open(caller: AbortSignal | undefined): Promise<void> {
    const { shared } = this
    if (this.runners !== undefined || shared === undefined || this.publisher.brokers.size === 0) return
    this.opening = new AbortController()
    const signals = [this.opening.signal, this.life.signal, ...(caller === undefined ? [] : [caller])]
    const signal = AbortSignal.any(signals)
    await this.askApplication(shared, signal)
    if (signal.aborted) return
    const runners = this.plans.flatMap((plan) => this.runner(shared, plan) ?? [])
    this.runners = runners
    await Promise.all(runners.map((runner) => aborted(signal, runner.start())))
  }

  /** Adds the subscriptions that the application names itself. */
  private async askApplication(shared: DeliveryShared, signal: AbortSignal): Promise<void> {
    if (this.discovered || this.options.discover === false) return
    const { appId, limits } = this.options
    const { channel, clock, random, logger } = shared
    const maxBytes = limits?.maxSubscriptionsBytes ?? 4 * 1024 * 1024
    const found = await discover({ channel, appId, clock, random, logger, maxBytes, signal })
    if (found === undefined) return
    this.discovered = true
    this.plans = merge(this.plans, found, this.brokerNames(), logger)
  }

  private brokerNames(): ReadonlySet<string> {
    return new Set(this.publisher.brokers.keys())
  }

  private runner(shared: DeliveryShared, plan: SubscriptionPlan): SubscriptionRunner | undefined {
    const { pubsubName, topic } = plan.info
    const broker = this.publisher.brokers.get(pubsubName)
    if (broker === undefined) return undefined
    if (!broker.scopes.maySubscribe(topic)) {
      shared.logger.error(
        `the scopes of pubsub ${pubsubName} do not let ${this.options.appId} subscribe to topic ${topic}`,
      )
      return undefined
    }
    return new SubscriptionRunner(shared, plan, broker, this.options.limits?.maxInFlight)
  }

  private async closeAll(signal: AbortSignal): Promise<void> {
    const runners = this.runners ?? []
    this.runners = undefined
    await Promise.all(runners.map((runner) => runner.close(signal)))
  }
}

/** Waits no longer than until `signal` aborts. */
function aborted(signal: AbortSignal, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    void work.then(resolve, resolve)
  })
}
