import type { Clock, Logger } from '@outrigger/spec'

export interface SignalOptions {
  /** Ends the process's work in order; called once. */
  readonly stop: (reason: string) => Promise<unknown>
  /** SIGHUP, as often as it comes. Without it SIGHUP stops as well. */
  readonly hangUp?: () => void
  /** Time for `stop`; then the process exits with 1. `Infinity`: no limit. */
  readonly graceMs: number
  readonly logger: Logger
  readonly clock: Clock
  /** Ends the process at once: `(code) => process.exit(code)`. Passed in, because only executables exit. */
  readonly exit: (code: number) => void
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
    options.exit(1)
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
    const { logger, graceMs, exit } = this.options
    if (this.requested) {
      logger.warn(`${reason}: a second request to stop, exiting at once`)
      return exit(1)
    }
    this.requested = true
    logger.info(`${reason}: stopping${graceMs === Infinity ? '' : `, within ${graceMs} ms`}`)
    void this.run(reason)
  }

  private async run(reason: string): Promise<void> {
    const { logger, graceMs, clock, stop, exit } = this.options
    // Counts when nothing keeps the process any more although the stop has not come to its end.
    process.exitCode = 1
    const timer = clock.schedule(graceMs, () => {
      logger.error(`Not stopped after ${graceMs} ms, exiting`)
      exit(1)
    })
    try {
      await stop(reason)
    } catch (error) {
      logger.error('Stopping failed', { error })
      return exit(1)
    } finally {
      timer.cancel()
    }
    exit(0)
  }
}
