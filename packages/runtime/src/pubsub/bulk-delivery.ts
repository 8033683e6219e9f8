import type { DeliverBulk, IncomingMessage, Settlement } from '@outrigger/spec'
import { HeldPlace } from '../app/held-place.ts'
import { deliverBulkByPolicy } from './by-policy.ts'
import { ownTopic } from './delivery.ts'
import { receive } from './incoming.ts'
import type { Outcome } from './reply.ts'
import { callFailure, settle } from './settle.ts'
import type { DeliveryShared, SubscriptionLife } from './settle.ts'
import type { BulkEntry, Subscriber } from './subscriber.ts'
import type { SubscriptionPlan } from './subscriptions.ts'

interface Entry extends BulkEntry {
  /** Place in the list of messages. */
  readonly index: number
}

/** Hands several messages to the subscriber at once: one call for each route. What it returns never rejects. */
export function createBulkDelivery(
  shared: DeliveryShared,
  subscriber: Required<Subscriber>,
  plan: SubscriptionPlan,
  life: SubscriptionLife,
  topicPrefix: string,
): DeliverBulk {
  const policy = shared.policyOf(plan.info.pubsubName)
  const { place: take } = subscriber
  const source = `pubsub ${plan.info.pubsubName}`
  const call = async (
    path: string,
    entries: readonly Entry[],
  ): Promise<Outcome | ReadonlyMap<string, Outcome>> => {
    const id = shared.random.uuid()
    const held = take && new HeldPlace(take, source, life.cut)
    const once = async (some: readonly Entry[], signal: AbortSignal) => {
      const outcomes = await subscriber.deliverBulk(
        { plan, path, id, entries: some, place: held?.current },
        signal,
      )
      if (!('kind' in outcomes) || outcomes.kind !== 'retry' || outcomes.unreachable !== true)
        shared.calm.succeeded()
      return outcomes
    }
    try {
      if (policy !== undefined) {
        const deliver = async (some: readonly Entry[], signal: AbortSignal) => {
          const answer = await once(some, signal)
          return (entryId: string) => outcomeOf(answer, entryId)
        }
        return await deliverBulkByPolicy(policy, life, entries, deliver, held?.next)
      }
      if (held !== undefined) await held.next()
      return await once(entries, life.cut)
    } catch (error) {
      return callFailure(error)
    } finally {
      held?.leave()
    }
  }

  const deliver = async (messages: readonly IncomingMessage[]): Promise<readonly Settlement[]> => {
    const outcomes: (Outcome | undefined)[] = []
    const byPath = new Map<string, Entry[]>()
    for (const [index, message] of messages.entries()) {
      const topic = ownTopic(message.topic, topicPrefix)
      const incoming = receive(message, plan, topic, shared.clock.now(), shared.random)
      if (incoming.kind !== 'send') {
        outcomes[index] = incoming
        continue
      }
      const entries = byPath.get(incoming.path) ?? []
      entries.push({ entryId: shared.random.uuid(), index, message, event: incoming.event })
      byPath.set(incoming.path, entries)
    }
    await Promise.all(
      Array.from(byPath, async ([path, entries]) => {
        const answer = await call(path, entries)
        for (const { entryId, index } of entries) {
          outcomes[index] = outcomeOf(answer, entryId)
        }
      }),
    )
    return Promise.all(
      messages.map((message, index) => settle(shared, plan, life, message, outcomes[index] ?? unanswered)),
    )
  }

  return async (messages) => {
    const nacked = (): Settlement[] => messages.map(() => 'nack')
    if (life.cut.aborted) return nacked()
    if (shared.overload?.over === true) {
      await shared.overload.turn(life.closing)
      if (life.closing.aborted) return nacked()
    }
    try {
      return await deliver(messages)
    } catch (error) {
      shared.logger.error('messages could not be delivered', { problem: String(error) })
      return nacked()
    }
  }
}

function outcomeOf(answer: Outcome | ReadonlyMap<string, Outcome>, entryId: string): Outcome {
  return 'kind' in answer ? answer : (answer.get(entryId) ?? unanswered)
}

const unanswered: Outcome = { kind: 'retry', reason: 'the application gave no status' }
