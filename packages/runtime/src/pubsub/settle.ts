import type { Clock, IncomingMessage, Logger, Random, Settlement } from '@outrigger/spec'
import { neverReached } from '../app/channel.ts'
import { withDeadline } from '../app/time.ts'
import type { Overload } from '../overload/guard.ts'
import { BreakerError } from '../resiliency/breaker.ts'
import type { Policy } from '../resiliency/policy.ts'
import type { Calm } from './calm.ts'
import type { Publisher } from './publish.ts'
import type { Failure, Outcome } from './reply.ts'
import type { SubscriptionPlan } from './subscriptions.ts'

/** What the deliveries of all subscriptions share. */
export interface DeliveryShared {
  readonly publisher: Publisher
  readonly calm: Calm
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly deadLetterTimeoutMs: number
  /** What applies to the deliveries of a broker. */
  readonly policyOf: (pubsubName: string) => Policy | undefined
  /** Whether messages are held back. */
  readonly overload: Overload | undefined
}

/** What a subscription tells its deliveries about its end. */
export interface SubscriptionLife {
  /** Aborts when the subscription stops: what is under way may finish. */
  readonly closing: AbortSignal
  /** Aborts when nothing may go on. */
  readonly cut: AbortSignal
}

/** A failure of the way to the application, as an outcome. */
export function callFailure(error: unknown): Failure {
  return {
    kind: 'retry',
    reason: error instanceof Error ? error.message : String(error),
    unreachable: neverReached(error) || error instanceof BreakerError,
  }
}

/** Turns what became of a message into an answer to the broker; dead letters are published on the way. */
export async function settle(
  shared: DeliveryShared,
  plan: SubscriptionPlan,
  life: SubscriptionLife,
  message: IncomingMessage,
  outcome: Outcome,
): Promise<Settlement> {
  if (outcome.kind === 'success') return 'ack'
  const { logger } = shared
  const { pubsubName, topic, deadLetterTopic } = plan.info
  const what = { pubsub: pubsubName, topic, reason: outcome.reason }
  if (outcome.kind === 'retry') {
    // The application may fail because it is leaving with us: that makes no dead letters.
    if (life.closing.aborted || life.cut.aborted) return 'nack'
    if (deadLetterTopic === undefined) {
      logger.warn('a message was not processed and goes back to the broker', what)
      if (outcome.unreachable === true) await shared.calm.wait(life.closing)
      return 'nack'
    }
  }
  if (deadLetterTopic === undefined) {
    logger.warn('a message is dropped', what)
    return 'ack'
  }
  try {
    await withDeadline(shared.clock, shared.deadLetterTimeoutMs, life.cut, (signal) =>
      shared.publisher.forward(pubsubName, deadLetterTopic, message, { signal }),
    )
    logger.warn('a message went to the dead letter topic', { ...what, deadLetterTopic })
    return 'ack'
  } catch (error) {
    logger.error('a message could not go to the dead letter topic and goes back to the broker', {
      ...what,
      deadLetterTopic,
      problem: (error as Error).message,
    })
    return 'nack'
  }
}
