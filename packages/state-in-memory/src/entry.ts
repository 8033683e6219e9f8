import type { StateItem, StateValue } from '@outrigger/spec'

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
