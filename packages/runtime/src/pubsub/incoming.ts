import type { IncomingMessage, Metadata, Random } from '@outrigger/spec'
import { wrapRaw } from './cloud-events.ts'
import { dataKind } from './content-type.ts'
import { DeliveredEvent } from './event.ts'
import type { Failure } from './reply.ts'
import type { SubscriptionPlan } from './subscriptions.ts'

/** What is to be done with a message before the application sees it. */
export type Incoming =
  | { readonly kind: 'send'; readonly path: string; readonly event: DeliveredEvent }
  | Failure

/** Puts a message that has no envelope into one, and decides where it goes. */
export function receive(
  message: IncomingMessage,
  plan: SubscriptionPlan,
  topic: string,
  nowMs: number,
  random: Random,
): Incoming {
  const event = envelope(message, plan, topic, random)
  if (event === undefined) return { kind: 'retry', reason: 'it is no CloudEvent in JSON' }
  if (event.expired(nowMs)) return { kind: 'drop', reason: 'it has expired' }
  let path: string | undefined
  try {
    path = plan.routes.match(() => event.value())
  } catch (error) {
    return { kind: 'retry', reason: (error as Error).message }
  }
  return path === undefined ? { kind: 'drop', reason: 'no route matches it' } : { kind: 'send', path, event }
}

function envelope(
  message: IncomingMessage,
  plan: SubscriptionPlan,
  topic: string,
  random: Random,
): DeliveredEvent | undefined {
  const context = { id: random.uuid(), topic, pubsubName: plan.info.pubsubName }
  if (plan.raw) return DeliveredEvent.read(wrapRaw(message.data, traceOf(message.metadata), context))
  const contentType = message.contentType ?? message.metadata['content-type']
  if (contentType !== undefined && dataKind(contentType) === 'binary') {
    return DeliveredEvent.read(wrapRaw(message.data, binaryMode(message.metadata, contentType), context))
  }
  return DeliveredEvent.read(message.data)
}

/** The trace that a message without envelope carries in its metadata. */
function traceOf(metadata: Metadata): Metadata {
  const { traceid, traceparent, tracestate } = metadata
  const trace = traceparent ?? traceid
  return {
    ...(trace === undefined ? {} : { traceid: trace, traceparent: trace }),
    ...(tracestate === undefined ? {} : { tracestate }),
  }
}

/** Attributes of a CloudEvent in binary mode: `ce_id` (Kafka) or `ce-id` (HTTP). */
function binaryMode(metadata: Metadata, contentType: string): Metadata {
  const attributes: Record<string, string> = { ...traceOf(metadata), datacontenttype: contentType }
  for (const name in metadata) {
    const match = /^ce[_-]([a-z0-9]{1,64})$/i.exec(name)
    const attribute = match?.[1]?.toLowerCase()
    if (attribute !== undefined && attribute !== 'data' && attribute !== 'datacontenttype') {
      attributes[attribute] = metadata[name]!
    }
  }
  return attributes
}
