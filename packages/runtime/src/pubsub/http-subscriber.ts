import type { Metadata } from '@outrigger/spec'
import type { HttpAppChannel } from '../app/channel.ts'
import { bulkEventType } from './cloud-events.ts'
import { cloudEventType } from './content-type.ts'
import { messageFields } from './headers.ts'
import { readBulkReply, readReply } from './reply.ts'
import type { BulkDelivery, Subscriber } from './subscriber.ts'

export interface ReplyLimits {
  readonly maxReplyBytes: number
  readonly maxBulkReplyBytes: number
}

/** Messages as POST requests to the paths of their routes. */
export function httpSubscriber(channel: HttpAppChannel, limits: ReplyLimits): Required<Subscriber> {
  return {
    place: channel.place,
    async deliver({ plan, path, message, event, place }, signal) {
      const response = await channel.call({
        method: 'POST',
        path: requestPath(path),
        fields: messageFields(plan.info.pubsubName, message, event),
        body: event.bytes,
        signal,
        place,
      })
      return readReply(response, limits.maxReplyBytes)
    },
    async deliverBulk(delivery, signal) {
      const response = await channel.call({
        method: 'POST',
        path: requestPath(delivery.path),
        fields: ['content-type', 'application/json', 'pubsubName', delivery.plan.info.pubsubName],
        body: bulkEnvelope(delivery),
        signal,
        place: delivery.place,
      })
      return readBulkReply(response, limits.maxBulkReplyBytes)
    },
  }
}

/** Every path begins with one slash, however it was written. */
export function requestPath(path: string): string {
  return /^\/[^/\s]*[^\s]$/.test(path) ? path : `/${path.trim().replace(/^\/+/, '')}`
}

function bulkEnvelope({ id, plan, entries }: BulkDelivery): Uint8Array {
  const { pubsubName, topic } = plan.info
  const head = {
    id,
    type: bulkEventType,
    topic,
    pubsubname: pubsubName,
    metadata: { pubsubName } satisfies Metadata,
  }
  const parts: Uint8Array[] = [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"entries":[`)]
  for (const [index, { entryId, message, event }] of entries.entries()) {
    const contentType = message.contentType ?? (plan.raw ? 'application/octet-stream' : cloudEventType)
    const about = { entryId, contentType, metadata: message.metadata }
    parts.push(
      Buffer.from(`${index === 0 ? '' : ','}${JSON.stringify(about).slice(0, -1)},"event":`),
      plan.raw ? base64Json(message.data) : event.bytes,
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
