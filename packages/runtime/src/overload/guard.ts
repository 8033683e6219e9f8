import type { Clock, Logger, Timer } from '@outrigger/spec'

/** In bytes, as `process.memoryUsage()` tells it. */
export interface MemoryUse {
  readonly rss: number
  readonly heapTotal: number
  readonly heapUsed: number
  readonly external: number
}

/** What the owner of the process lets a runtime know and do about its memory. */
export interface ProcessMemory {
  /** The limit that the system sets the process; absent when there is none. */
  readonly limitBytes: number | undefined
  readonly use: () => MemoryUse
  /** Largest heap of V8. Asked for only when the heap is large, as it may have to load something. */
  readonly heapLimitBytes: () => number
  /** Frees everything that is dead. */
  readonly collect: () => void
  /** Has `look` called each time that much has come in. */
  readonly onBulk: (look: () => void) => void
  /** Whether large bodies that are being taken in are to be given up. */
  readonly shedBodies: (shed: boolean) => void
}

export interface MemoryGuardOptions {
  readonly limitBytes: number
  readonly memory: ProcessMemory
  readonly clock: Clock
  readonly logger: Logger
}

/** Whether there is room for new work. */
export interface Overload {
  /** Nothing that takes memory may begin. */
  readonly over: boolean
  /** Resolves when work that cannot be refused may begin: at once, or one after the other while there is no room. */
  turn(signal: AbortSignal): Promise<void>
}

/**
 * What stays free for work that is under way: a body of some megabytes takes several times its size while it is
 * worked on. Large limits need a smaller part, and small ones cannot spare as much.
 */
const headroomBytes = 64 * 2 ** 20
const leastHeadroom = 0.15
const mostHeadroom = 0.25
/** So much below the mark at which work is refused there is room again. */
const easing = 0.1
/** How often to look: seldom while there is plenty. */
const calmMs = 1000
const alertMs = 100
const alertMark = 0.5
/** Who is told to come again after a second shall not be told so twice in it. */
const shortestMs = 1000
/** At most a fifth of the time goes into collecting; half of it while memory is short. */
const restsPerCollection = 4
const restsWhenShort = 1
/** Below, the heap cannot be near its limit. */
const smallHeapBytes = 48 * 1024 * 1024

/**
 * Keeps the process from being killed for the memory that it takes: says when there is no room for new work. What
 * counts is memory in use. The resident set does not shrink when buffers are freed, as the allocator keeps them for
 * the next ones, so it only tells of what the engine does not count.
 */
export class MemoryGuard implements Overload {
  /** Nothing that takes memory may begin. */
  over = false
  readonly #options: MemoryGuardOptions
  /** Parts of the limit: past the first there is no room, below the second there is again. */
  readonly #high: number
  readonly #low: number
  readonly #waiting = new Set<() => void>()
  /** What the process takes beyond what the engine counts, and the most that it had counted. */
  #base = 0
  #peak = 0
  #timer: Timer | undefined
  #heapLimit: number | undefined
  #since = 0
  #collectAgain = 0

  constructor(options: MemoryGuardOptions) {
    this.#options = options
    this.#high = 1 - Math.max(leastHeadroom, Math.min(mostHeadroom, headroomBytes / options.limitBytes))
    this.#low = this.#high - easing
  }

  start(): void {
    const { limitBytes, memory, logger } = this.#options
    const { rss, heapTotal, external } = memory.use()
    this.#base = Math.max(0, rss - heapTotal - external)
    this.#peak = this.#base + heapTotal + external
    if (rss >= this.#low * limitBytes) {
      logger.warn(
        `the memory limit of ${mib(limitBytes)} is not watched: ${mib(rss)} are in use before there is any work`,
      )
      return
    }
    logger.info(`new work is refused while more than ${mib(this.#high * limitBytes)} of memory are in use`)
    memory.onBulk(() => this.look())
    this.#wait(0)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#enter(false)
  }

  turn(signal: AbortSignal): Promise<void> {
    if (!this.over || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const go = (): void => {
        signal.removeEventListener('abort', go)
        this.#waiting.delete(go)
        resolve()
      }
      signal.addEventListener('abort', go, { once: true })
      this.#waiting.add(go)
    })
  }

  /** Looks whether there is room; between the regular times when much has come in. */
  look(): void {
    if (this.#timer === undefined) return
    const { clock, logger, limitBytes } = this.#options
    // What is refused leaves garbage as well.
    const level = this.#level() < (this.over ? this.#low : this.#high) ? this.#level() : this.#collected()
    if (!this.over) {
      if (level < this.#high) return
      this.#since = clock.monotonic()
      logger.warn(
        `memory is short: ${percent(level)} of ${mib(limitBytes)} are in use; new work is refused with 503 and messages are held back`,
      )
      this.#enter(true)
      this.#wait(level)
    } else if (level < this.#low && clock.monotonic() - this.#since >= shortestMs) {
      const seconds = Math.round((clock.monotonic() - this.#since) / 1000)
      logger.info(
        `there is memory again: ${percent(level)} of ${mib(limitBytes)} are in use after ${seconds} s`,
      )
      this.#enter(false)
    }
  }

  #wait(level: number): void {
    const { clock } = this.#options
    this.#timer?.cancel()
    this.#timer = clock.schedule(level < alertMark ? calmMs : alertMs, () => {
      this.look()
      // What is held back may be what takes the memory: one at a time goes on.
      if (this.over) this.#waiting.values().next().value?.()
      this.#wait(this.over ? 1 : this.#level())
    })
  }

  #enter(over: boolean): void {
    this.over = over
    this.#options.memory.shedBodies(over)
    if (!over) for (const go of this.#waiting) go()
  }

  /** The level without what is dead, unless that was just asked. */
  #collected(): number {
    const { clock, memory } = this.#options
    const startMs = clock.monotonic()
    if (startMs >= this.#collectAgain) {
      memory.collect()
      const endMs = clock.monotonic()
      const rests = this.over ? restsWhenShort : restsPerCollection
      this.#collectAgain = endMs + rests * (endMs - startMs)
    }
    return this.#level()
  }

  /** Of what there may be, of memory or of heap. */
  #level(): number {
    const { memory, limitBytes } = this.#options
    const { rss, heapTotal, heapUsed, external } = memory.use()
    const counted = this.#base + heapTotal + external
    if (counted > this.#peak) this.#peak = counted
    const level = Math.min(rss, counted + Math.max(0, rss - this.#peak)) / limitBytes
    if (heapUsed < smallHeapBytes) return level
    this.#heapLimit ??= memory.heapLimitBytes()
    return Math.max(level, heapUsed / this.#heapLimit)
  }
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`
}

/** The guard of a limit that is given, or else the system's; `undefined` where there is none. */
export function openGuard(
  given: number | undefined,
  memory: ProcessMemory | undefined,
  tools: Pick<MemoryGuardOptions, 'clock' | 'logger'>,
): MemoryGuard | undefined {
  const limitBytes = given ?? memory?.limitBytes ?? 0
  if (memory === undefined || limitBytes === 0) return undefined
  return new MemoryGuard({ limitBytes, memory, ...tools })
}
