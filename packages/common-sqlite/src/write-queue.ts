import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { backoffDelayMs } from '@outrigger/kit'
import { ComponentError, type Clock, type Random, type Timer } from '@outrigger/spec'
import { lockBackoff } from './backoff.ts'
import { databaseError, isBusy } from './errors.ts'

/** One write that waits for its turn. */
export interface Write {
  readonly work: () => unknown
  /** It makes one change at most, and throws only if it made none. */
  readonly single: boolean
  readonly enqueuedAt: number
  resolve(value: never): void
  reject(error: Error): void
}

export interface WriteQueueOptions {
  readonly path: string
  readonly clock: Clock
  readonly random: Random
  /** How long a lock of somebody else is waited for. */
  readonly busyTimeoutMs: number
  /** The longest that a write waits, all in all. */
  readonly timeoutMs: number
}

/** Writes that share one transaction at most. More would keep the event loop, and the file, for too long. */
const maxGroup = 256
/** Writes that wait at most. */
const maxWaiting = 20_000

type Outcome = { readonly value: unknown } | { readonly error: unknown }

/**
 * Group commit: what is written in one turn of the event loop shares a transaction, in the order of its arrival.
 * A group that meets a lock is undone as a whole, and done again a little later.
 */
export class WriteQueue {
  readonly #connection: DatabaseSync
  readonly #options: WriteQueueOptions
  readonly #begin: StatementSync
  readonly #end: StatementSync
  readonly #savepoint: StatementSync
  readonly #release: StatementSync
  #waiting: Write[] = []
  #armed = false
  #retry: Timer | undefined
  #attempts = 0
  #idle: (() => void)[] = []

  constructor(connection: DatabaseSync, options: WriteQueueOptions) {
    this.#connection = connection
    this.#options = options
    this.#begin = connection.prepare('BEGIN IMMEDIATE')
    this.#end = connection.prepare('COMMIT')
    this.#savepoint = connection.prepare('SAVEPOINT w')
    this.#release = connection.prepare('RELEASE w')
  }

  add(write: Write): void {
    if (this.#waiting.length >= maxWaiting) {
      throw new ComponentError(
        'RESOURCE_EXHAUSTED',
        `SQLite database ${this.#options.path} has ${maxWaiting} writes waiting and takes no more`,
      )
    }
    this.#waiting.push(write)
    this.#arm()
  }

  /** Takes a write back that has not been done. */
  remove(write: Write): void {
    const index = this.#waiting.indexOf(write)
    if (index !== -1) this.#waiting.splice(index, 1)
  }

  /** Resolves when nothing waits any more. */
  drain(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** At the end of this turn of the event loop, when every socket that was ready has been read. */
  #arm(): void {
    if (this.#armed || this.#retry !== undefined) return
    this.#armed = true
    setImmediate(() => {
      this.#armed = false
      this.#turn()
    })
  }

  #turn(): void {
    const { clock, random } = this.#options
    this.#giveUp(this.#options.timeoutMs, (path) => {
      return new ComponentError(
        'DEADLINE_EXCEEDED',
        `SQLite database ${path}: the write waited too long for its turn`,
      )
    })
    const group = this.#waiting.slice(0, maxGroup)
    if (group.length > 0 && !this.#commit(group)) {
      this.#attempts++
      this.#giveUp(this.#options.busyTimeoutMs, (path, waitedMs) => {
        const seconds = (waitedMs / 1000).toFixed(1)
        return new ComponentError(
          'UNAVAILABLE',
          `SQLite database ${path} is locked by another process; gave up after ${seconds} s (busyTimeout)`,
        )
      })
      if (this.#waiting.length > 0) {
        this.#retry = clock.schedule(backoffDelayMs(this.#attempts, lockBackoff, random), () => {
          this.#retry = undefined
          this.#turn()
        })
        return
      }
    } else {
      this.#attempts = 0
    }
    if (this.#waiting.length > 0) this.#arm()
    else for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** Rejects what has waited for longer than `limitMs`. */
  #giveUp(limitMs: number, error: (path: string, waitedMs: number) => ComponentError): void {
    const now = this.#options.clock.monotonic()
    // Oldest first.
    while (this.#waiting.length > 0 && now - this.#waiting[0]!.enqueuedAt >= limitMs) {
      const write = this.#waiting.shift()!
      write.reject(error(this.#options.path, now - write.enqueuedAt))
    }
  }

  /** Does the group and takes it off the queue. Returns false when a lock was in the way and nothing was done. */
  #commit(group: readonly Write[]): boolean {
    const connection = this.#connection
    const outcomes: Outcome[] = []
    let failure: unknown
    try {
      this.#begin.run()
      for (const write of group) outcomes.push(this.#run(write, group.length === 1))
      if (group.length === 1 && 'error' in outcomes[0]!) connection.exec('ROLLBACK')
      else this.#end.run()
    } catch (error) {
      if (connection.isTransaction) connection.exec('ROLLBACK')
      if (isBusy(error)) return false
      failure = error
    }
    this.#waiting.splice(0, group.length)
    for (const [index, write] of group.entries()) {
      const outcome = failure === undefined ? outcomes[index]! : { error: failure }
      if ('error' in outcome) write.reject(databaseError(outcome.error, this.#options.path))
      else write.resolve(outcome.value as never)
    }
    return true
  }

  /** Does one write. Its own failure undoes only itself; a lock or the end of the transaction is everybody's. */
  #run(write: Write, alone: boolean): Outcome {
    const guarded = !write.single && !alone
    const connection = this.#connection
    try {
      if (guarded) this.#savepoint.run()
      const value = write.work()
      if (guarded) this.#release.run()
      return { value }
    } catch (error) {
      if (isBusy(error) || !connection.isTransaction) throw error
      if (guarded) connection.exec('ROLLBACK TO w; RELEASE w')
      return { error }
    }
  }
}
