import type { IncomingMessage } from '@outrigger/spec'
import { asField, isFieldValue, metadataFields } from '../app/fields.ts'
import type { DeliveredEvent } from './event.ts'

const trace = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}/

/** Metadata that the fields of the runtime take the place of. */
const own: ReadonlySet<string> = new Set(['pubsubname', 'traceparent', 'tracestate'])

/** Header fields with which a message is handed to the application: what the broker says of it goes by its own names. */
export function messageFields(pubsubName: string, message: IncomingMessage, event: DeliveredEvent): string[] {
  const fields = ['content-type', 'application/cloudevents+json']
  metadataFields('', message.metadata, fields, own)
  fields.push('pubsubName', asField(pubsubName))
  traceFields(message, event, fields)
  return fields
}

/** Adds the trace that an event belongs to. */
export function traceFields(message: IncomingMessage, event: DeliveredEvent, fields: string[]): void {
  const parent = [event.text('traceparent'), event.text('traceid'), message.metadata['traceparent']].find(
    (value) => value !== undefined && trace.test(value) && isFieldValue(value),
  )
  if (parent === undefined) return
  fields.push('traceparent', parent)
  const state = event.text('tracestate') ?? message.metadata['tracestate']
  if (state !== undefined && isFieldValue(state)) fields.push('tracestate', asField(state))
}
