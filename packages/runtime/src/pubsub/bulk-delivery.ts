import type { DeliverBulk, IncomingMessage, Metadata, Settlement } from '@outrigger/spec'
import { bulkEventType } from './cloud-events.ts'
import { cloudEventType } from './content-type.ts'
import { ownTopic } from './delivery.ts'
import { receive } from './incoming.ts'
import { readBulkReply } from './reply.ts'
import type { Outcome } from './reply.ts'
import { callFailure, settle } from './settle.ts'
import type { DeliveryShared, SubscriptionLife } from './settle.ts'
import type { SubscriptionPlan } from './subscriptions.ts'

interface Entry {
  readonly entryId: string
  /** Place in the list of messages. */
  readonly index: number
  readonly message: IncomingMessage
  /** JSON: the envelope, or the raw bytes as a base64 string. */
  readonly event: Uint8Array
}

/** Hands several messages to the application at once: one call for each route. What it returns never rejects. */
export function createBulkDelivery(
  shared: DeliveryShared,
  plan: SubscriptionPlan,
  life: SubscriptionLife,
  topicPrefix: string,
): DeliverBulk {
  const { pubsubName } = plan.info

  const call = async (
    path: string,
    entries: readonly Entry[],
  ): Promise<Outcome | ReadonlyMap<string, Outcome>> => {
    try {
      const response = await shared.channel.call({
        method: 'POST',
        path,
        fields: ['content-type', 'application/json', 'metadata.pubsubName', pubsubName],
        body: bulkEnvelope(shared.random.uuid(), plan, entries),
        signal: life.cut,
      })
      shared.calm.succeeded()
      return await readBulkReply(response, shared.maxBulkReplyBytes)
    } catch (error) {
      return callFailure(error)
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
      const event = plan.raw ? base64Json(message.data) : incoming.event.bytes
      const entries = byPath.get(incoming.path) ?? []
      entries.push({ entryId: shared.random.uuid(), index, message, event })
      byPath.set(incoming.path, entries)
    }
    await Promise.all(
      Array.from(byPath, async ([path, entries]) => {
        const answer = await call(path, entries)
        for (const { entryId, index } of entries) {
          outcomes[index] = 'kind' in answer ? answer : (answer.get(entryId) ?? unanswered)
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
    try {
      return await deliver(messages)
    } catch (error) {
      shared.logger.error('messages could not be delivered', { problem: String(error) })
      return nacked()
    }
  }
}

const unanswered: Outcome = { kind: 'retry', reason: 'the application gave no status' }

function bulkEnvelope(id: string, plan: SubscriptionPlan, entries: readonly Entry[]): Uint8Array {
  const { pubsubName, topic } = plan.info
  const head = {
    id,
    type: bulkEventType,
    topic,
    pubsubname: pubsubName,
    metadata: { pubsubName } satisfies Metadata,
  }
  const parts: Uint8Array[] = [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"entries":[`)]
  for (const [index, entry] of entries.entries()) {
    const contentType = entry.message.contentType ?? (plan.raw ? 'application/octet-stream' : cloudEventType)
    const about = { entryId: entry.entryId, contentType, metadata: entry.message.metadata }
    parts.push(
      Buffer.from(`${index === 0 ? '' : ','}${JSON.stringify(about).slice(0, -1)},"event":`),
      entry.event,
      closing,
    )
  }
  parts.push(end)
  return Buffer.concat(parts)
}

function base64Json(data: Uint8Array): Uint8Array {
  return Buffer.from(`"${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')}"`)
}

const closing = Buffer.from('}')
const end = Buffer.from(']}')
