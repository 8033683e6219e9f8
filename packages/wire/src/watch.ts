/** Something that waits for its peer and fails when that takes too long. */
export interface Watched {
  /** `now` of the watch when something came last. */
  activeAt: number
  /** How long it waits; 0 is for ever. May change while it is watched. */
  readonly idleMs: number
  timeOut(): void
}

/** One coarse timer for all that waits: adding and removing costs next to nothing. */
export class Watch {
  /** A clock in milliseconds that only moves while something is watched. */
  now = 0
  private tickMs: number
  private readonly watched = new Set<Watched>()
  private timer: NodeJS.Timeout | undefined
  private readonly look = (): void => {
    this.now += this.tickMs
    if (this.watched.size === 0) return this.close()
    for (const item of this.watched) {
      if (item.idleMs <= 0 || this.now - item.activeAt <= item.idleMs) continue
      this.watched.delete(item)
      item.timeOut()
    }
  }

  /** Deadlines up to `shortestMs` are met within about a quarter of it, longer ones within half a second. */
  constructor(shortestMs: number) {
    this.tickMs = tickFor(shortestMs)
  }

  add(item: Watched): void {
    item.activeAt = this.now
    this.watched.add(item)
    this.timer ??= setInterval(this.look, this.tickMs).unref()
  }

  /** Looks as often as a deadline that is shorter than all before needs. */
  sharpen(idleMs: number): void {
    const tickMs = tickFor(idleMs)
    if (tickMs >= this.tickMs) return
    this.tickMs = tickMs
    if (this.timer === undefined) return
    clearInterval(this.timer)
    this.timer = setInterval(this.look, tickMs).unref()
  }

  delete(item: Watched): void {
    this.watched.delete(item)
  }

  close(): void {
    clearInterval(this.timer)
    this.timer = undefined
  }
}

function tickFor(idleMs: number): number {
  return Math.max(10, Math.min(500, Math.floor(idleMs / 4)))
}
