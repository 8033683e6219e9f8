import type { Clock, Logger, Timer } from '@outrigger/spec'
import type { AppChannel } from './channel.ts'
import { withDeadline } from './time.ts'

export interface AppHealthOptions {
  readonly channel: AppChannel
  /** Default `/healthz`. */
  readonly path?: string | undefined
  /** Between two probes. Default 5000. */
  readonly intervalMs?: number | undefined
  /** Of one probe; not above the interval. Default 500. */
  readonly timeoutMs?: number | undefined
  /** Failures in a row that make the application unhealthy. Default 3. */
  readonly threshold?: number | undefined
  readonly clock: Clock
  readonly logger: Logger
  onHealthy(): void
  onUnhealthy(): void
}

export interface AppHealth {
  /** `false` until the first probe succeeded. */
  readonly healthy: boolean
  /** Probes at once, then at every interval. */
  start(): void
  stop(): void
}

/** Watches the application by GET on a path, of which any 2xx is healthy, or by `HealthCheck` over gRPC. Callbacks tell of changes only. */
export function createAppHealth(options: AppHealthOptions): AppHealth {
  return new Prober(options)
}

class Prober implements AppHealth {
  private readonly options: AppHealthOptions
  private readonly path: string
  private readonly intervalMs: number
  private readonly timeoutMs: number
  private readonly threshold: number
  private failures: number
  private timer: Timer | undefined
  private running: AbortController | undefined

  constructor(options: AppHealthOptions) {
    this.options = options
    this.path = `/${(options.path ?? '/healthz').replace(/^\/+/, '')}`
    this.intervalMs = options.intervalMs ?? 5000
    this.timeoutMs = options.timeoutMs ?? 500
    this.threshold = options.threshold ?? 3
    if (this.intervalMs <= 0) throw new Error('app-health-probe-interval must be above 0')
    if (this.threshold < 1) throw new Error('app-health-threshold must be 1 or more')
    if (this.timeoutMs > this.intervalMs) {
      throw new Error(
        `app-health-probe-timeout (${this.timeoutMs} ms) must not be above app-health-probe-interval (${this.intervalMs} ms)`,
      )
    }
    // Unhealthy until proven otherwise.
    this.failures = this.threshold
  }

  get healthy(): boolean {
    return this.failures < this.threshold
  }

  start(): void {
    if (this.running !== undefined) return
    this.running = new AbortController()
    void this.probe(this.running.signal)
  }

  stop(): void {
    this.running?.abort()
    this.running = undefined
    this.timer?.cancel()
  }

  private async probe(signal: AbortSignal): Promise<void> {
    const { clock } = this.options
    const started = clock.monotonic()
    const problem = await this.ask(signal)
    if (signal.aborted) return
    this.record(problem)
    const rest = Math.max(0, this.intervalMs - (clock.monotonic() - started))
    this.timer = clock.schedule(rest, () => void this.probe(signal))
  }

  /** What is wrong, or `undefined`. */
  private async ask(parent: AbortSignal): Promise<string | undefined> {
    const { channel, clock } = this.options
    try {
      return await withDeadline(clock, this.timeoutMs, parent, async (signal) => {
        if (channel.kind === 'grpc') return (await import('./grpc-health.ts')).probe(channel, signal)
        const response = await channel.call({ method: 'GET', path: this.path, signal, unlimited: true })
        // Read, so that the connection can be used again.
        await response.body.bytes(maxAnswerBytes).catch(() => response.body.cancel())
        return response.status >= 200 && response.status < 300 ? undefined : `status ${response.status}`
      })
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  private record(problem: string | undefined): void {
    const { logger } = this.options
    const before = this.healthy
    this.failures = problem === undefined ? 0 : Math.min(this.failures + 1, this.threshold)
    if (before === this.healthy) return
    if (this.healthy) {
      logger.info('the application is healthy')
      this.options.onHealthy()
    } else {
      logger.warn(`the application is unhealthy: ${this.threshold} probes in a row failed`, {
        ...(this.options.channel.kind === 'http' && { path: this.path }),
        problem,
      })
      this.options.onUnhealthy()
    }
  }
}

const maxAnswerBytes = 64 * 1024
