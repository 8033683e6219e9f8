import type { StateItem, StateValue } from '@outrigger/spec'

/** A small part of a large buffer is copied: keeping it would keep the whole buffer (a read of the network, a pool). */
export function owned(value: StateValue): StateValue {
  const { bytes } = value
  if (bytes.buffer.byteLength <= 2 * bytes.length + 64) return value
  return { bytes: new Uint8Array(bytes), kind: value.kind, contentType: value.contentType }
}

/** One value. It is never changed after it was made, so that it can be handed out as the item that it is. */
export class Entry implements StateItem {
  readonly value: StateValue
  readonly etag: string
  readonly expiresAtMs: number | undefined

  constructor(value: StateValue, etag: string, expiresAtMs: number | undefined) {
    this.value = value
    this.etag = etag
    this.expiresAtMs = expiresAtMs
  }

  isLive(nowMs: number): boolean {
    return this.expiresAtMs === undefined || this.expiresAtMs > nowMs
  }
}
