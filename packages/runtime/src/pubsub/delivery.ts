import type { Deliver, IncomingMessage } from '@outrigger/spec'
import { HeldPlace } from '../app/held-place.ts'
import { deliverByPolicy } from './by-policy.ts'
import { receive } from './incoming.ts'
import type { Outcome } from './reply.ts'
import { callFailure, settle } from './settle.ts'
import type { DeliveryShared, SubscriptionLife } from './settle.ts'
import type { Subscriber } from './subscriber.ts'
import type { SubscriptionPlan } from './subscriptions.ts'

/** Hands messages to the subscriber one by one. What it returns never rejects. */
export function createDelivery(
  shared: DeliveryShared,
  subscriber: Subscriber,
  plan: SubscriptionPlan,
  life: SubscriptionLife,
  topicPrefix: string,
): Deliver {
  const policy = shared.policyOf(plan.info.pubsubName)
  const { place: take } = subscriber
  const source = `pubsub ${plan.info.pubsubName}`
  const process = async (message: IncomingMessage): Promise<Outcome> => {
    const topic = ownTopic(message.topic, topicPrefix)
    const incoming = receive(message, plan, topic, shared.clock.now(), shared.random)
    if (incoming.kind !== 'send') return incoming
    const { path, event } = incoming
    const held = take && new HeldPlace(take, source, life.cut)
    const once = async (signal: AbortSignal): Promise<Outcome> => {
      const place = held?.current
      const outcome = await subscriber.deliver({ plan, topic, path, message, event, place }, signal)
      if (outcome.kind !== 'retry' || outcome.unreachable !== true) shared.calm.succeeded()
      return outcome
    }
    try {
      if (policy !== undefined) return await deliverByPolicy(policy, life, once, held?.next)
      if (held !== undefined) await held.next()
      return await once(life.cut)
    } catch (error) {
      return callFailure(error)
    } finally {
      held?.leave()
    }
  }
  return async (message) => {
    if (life.cut.aborted) return 'nack'
    if (shared.overload?.over === true) {
      await shared.overload.turn(life.closing)
      if (life.closing.aborted) return 'nack'
    }
    try {
      return await settle(shared, plan, life, message, await process(message))
    } catch (error) {
      shared.logger.error('a message could not be delivered', { problem: String(error) })
      return 'nack'
    }
  }
}

/** The topic as the application knows it. */
export function ownTopic(topic: string, prefix: string): string {
  return prefix !== '' && topic.startsWith(prefix) ? topic.slice(prefix.length) : topic
}
