import { TopicEventResponse_TopicEventResponseStatus as Status } from '@outrigger/proto/appcallback'
import type { IncomingMessage, Metadata } from '@outrigger/spec'
import { grpcStatus, isGrpcError } from '@outrigger/wire/grpc'
import { alphaCallbacks, callbacks } from '../app/callbacks.ts'
import type { GrpcAppChannel, Place } from '../app/channel.ts'
import { asField, isFieldValue } from '../app/fields.ts'
import { hopByHop } from '../app/hop-by-hop.ts'
import { isTrustedField } from '../app/trusted-fields.ts'
import { bulkEventType } from './cloud-events.ts'
import { cloudEventType } from './content-type.ts'
import type { DeliveredEvent } from './event.ts'
import { eventFields } from './grpc-event.ts'
import { traceFields } from './headers.ts'
import { ofStatus, type Outcome } from './reply.ts'
import { callFailure } from './settle.ts'
import type { BulkDelivery, Delivery, Subscriber } from './subscriber.ts'

/** Messages as `OnTopicEvent`, several at once as `OnBulkTopicEvent` or, to older applications, its alpha form. */
export function grpcSubscriber(channel: GrpcAppChannel): Required<Subscriber> {
  let bulk = callbacks.onBulkTopicEvent
  const callBulk = async (
    request: BulkRequest,
    signal: AbortSignal,
    place: Place | undefined,
  ): Promise<BulkResponse> => {
    const metadata = metadataOf(request.metadata, request.pubsubName)
    try {
      return await channel.call(bulk, request, { metadata, signal, place })
    } catch (error) {
      if (bulk === alphaCallbacks.onBulkTopicEventAlpha1 || !isUnimplemented(error)) throw error
      const response = await channel.call(alphaCallbacks.onBulkTopicEventAlpha1, request, {
        metadata,
        signal,
      })
      bulk = alphaCallbacks.onBulkTopicEventAlpha1
      return response
    }
  }
  return {
    place: channel.place,
    async deliver(delivery, signal) {
      const metadata = metadataOf(delivery.message.metadata, delivery.plan.info.pubsubName)
      traceFields(delivery.message, delivery.event, metadata)
      try {
        const request = eventMessage(delivery)
        const { status } = await channel.call(callbacks.onTopicEvent, request, {
          metadata,
          signal,
          place: delivery.place,
        })
        return ofCode(status)
      } catch (error) {
        if (isUnimplemented(error)) return unserved
        return failure(error)
      }
    },
    async deliverBulk(delivery, signal) {
      try {
        const { statuses } = await callBulk(bulkMessage(delivery), signal, delivery.place)
        return new Map(statuses.map(({ entryId, status }) => [entryId, ofCode(status)]))
      } catch (error) {
        if (isUnimplemented(error)) return unserved
        return failure(error)
      }
    },
  }
}

function failure(error: unknown): Outcome {
  return isGrpcError(error) ? { ...callFailure(error), grpc: error.code } : callFailure(error)
}

type BulkRequest = ReturnType<typeof bulkMessage>
type BulkResponse = ReturnType<(typeof callbacks)['onBulkTopicEvent']['output']['decode']>

/** As with 404 over HTTP: trying again would not help. */
const unserved: Outcome = { kind: 'drop', reason: 'the application does not implement it' }

function isUnimplemented(error: unknown): boolean {
  return isGrpcError(error) && error.code === grpcStatus.UNIMPLEMENTED
}

const names = new Map(Object.entries(Status).map(([name, code]) => [code as number, name]))

/** What the number of a status means; one that is not known is to be retried. */
export function ofCode(status: number): Outcome {
  return ofStatus(names.get(status) ?? String(status))
}

/** An event as its subscriber gets it over gRPC. */
export function eventMessage({ plan, topic, path, event }: Delivery) {
  return { ...eventFields(event), topic, pubsubName: plan.info.pubsubName, path }
}

function bulkMessage({ id, plan, path, entries }: BulkDelivery) {
  const { pubsubName, topic } = plan.info
  return {
    id,
    type: bulkEventType,
    topic,
    pubsubName,
    path,
    metadata: { pubsubName } as Record<string, string>,
    entries: entries.map(({ entryId, message, event }) => ({
      entryId,
      contentType: message.contentType ?? (plan.raw ? 'application/octet-stream' : cloudEventType),
      metadata: { ...message.metadata },
      event: plan.raw ? rawEvent(message) : cloudEvent(event),
    })),
  }
}

function rawEvent({ data }: IncomingMessage) {
  return { case: 'bytes' as const, value: data }
}

function cloudEvent(event: DeliveredEvent) {
  return { case: 'cloudEvent' as const, value: eventFields(event) }
}

/** Metadata of a message as that of a call, with the broker's name; what gRPC keeps for itself is left out, and so is the trace. */
function metadataOf(metadata: Metadata, pubsubName: string): string[] {
  const fields = ['pubsubname', asField(pubsubName)]
  for (const key in metadata) {
    const name = key.toLowerCase()
    const value = metadata[key]!
    if (!/^[a-z0-9_.-]+$/.test(name) || kept.test(name) || !isFieldValue(value)) continue
    if (hopByHop.has(name) || isTrustedField(name)) continue
    fields.push(name, asField(value))
  }
  return fields
}

const kept = /^(?:grpc-.*|.*-bin|host|content-.*|user-agent|pubsubname|traceparent|tracestate)$/
