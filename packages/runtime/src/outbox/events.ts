import type { Metadata, StateOperation, StateSetRequest, StateTransaction } from '@outrigger/spec'
import { wrap, type EnvelopeContext } from '../pubsub/cloud-events.ts'
import { scanObject, textOf, type Span } from '../pubsub/json-scan.ts'
import { metadataValue } from '../pubsub/metadata.ts'
import { OutboxProblem } from './problem.ts'
import { isTruthy } from './truthy.ts'

/** A write, and what its event carries: its own value, or that of a projection. */
export interface OutboxWrite {
  readonly payload: StateSetRequest
  readonly metadata: Metadata
}

export interface SplitTransaction {
  /** What goes to the store: everything but projections. */
  readonly operations: readonly StateOperation[]
  /** One for each upsert among them. */
  readonly writes: readonly OutboxWrite[]
}

const projectionName = 'outbox.projection'
/** Metadata that is meant for the store or for this file. */
const notAttributes: ReadonlySet<string> = new Set([
  projectionName,
  'ttlinseconds',
  'contenttype',
  'data',
  'id',
])
const overridePrefix = 'cloudevent.'

function isProjection(operation: StateOperation): boolean {
  const { metadata } = operation.request
  return operation.operation === 'upsert' && isTruthy(metadataValue(metadata, projectionName))
}

/**
 * Takes the projections out of a transaction: upserts with the metadata `outbox.projection`, which are not saved and
 * say what is published for the key instead. The first of a key counts.
 * @throws OutboxProblem when nothing is saved under the key of a projection
 */
export function splitTransaction({ operations, metadata }: StateTransaction): SplitTransaction {
  const projections = new Map<string, StateSetRequest>()
  const kept: StateOperation[] = []
  for (const operation of operations) {
    if (!isProjection(operation)) kept.push(operation)
    else if (!projections.has(operation.request.key)) {
      projections.set(operation.request.key, operation.request as StateSetRequest)
    }
  }
  const unused = new Set(projections.keys())
  const writes: OutboxWrite[] = []
  for (const { operation, request } of kept) {
    if (operation !== 'upsert') continue
    const projection = projections.get(request.key)
    unused.delete(request.key)
    writes.push({
      payload: projection ?? request,
      metadata: { ...metadata, ...request.metadata, ...projection?.metadata },
    })
  }
  if (unused.size > 0) {
    throw new OutboxProblem(
      `the projection of key ${[...unused][0]} has no operation that saves this key in the same transaction`,
    )
  }
  return { operations: kept, writes }
}

/**
 * The event about a write, on its way through the internal topic: its id is the marker's key. Attributes that the
 * caller names come from the metadata; those named `cloudevent.*` take their places when it is published.
 */
export function internalEvent(write: OutboxWrite, context: EnvelopeContext): Uint8Array {
  const { data, contentType } = dataOf(write.payload)
  const extra: Record<string, string> = {}
  for (const [name, value] of Object.entries(write.metadata)) {
    if (!notAttributes.has(name.toLowerCase())) extra[name] = value
  }
  return withMembers(wrap(data, contentType, {}, context), extra)
}

/** The event as it is published: what was overridden is in its place. */
export function publishedEvent(event: Uint8Array): Uint8Array {
  const members = scanObject(event)
  const overrides: Record<string, string> = {}
  const gone = new Set<string>()
  for (const [name, span] of members ?? []) {
    if (!name.toLowerCase().startsWith(overridePrefix)) continue
    gone.add(name)
    const attribute = name.slice(overridePrefix.length)
    const value = stringAt(event, span)
    if (value !== undefined && attribute !== '' && !/^data(?:_base64)?$/.test(attribute))
      overrides[attribute] = value
  }
  return gone.size === 0 ? event : withMembers(event, overrides, gone)
}

/** The key of the marker that an internal event names. */
export function markerOf(event: Uint8Array): string | undefined {
  const span = scanObject(event)?.get('id')
  const id = span && stringAt(event, span)
  // Whoever can write to the topic must not reach other keys of the store.
  return id !== undefined && /^outbox-[\w-]{1,200}$/.test(id) ? id : undefined
}

/**
 * The bytes of a value and their type. Values of the HTTP API are JSON, whether or not a type was given: a text without
 * a type is what it says, an object or list is announced as what it is.
 */
function dataOf({ value, metadata }: StateSetRequest): {
  readonly data: Uint8Array
  readonly contentType: string | undefined
} {
  const contentType = value.contentType ?? metadataValue(metadata, 'contentType')
  const data = value.bytes
  if (contentType !== undefined || value.kind !== 'json') return { data, contentType }
  const parsed: unknown = JSON.parse(textOf(data))
  if (typeof parsed === 'string') return { data: Buffer.from(parsed), contentType }
  return { data, contentType: typeof parsed === 'object' && parsed !== null ? 'application/json' : undefined }
}

function withMembers(
  event: Uint8Array,
  extra: Readonly<Record<string, string>>,
  without: ReadonlySet<string> = new Set(),
): Uint8Array {
  const added = Object.entries(extra).map(
    ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
  )
  if (added.length === 0 && without.size === 0) return event
  const parts: Uint8Array[] = []
  for (const [name, span] of scanObject(event)!) {
    if (without.has(name) || Object.hasOwn(extra, name)) continue
    parts.push(Buffer.from(parts.length === 0 ? '{' : ','), event.subarray(span.from, span.end))
  }
  const tail = added.join(',')
  parts.push(Buffer.from(tail === '' ? '}' : `${parts.length === 0 ? '{' : ','}${tail}}`))
  return Buffer.concat(parts)
}

function stringAt(bytes: Uint8Array, span: Span): string | undefined {
  try {
    const value: unknown = JSON.parse(textOf(bytes, span.start, span.end))
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}
