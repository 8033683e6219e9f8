/** Something that writes at the end of a turn. */
export interface Flushed {
  flush(): void
}

/** Connections that have something to write: each does so once, when everything else of this turn of the event loop is done. */
export class Turn {
  private waiting: Flushed[] = []
  private readonly run = (): void => {
    const { waiting } = this
    this.waiting = []
    for (const item of waiting) item.flush()
  }

  add(item: Flushed): void {
    if (this.waiting.length === 0) setImmediate(this.run)
    this.waiting.push(item)
  }
}

/** Something that looks at its deadlines. */
export interface Ticking {
  tick(now: number): void
}

/** One coarse timer for all connections of a server or client; it runs while there are any. */
export class Ticker {
  /** Milliseconds, counted in ticks. */
  now = 0
  private readonly tickMs: number
  private readonly items = new Set<Ticking>()
  private timer: NodeJS.Timeout | undefined

  /** Deadlines from `shortestMs` on are met within about a quarter of it, and within half a second at the latest. */
  constructor(shortestMs: number) {
    this.tickMs = Math.max(5, Math.min(500, Math.floor(shortestMs / 4)))
  }

  add(item: Ticking): void {
    this.items.add(item)
    this.timer ??= setInterval(() => this.look(), this.tickMs).unref()
  }

  delete(item: Ticking): void {
    this.items.delete(item)
    if (this.items.size > 0) return
    clearInterval(this.timer)
    this.timer = undefined
  }

  private look(): void {
    this.now += this.tickMs
    for (const item of this.items) item.tick(this.now)
  }
}
