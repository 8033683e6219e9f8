import { isUtf8 } from 'node:buffer'
import type { Metadata } from '@outrigger/spec'
import { dataKind, defaultDataType } from './content-type.ts'
import { scanObject, textOf } from './json-scan.ts'
import type { Span } from './json-scan.ts'
import { metadataValue } from './metadata.ts'

export const eventType = 'com.dapr.event.sent'
export const bulkEventType = 'com.dapr.event.sent.bulk'

/** What the runtime knows of a message that it puts into an envelope. */
export interface EnvelopeContext {
  readonly id: string
  /** App id of the publisher. */
  readonly source: string
  readonly topic: string
  readonly pubsubName: string
  /** Milliseconds since the epoch. */
  readonly nowMs: number
  /** When a broker without TTL of its own must no longer deliver it. */
  readonly expiresAtMs?: number | undefined
  readonly traceparent?: string | undefined
  readonly tracestate?: string | undefined
}

/**
 * Puts data into a CloudEvents 1.0 envelope in the JSON format. JSON data stands in it byte for byte, so that
 * numbers stay as they were sent; what is announced as JSON and is none becomes a string.
 */
export function wrap(
  data: Uint8Array,
  contentType: string | undefined,
  metadata: Metadata,
  context: EnvelopeContext,
): Uint8Array {
  const type = contentType === undefined || contentType === '' ? defaultDataType : contentType
  const override = (name: string): string | undefined =>
    nonEmpty(metadataValue(metadata, `cloudevent.${name}`))
  const trace = override('traceparent') ?? override('traceid') ?? context.traceparent
  let head = member('{', 'id', override('id') ?? context.id)
  head += ',"specversion":"1.0"'
  head += member(',', 'source', override('source') ?? nonEmpty(context.source) ?? 'Dapr')
  head += member(',', 'type', override('type') ?? eventType)
  head += member(',', 'datacontenttype', type)
  head += member(',', 'subject', override('subject'))
  head += member(',', 'topic', context.topic)
  head += member(',', 'pubsubname', context.pubsubName)
  head += member(',', 'time', seconds(context.nowMs))
  head += member(',', 'traceid', trace)
  head += member(',', 'traceparent', trace)
  head += member(',', 'tracestate', override('tracestate') ?? nonEmpty(context.tracestate))
  if (context.expiresAtMs !== undefined) {
    head += member(',', 'expiration', new Date(context.expiresAtMs).toISOString())
  }
  return withData(head, data, dataKind(type))
}

/**
 * Fills what a CloudEvent lacks; topic and pubsubname are always those it was published to. Everything else stays
 * byte for byte. Throws a SyntaxError for what is no JSON object.
 */
export function complete(event: Uint8Array, context: EnvelopeContext): Uint8Array {
  const bytes = utf8(event)
  // The scanner does not look into values: this does, and says what is wrong.
  JSON.parse(textOf(bytes))
  const members = scanObject(bytes)
  if (members === undefined) throw new SyntaxError('a CloudEvent is a JSON object')
  const replaced = new Set(['topic', 'pubsubname'])
  let head = member('{', 'topic', context.topic) + member(',', 'pubsubname', context.pubsubName)
  const fill = (name: string, value: string | undefined): void => {
    const span = members.get(name)
    if (span !== undefined && !isNull(bytes, span)) return
    replaced.add(name)
    head += member(',', name, value)
  }
  fill('id', context.id)
  fill('source', 'Dapr')
  fill('type', eventType)
  fill('specversion', '1.0')
  fill('time', seconds(context.nowMs))
  if (!members.has('traceid')) {
    // Both or none: they are one id under two names.
    fill(
      'traceid',
      members.has('traceparent') ? stringAt(bytes, members.get('traceparent')) : context.traceparent,
    )
    fill('traceparent', context.traceparent)
  }
  fill('tracestate', nonEmpty(context.tracestate))
  if (context.expiresAtMs !== undefined) {
    replaced.add('expiration')
    head += member(',', 'expiration', new Date(context.expiresAtMs).toISOString())
  }
  const parts: Uint8Array[] = [Buffer.from(head)]
  for (const [name, span] of members) {
    if (!replaced.has(name)) parts.push(commaBytes, bytes.subarray(span.from, span.end))
  }
  parts.push(endBytes)
  return Buffer.concat(parts)
}

/** The envelope of a message that has none: its bytes in base64, attributes as far as they are known. */
export function wrapRaw(
  data: Uint8Array,
  attributes: Metadata,
  context: Pick<EnvelopeContext, 'id' | 'topic' | 'pubsubName'>,
): Uint8Array {
  const all: Record<string, string> = {
    id: context.id,
    specversion: '1.0',
    source: 'Dapr',
    type: eventType,
    datacontenttype: 'application/octet-stream',
    ...attributes,
    topic: context.topic,
    pubsubname: context.pubsubName,
  }
  let head = ''
  for (const name in all) head += member(head === '' ? '{' : ',', name, all[name])
  return withData(head, data, 'binary')
}

function withData(head: string, data: Uint8Array, kind: ReturnType<typeof dataKind>): Uint8Array {
  if (kind === 'binary') {
    const base64 = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')
    return Buffer.from(`${head},"data_base64":"${base64}"}`)
  }
  const bytes = utf8(data)
  if (kind === 'json' && isJson(bytes))
    return Buffer.concat([Buffer.from(`${head},"data":`), bytes, endBytes])
  return Buffer.from(`${head},"data":${JSON.stringify(textOf(bytes))}}`)
}

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(textOf(bytes))
    return true
  } catch {
    return false
  }
}

/** The bytes, or what replacement characters make of them. */
function utf8(bytes: Uint8Array): Uint8Array {
  return isUtf8(bytes) ? bytes : Buffer.from(textOf(bytes))
}

function member(separator: string, name: string, value: string | undefined): string {
  return value === undefined ? '' : `${separator}${JSON.stringify(name)}:${JSON.stringify(value)}`
}

function isNull(bytes: Uint8Array, span: Span): boolean {
  return span.end - span.start === 4 && bytes[span.start] === 0x6e
}

function stringAt(bytes: Uint8Array, span: Span | undefined): string | undefined {
  if (span === undefined) return undefined
  const value: unknown = JSON.parse(textOf(bytes, span.start, span.end))
  return typeof value === 'string' ? value : undefined
}

function seconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}

const commaBytes = Buffer.from(',')
const endBytes = Buffer.from('}')
