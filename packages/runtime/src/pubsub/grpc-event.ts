/** Events as messages of protobuf. */
import type { JsonObject } from '@outrigger/proto'
import { dataKind } from './content-type.ts'
import type { DeliveredEvent } from './event.ts'

/** What is a field of its own in a message; the rest are extensions. */
const ownFields: ReadonlySet<string> = new Set([
  'id',
  'source',
  'type',
  'specversion',
  'datacontenttype',
  'data',
  'data_base64',
])

/** The fields that a single event and an entry of several have in common. Throws for data that makes no sense. */
export function eventFields(event: DeliveredEvent): {
  id: string
  source: string
  type: string
  specVersion: string
  dataContentType: string
  data: Uint8Array
  extensions: JsonObject
} {
  const value = event.value()
  const extensions: JsonObject = {}
  for (const name in value) if (!ownFields.has(name)) extensions[name] = value[name] as JsonObject[string]
  return {
    id: event.text('id') ?? '',
    source: event.text('source') ?? '',
    type: event.text('type') ?? '',
    specVersion: event.text('specversion') ?? '',
    dataContentType: event.text('datacontenttype') ?? '',
    data: dataOf(event, value),
    extensions,
  }
}

function dataOf(event: DeliveredEvent, value: Record<string, unknown>): Uint8Array {
  const encoded = value['data_base64']
  if (encoded !== undefined && encoded !== null) {
    if (typeof encoded !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(encoded))
      throw new Error('data_base64 of the event is no base64')
    return Buffer.from(encoded, 'base64')
  }
  const { data } = value
  if (data === undefined || data === null) return new Uint8Array(0)
  // As text where it is text; otherwise the JSON just as it came, numbers included.
  if (typeof data === 'string' && !isJson(event.text('datacontenttype') ?? '')) return Buffer.from(data)
  return event.raw('data')!
}

/** Whether a text stands in quotes: as when an envelope is made, `application/x+json` is text. */
function isJson(contentType: string): boolean {
  const kind = dataKind(contentType)
  return kind === 'json' || kind === 'cloud-event'
}
