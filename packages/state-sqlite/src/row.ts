import type { StateItem, StateValue } from '@outrigger/spec'

/** The last moment that the layout can hold; later ones would not sort as text. */
const lastMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** `2026-01-31 12:00:00.000`, in UTC: compares as text, also with the whole seconds of SQLite's CURRENT_TIMESTAMP. */
export function toTimestamp(ms: number): string {
  return new Date(Math.min(ms, lastMs)).toISOString().replace('T', ' ').replace('Z', '')
}

/** Reads a timestamp with or without fractions of a second. */
export function fromTimestamp(text: string): number | undefined {
  const ms = Date.parse(`${text.trim().replace(' ', 'T')}Z`)
  return Number.isNaN(ms) ? undefined : ms
}

/** What the columns `value` and `is_binary` hold: JSON as its own bytes, binary values as base64. */
export function encodeValue(value: StateValue): { readonly value: Uint8Array; readonly isBinary: 0 | 1 } {
  if (value.kind === 'json') return { value: value.bytes, isBinary: 0 }
  const { buffer, byteOffset, byteLength } = value.bytes
  return {
    value: Buffer.from(Buffer.from(buffer, byteOffset, byteLength).toString('base64'), 'latin1'),
    isBinary: 1,
  }
}

/** A row of the state table; `value` read as its bytes. */
export interface StateRow {
  readonly key: string
  readonly value: Uint8Array
  readonly is_binary: number
  readonly etag: string
  readonly expiration_time: string | null
}

export function decodeRow(row: StateRow): StateItem {
  const binary = row.is_binary !== 0
  const { buffer, byteOffset, byteLength } = row.value
  return {
    value: {
      kind: binary ? 'binary' : 'json',
      bytes: binary
        ? Buffer.from(Buffer.from(buffer, byteOffset, byteLength).toString('latin1'), 'base64')
        : row.value,
    },
    etag: row.etag,
    expiresAtMs: row.expiration_time === null ? undefined : fromTimestamp(row.expiration_time),
  }
}
