import { isRecord, type Json } from '../values.ts'
import {
  BadEvent,
  fromBase64,
  isCloudEvent,
  parse,
  structured,
  TopicEvent,
  type EventContext,
} from './event.ts'

/** One message of several. */
export interface BulkEntry<T = unknown> {
  readonly entryId: string
  readonly event: TopicEvent<T>
}

/** A message that cannot be read, beside others that can. */
export interface BadEntry {
  readonly entryId: string
  readonly problem: string
}

export interface BulkRequest {
  readonly entries: readonly BulkEntry[]
  readonly bad: readonly BadEntry[]
}

const mostEntries = 10_000

/** Whether a parsed body is several messages. */
export function isBulk(value: unknown): value is Json {
  return isRecord(value) && Array.isArray(value['entries']) && !isCloudEvent(value)
}

/** Reads several messages. `raw`: they have no envelope. @throws BadEvent */
export function readBulk(body: Uint8Array, raw: boolean, context: EventContext): BulkRequest {
  const value = parse(body)
  if (!isBulk(value)) throw new BadEvent('an object with "entries" is expected')
  const list = value['entries'] as readonly unknown[]
  if (list.length > mostEntries)
    throw new BadEvent(`${list.length} entries; at most ${mostEntries} are allowed`)
  const entries: BulkEntry[] = []
  const bad: BadEntry[] = []
  for (const item of list) {
    const entryId = isRecord(item) ? item['entryId'] : undefined
    if (!isRecord(item) || typeof entryId !== 'string' || entryId === '')
      throw new BadEvent('an entry has no entryId')
    try {
      entries.push({ entryId, event: eventOf(item, raw, context) })
    } catch (error) {
      bad.push({ entryId, problem: (error as Error).message })
    }
  }
  return { entries, bad }
}

function eventOf(item: Json, raw: boolean, context: EventContext): TopicEvent {
  const { event, contentType, metadata } = item
  const whole = { ...context, metadata: { ...context.metadata, ...texts(metadata) } }
  if (isCloudEvent(event)) return structured(event, whole)
  const attributes = typeof contentType === 'string' ? { datacontenttype: contentType } : {}
  return new TopicEvent(attributes, raw ? fromBase64(event) : event, whole)
}

function texts(metadata: unknown): Record<string, string> {
  if (!isRecord(metadata)) return {}
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, String(value)]))
}
