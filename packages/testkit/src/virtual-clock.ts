import type { Clock, Timer } from '@outrigger/spec'

/** A clock that stands still until it is told to go on. */
export interface VirtualClock extends Clock {
  /**
   * Lets time pass: timers fire in order, each at its own time, and what they set in motion runs before the next.
   */
  advance(ms: number): Promise<void>
  /** Advances to the next timer and fires it. @returns false when there is none */
  advanceToNext(): Promise<boolean>
  /** How many timers are waiting. */
  readonly pending: number
}

interface Entry extends Timer {
  readonly due: number
  readonly order: number
  readonly callback: () => void
}

/** @param startMs what `now()` begins with; by default 2026-01-01T00:00:00Z */
export function virtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  return new ManualClock(startMs)
}

class ManualClock implements VirtualClock {
  private readonly startMs: number
  private readonly timers = new Set<Entry>()
  private elapsed = 0
  private count = 0

  constructor(startMs: number) {
    this.startMs = startMs
  }

  get pending(): number {
    return this.timers.size
  }

  now(): number {
    return this.startMs + this.elapsed
  }

  monotonic(): number {
    return this.elapsed
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const entry: Entry = {
      due: this.elapsed + Math.max(0, delayMs),
      order: this.count++,
      callback,
      cancel: () => void this.timers.delete(entry),
    }
    this.timers.add(entry)
    return entry
  }

  async advance(ms: number): Promise<void> {
    const end = this.elapsed + ms
    await settle()
    for (let next = this.next(); next !== undefined && next.due <= end; next = this.next())
      await this.fire(next)
    this.elapsed = end
    await settle()
  }

  async advanceToNext(): Promise<boolean> {
    await settle()
    const next = this.next()
    if (next === undefined) return false
    await this.fire(next)
    return true
  }

  private async fire(entry: Entry): Promise<void> {
    this.timers.delete(entry)
    this.elapsed = Math.max(this.elapsed, entry.due)
    entry.callback()
    await settle()
  }

  private next(): Entry | undefined {
    let first: Entry | undefined
    for (const entry of this.timers) {
      if (
        first === undefined ||
        entry.due < first.due ||
        (entry.due === first.due && entry.order < first.order)
      ) {
        first = entry
      }
    }
    return first
  }
}

/** Lets promises, and work handed to the event loop, come to rest. */
export async function settle(turns = 2): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
}
