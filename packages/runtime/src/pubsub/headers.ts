import type { IncomingMessage, Metadata } from '@outrigger/spec'
import type { DeliveredEvent } from './event.ts'

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// oxlint-disable-next-line no-control-regex -- these are what a field value cannot hold
const unfit = /[\u0000-\u0008\u000a-\u001f\u007f]/
const trace = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}/

/** Fields that say something about the request itself, or that the application trusts. */
const reserved: ReadonlySet<string> = new Set(['content-type', 'content-encoding', 'dapr-api-token', 'host'])

/** Header fields of metadata; what cannot be a field is left out. */
export function metadataFields(prefix: string, metadata: Metadata, fields: string[]): void {
  for (const name in metadata) {
    const value = metadata[name]!
    if (!token.test(name) || unfit.test(value) || reserved.has((prefix + name).toLowerCase())) continue
    fields.push(prefix + name, asField(value))
  }
}

/** A header value is bytes on the wire; text goes as UTF-8. */
export function asField(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1')
}

/** Header fields with which a message is handed to the application. */
export function messageFields(pubsubName: string, message: IncomingMessage, event: DeliveredEvent): string[] {
  const fields = ['content-type', 'application/cloudevents+json']
  metadataFields('metadata.', message.metadata, fields)
  if (message.contentType !== undefined && !unfit.test(message.contentType)) {
    fields.push('metadata.content-type', asField(message.contentType))
  }
  fields.push('metadata.pubsubName', asField(pubsubName))
  const parent = [event.text('traceparent'), event.text('traceid'), message.metadata['traceparent']].find(
    (value) => value !== undefined && trace.test(value) && !unfit.test(value),
  )
  if (parent !== undefined) {
    fields.push('traceparent', parent)
    const state = event.text('tracestate') ?? message.metadata['tracestate']
    if (state !== undefined && !unfit.test(state)) fields.push('tracestate', asField(state))
  }
  return fields
}
