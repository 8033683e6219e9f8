import type { Database } from '@outrigger/common-sqlite'
import type { Clock, Logger, Timer } from '@outrigger/spec'
import { toTimestamp } from './row.ts'
import type { Statements } from './statements.ts'

/** Transactions of one run at most; what is left over waits for the next. */
const maxSteps = 200

/** Removes rows that have expired, a few at a time. Readers pass over them anyway. */
export class Sweeper {
  readonly #database: Database
  readonly #statements: Statements
  readonly #clock: Clock
  readonly #logger: Logger
  #timer: Timer | undefined
  #stopped = false

  constructor(database: Database, statements: Statements, context: { clock: Clock; logger: Logger }) {
    this.#database = database
    this.#statements = statements
    this.#clock = context.clock
    this.#logger = context.logger
  }

  /** Sweeps every `intervalMs`; never when that is 0. */
  start(intervalMs: number): void {
    if (intervalMs <= 0 || this.#stopped) return
    this.#timer = this.#clock.schedule(intervalMs, () => {
      void this.sweep().finally(() => this.start(intervalMs))
    })
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** One run. Returns how many rows went away; a failure is logged and the next run tries again. */
  async sweep(): Promise<number> {
    let removed = 0
    try {
      for (let step = 0; step < maxSteps && !this.#stopped; step++) {
        const now = toTimestamp(this.#clock.now())
        const { changes } = await this.#database.write(() => this.#statements.deleteExpired.run({ now }), {
          single: true,
        })
        if (changes === 0) break
        removed += Number(changes)
      }
    } catch (error) {
      if (!this.#stopped) this.#logger.warn('expired state could not be removed', { error })
    }
    if (removed > 0) this.#logger.debug('removed expired state', { removed })
    return removed
  }
}
