import type { Clock, Logger } from '@outrigger/spec'

export interface SignalOptions {
  /** Ends the process's work in order; called once. */
  readonly stop: (reason: string) => Promise<unknown>
  /** SIGHUP, as often as it comes. Without it SIGHUP stops as well. */
  readonly hangUp?: () => void
  /** Time for `stop`; then the process exits with 1. */
  readonly graceMs: number
  readonly logger: Logger
  readonly clock: Clock
}

export interface Signals {
  /** Does what SIGTERM does. A second call, or signal, exits at once with 1. */
  stop(reason: string): void
}

/**
 * For executables only: SIGINT and SIGTERM end the process in order and with 0, a second one at once and with 1.
 * An error that nobody caught is logged and ends it with 1.
 */
export function handleSignals(options: SignalOptions): Signals {
  const { logger } = options
  const stop = new Stopper(options)
  const onSignal = (signal: NodeJS.Signals): void => stop.request(signal)
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.on('SIGHUP', () => {
    if (options.hangUp === undefined) return stop.request('SIGHUP')
    try {
      options.hangUp()
    } catch (error) {
      logger.error('Handling SIGHUP failed', { error })
    }
  })
  const fatal = (what: string) => (error: unknown) => {
    logger.error(what, { error, stack: error instanceof Error ? error.stack : undefined })
    process.exit(1)
  }
  process.on('uncaughtException', fatal('Nobody caught an error'))
  process.on('unhandledRejection', fatal('Nobody handled a rejection'))
  return { stop: (reason) => stop.request(reason) }
}

class Stopper {
  private readonly options: SignalOptions
  private requested = false

  constructor(options: SignalOptions) {
    this.options = options
  }

  request(reason: string): void {
    const { logger, graceMs } = this.options
    if (this.requested) {
      logger.warn(`${reason}: a second request to stop, exiting at once`)
      process.exit(1)
    }
    this.requested = true
    logger.info(`${reason}: stopping, within ${graceMs} ms`)
    void this.run(reason)
  }

  private async run(reason: string): Promise<void> {
    const { logger, graceMs, clock, stop } = this.options
    const timer = clock.schedule(graceMs, () => {
      logger.error(`Not stopped after ${graceMs} ms, exiting`)
      process.exit(1)
    })
    // The timer of a clock does not keep the process: it must not end before its time is up.
    const hold = setInterval(() => {}, 1 << 30)
    try {
      await stop(reason)
      process.exitCode ??= 0
    } catch (error) {
      logger.error('Stopping failed', { error })
      process.exitCode = 1
    }
    clearInterval(hold)
    timer.cancel()
    process.exit()
  }
}
