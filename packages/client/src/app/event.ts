import { isJsonType, isTextType, mediaType } from '../media-type.ts'
import { isRecord, textOf, type Json } from '../values.ts'
import type { AppRequest } from './request.ts'

/** A message as the sidecar delivers it: a CloudEvent 1.0. */
export class TopicEvent<T = unknown> {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly subject: string | undefined
  readonly time: Date | undefined
  readonly dataContentType: string | undefined
  readonly pubsubName: string
  readonly topic: string
  /** W3C Trace Context. */
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
  /** Whatever JSON it was; text; or bytes, for data that is binary and for messages without an envelope. */
  readonly data: T
  /** Every attribute as it came, extensions among them. */
  readonly attributes: Json
  /** What the broker said of the message. */
  readonly metadata: Readonly<Record<string, string>>
  /** Aborts when the sidecar has given up waiting. */
  readonly signal: AbortSignal | undefined

  constructor(attributes: Json, data: unknown, context: EventContext) {
    const { pubsubName, topic, metadata = {}, signal } = context
    this.id = text(attributes, 'id') ?? ''
    this.source = text(attributes, 'source') ?? ''
    this.type = text(attributes, 'type') ?? ''
    this.subject = text(attributes, 'subject')
    const time = new Date(text(attributes, 'time') ?? Number.NaN)
    this.time = Number.isNaN(time.getTime()) ? undefined : time
    this.dataContentType = text(attributes, 'datacontenttype')
    this.pubsubName = text(attributes, 'pubsubname') ?? pubsubName
    this.topic = text(attributes, 'topic') ?? topic
    this.traceparent = text(attributes, 'traceparent') ?? text(attributes, 'traceid')
    this.tracestate = text(attributes, 'tracestate')
    this.data = data as T
    this.attributes = attributes
    this.metadata = metadata
    this.signal = signal
  }

  /** The data as JSON, also where it came as bytes or as text. @throws SyntaxError when it is none */
  json<J = T>(): J {
    const { data } = this
    if (data instanceof Uint8Array) return JSON.parse(textOf(data)) as J
    return (
      typeof data === 'string' && !isJsonType(this.dataContentType ?? '') ? JSON.parse(data) : data
    ) as J
  }
}

export interface EventContext {
  readonly pubsubName: string
  readonly topic: string
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly signal?: AbortSignal | undefined
}

/** Body and headers that are no event. */
export class BadEvent extends Error {}

/** Reads a request: an event in structured or binary mode, or a message without an envelope. @throws BadEvent */
export function readEvent(request: AppRequest, context: EventContext): TopicEvent {
  const { headers, body, signal } = request
  const contentType = headers.get('content-type') ?? ''
  const whole = { ...context, metadata: { ...context.metadata, ...metadataOf(headers) }, signal }
  if (headers.has('ce-specversion')) {
    const attributes = binaryAttributes(headers, contentType)
    return new TopicEvent(attributes, dataOf(body, contentType), whole)
  }
  if (isJsonType(contentType)) {
    const value = parse(body)
    if (isCloudEvent(value)) return structured(value, whole)
    if (mediaType(contentType) === 'application/cloudevents+json')
      throw new BadEvent('the body is no CloudEvent: a JSON object with specversion and type is expected')
    return new TopicEvent({ datacontenttype: contentType }, value, whole)
  }
  return new TopicEvent(
    contentType === '' ? {} : { datacontenttype: contentType },
    dataOf(body, contentType),
    whole,
  )
}

/** An event of which attributes and data are one JSON object. @throws BadEvent for data in base64 that is none */
export function structured(value: Json, context: EventContext): TopicEvent {
  const { data, data_base64: base64, ...attributes } = value
  if (base64 === undefined || base64 === null) return new TopicEvent(attributes, data, context)
  return new TopicEvent(attributes, fromBase64(base64), context)
}

export function isCloudEvent(value: unknown): value is Json {
  return isRecord(value) && typeof value['specversion'] === 'string' && typeof value['type'] === 'string'
}

/** @throws BadEvent */
export function fromBase64(value: unknown): Uint8Array {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/\s]*={0,2}$/.test(value))
    throw new BadEvent('data in base64 is expected')
  return new Uint8Array(Buffer.from(value, 'base64'))
}

/** @throws BadEvent */
export function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(body))
  } catch (error) {
    throw new BadEvent(`the body is no JSON: ${(error as Error).message}`)
  }
}

function dataOf(body: Uint8Array, contentType: string): unknown {
  if (isJsonType(contentType)) return body.length === 0 ? undefined : parse(body)
  return isTextType(contentType) ? textOf(body) : body
}

/** Attributes of the binary mode: header values are percent-encoded (CloudEvents HTTP binding, section 3.1.3). */
function binaryAttributes(headers: ReadonlyMap<string, string>, contentType: string): Json {
  const attributes: [string, unknown][] = contentType === '' ? [] : [['datacontenttype', contentType]]
  for (const [name, value] of headers)
    if (name.startsWith('ce-')) attributes.push([name.slice(3), decoded(value)])
  return Object.fromEntries(attributes)
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** Headers that say something about the request, the trace or the envelope. */
const ofRequest =
  /^(?:accept(?:-.*)?|baggage|ce-.*|connection|content-.*|dapr-api-token|date|host|pubsubname|te|traceparent|tracestate|transfer-encoding|user-agent)$/

/** What the broker said stands in headers of its own names; HTTP/1.1 carries UTF-8 in them as bytes. */
function metadataOf(headers: ReadonlyMap<string, string>): Record<string, string> {
  const found: [string, string][] = []
  for (const [name, value] of headers)
    if (!ofRequest.test(name)) found.push([name, Buffer.from(value, 'latin1').toString()])
  return Object.fromEntries(found)
}

function text(attributes: Json, name: string): string | undefined {
  const value = attributes[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}
