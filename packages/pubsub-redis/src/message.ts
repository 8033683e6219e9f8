import { asBuffer, asText, type RedisArgument } from '@outrigger/common-redis'
import type { BulkPublishEntry, IncomingMessage, Metadata, PublishRequest } from '@outrigger/spec'

/** One entry of a stream, as the server sends it. Without fields when it was trimmed away meanwhile. */
export interface StreamEntry {
  readonly id: string
  readonly fields: readonly Buffer[] | undefined
}

/** The fields of an entry: `data`, `metadata` as JSON, and `contentType`, which other readers of this layout skip. */
export function entryFields({
  data,
  metadata,
  contentType,
}: PublishRequest | BulkPublishEntry): RedisArgument[] {
  const result: RedisArgument[] = ['data', asBuffer(data), 'metadata', JSON.stringify(metadata)]
  if (contentType !== undefined) result.push('contentType', contentType)
  return result
}

/**
 * Reads an entry.
 * @param warn called when the metadata cannot be read; the message is delivered without it
 */
export function incomingMessage(
  topic: string,
  fields: readonly Buffer[],
  deliveryCount: number,
  warn: () => void,
): IncomingMessage {
  let data: Uint8Array = new Uint8Array()
  let metadata: Metadata = {}
  let contentType: string | undefined
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = asText(fields[at])
    const value = fields[at + 1]!
    if (name === 'data') data = value
    else if (name === 'contentType') contentType = asText(value)
    else if (name === 'metadata') {
      const read = readMetadata(asText(value))
      if (read === undefined) warn()
      else metadata = read
    }
  }
  return { topic, data, metadata, contentType, deliveryCount }
}

/** The reply of XREADGROUP, XCLAIM and XRANGE: ids with their fields. */
export function streamEntries(reply: unknown): StreamEntry[] {
  return ((reply ?? []) as readonly ([Buffer, Buffer[] | null] | null)[]).flatMap((entry) =>
    entry === null ? [] : [{ id: asText(entry[0]), fields: entry[1] ?? undefined }],
  )
}

function readMetadata(text: string): Metadata | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    if (parsed === null) return {}
    if (typeof parsed !== 'object' || Array.isArray(parsed)) return undefined
    const result = Object.create(null) as Record<string, string>
    for (const [name, value] of Object.entries(parsed))
      result[name] = typeof value === 'string' ? value : String(value)
    return { ...result }
  } catch {
    return undefined
  }
}
