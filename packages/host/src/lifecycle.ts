import type { Clock, Logger } from '@outrigger/spec'

/** Something that is started once and stopped once. */
export interface Part {
  readonly name: string
  /** Resolves when the part can be used. `signal` aborts when time is up or the process is to stop. */
  start?(signal: AbortSignal): void | Promise<void>
  /**
   * Lets running work finish. When `signal` aborts, it ends at once. Called once `start` was called, whether or not
   * that came to its end.
   */
  stop?(signal: AbortSignal): void | Promise<void>
  /** Default: no limit. */
  readonly startTimeoutMs?: number
  /** Default: the time that is left of the whole stop. */
  readonly stopTimeoutMs?: number
}

export interface LifecycleOptions {
  /** In the order of starting; stopped in reverse. */
  readonly parts: readonly Part[]
  readonly clock: Clock
  readonly logger: Logger
  /** Time for stopping all parts together. */
  readonly stopTimeoutMs: number
}

export type LifecycleState = 'new' | 'starting' | 'running' | 'stopping' | 'stopped'

export interface Lifecycle {
  readonly state: LifecycleState
  /**
   * Starts the parts one after the other. When one fails, those before it are stopped and the error names it.
   * Can be called once.
   */
  start(): Promise<void>
  /**
   * Stops what was started, in reverse; also in the middle of the start. Never rejects: what fails or takes too
   * long is logged and the rest is stopped. Every call returns the same promise.
   * @returns whether everything stopped in time and without error
   */
  stop(): Promise<boolean>
}

export function createLifecycle(options: LifecycleOptions): Lifecycle {
  return new OrderedLifecycle(options)
}

class OrderedLifecycle implements Lifecycle {
  state: LifecycleState = 'new'
  private readonly options: LifecycleOptions
  private readonly started: Part[] = []
  private readonly abort = new AbortController()
  private starting: Promise<void> | undefined
  private stopping: Promise<boolean> | undefined

  constructor(options: LifecycleOptions) {
    this.options = options
  }

  start(): Promise<void> {
    if (this.state !== 'new') return Promise.reject(new Error(`it cannot be started: it is ${this.state}`))
    this.state = 'starting'
    this.starting = this.startAll()
    return this.starting
  }

  stop(): Promise<boolean> {
    this.stopping ??= this.stopAll()
    return this.stopping
  }

  private async startAll(): Promise<void> {
    for (const part of this.options.parts) {
      if (this.abort.signal.aborted) throw new Error(`stopped before ${part.name} was started`)
      try {
        await this.startPart(part)
      } catch (cause) {
        // Whoever called stop() waits for this promise and then stops what was started.
        if (this.stopping === undefined && !this.abort.signal.aborted)
          await (this.stopping = this.stopStarted())
        throw new Error(`${part.name} could not be started: ${text(cause)}`, { cause })
      }
    }
    if (this.abort.signal.aborted) throw new Error('stopped while it was starting')
    this.state = 'running'
  }

  private async startPart(part: Part): Promise<void> {
    const { clock } = this.options
    const deadline = new Deadline(
      clock,
      part.startTimeoutMs,
      `it was not ready after ${part.startTimeoutMs} ms`,
    )
    const onStop = () => deadline.end(new Error('the process is stopping'))
    this.abort.signal.addEventListener('abort', onStop, { once: true })
    this.started.push(part)
    try {
      await deadline.race(async (signal) => part.start?.(signal))
    } finally {
      this.abort.signal.removeEventListener('abort', onStop)
    }
  }

  private async stopAll(): Promise<boolean> {
    this.abort.abort()
    // A start under way is aborted and cleans up itself.
    await this.starting?.catch(() => {})
    return this.stopStarted()
  }

  private async stopStarted(): Promise<boolean> {
    const { clock, logger, stopTimeoutMs } = this.options
    this.state = 'stopping'
    const end = clock.monotonic() + stopTimeoutMs
    let clean = true
    for (let part = this.started.pop(); part !== undefined; part = this.started.pop()) {
      const left = Math.max(0, end - clock.monotonic())
      const limit = Math.min(part.stopTimeoutMs ?? left, left)
      const { name } = part
      try {
        const deadline = new Deadline(clock, limit, `it did not stop within ${Math.round(limit)} ms`)
        await deadline.race(async (signal) => part?.stop?.(signal))
      } catch (error) {
        clean = false
        logger.error(`Stopping ${name} failed`, { error })
      }
    }
    this.state = 'stopped'
    return clean
  }
}

/** Runs something with a signal that aborts, and stops waiting, when time is up or `end` is called. */
class Deadline {
  private readonly abort = new AbortController()
  private readonly late: Promise<never>
  private fail!: (error: Error) => void
  private readonly cancel: () => void

  constructor(clock: Clock, timeoutMs: number | undefined, message: string) {
    this.late = new Promise<never>((_, reject) => (this.fail = reject))
    this.late.catch(() => {})
    const timer =
      timeoutMs === undefined ? undefined : clock.schedule(timeoutMs, () => this.end(new Error(message)))
    this.cancel = () => timer?.cancel()
  }

  end(error: Error): void {
    this.abort.abort(error)
    this.fail(error)
  }

  async race(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      const running = run(this.abort.signal)
      // After the deadline nobody listens any more.
      running.catch(() => {})
      await Promise.race([running, this.late])
    } finally {
      this.cancel()
    }
  }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
