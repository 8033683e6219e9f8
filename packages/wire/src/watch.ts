/** Something that waits for its peer and fails when that takes too long. */
export interface Watched {
  /** `now` of the watch when something came last. */
  activeAt: number
  /** How long it waits; 0 is for ever. */
  readonly idleMs: number
  timeOut(): void
}

/** One coarse timer for all that waits: adding and removing costs next to nothing. */
export class Watch {
  /** A clock in milliseconds that only moves while something waits. */
  now = 0
  private readonly tickMs: number
  private readonly waiting = new Set<Watched>()
  private timer: NodeJS.Timeout | undefined

  /** Deadlines up to `shortestMs` are met within about a quarter of it, longer ones within half a second. */
  constructor(shortestMs: number) {
    this.tickMs = Math.max(10, Math.min(500, Math.floor(shortestMs / 4)))
  }

  add(item: Watched): void {
    item.activeAt = this.now
    if (item.idleMs <= 0) return
    this.waiting.add(item)
    this.timer ??= setInterval(() => this.look(), this.tickMs).unref()
  }

  delete(item: Watched): void {
    this.waiting.delete(item)
  }

  close(): void {
    clearInterval(this.timer)
    this.timer = undefined
  }

  private look(): void {
    this.now += this.tickMs
    if (this.waiting.size === 0) return this.close()
    for (const item of this.waiting) {
      if (this.now - item.activeAt <= item.idleMs) continue
      this.waiting.delete(item)
      item.timeOut()
    }
  }
}
