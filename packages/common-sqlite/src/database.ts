import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { backoffDelayMs, sleep, throwIfAborted } from '@outrigger/kit'
import { ComponentError } from '@outrigger/spec'
import { lockBackoff } from './backoff.ts'
import { databaseError, isBusy } from './errors.ts'
import { WriteQueue, type Write, type WriteQueueOptions } from './write-queue.ts'

export interface DatabaseOptions extends WriteQueueOptions {
  readonly inMemory: boolean
}

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined
  /** The work makes one change at most and throws only if it made none, so it needs no savepoint of its own. */
  readonly single?: boolean
}

/**
 * One connection to a database file. Work is synchronous and short; what waits, waits without blocking the event loop.
 * Between turns of the event loop no lock is held, so other connections of this process never wait at all.
 */
export class Database {
  /** Absolute path, or `:memory:`. */
  readonly path: string
  readonly inMemory: boolean
  readonly #connection: DatabaseSync
  readonly #options: DatabaseOptions
  readonly #writes: WriteQueue
  readonly #statements = new Map<string, StatementSync>()
  #closing: Promise<void> | undefined

  constructor(connection: DatabaseSync, options: DatabaseOptions) {
    this.path = options.path
    this.inMemory = options.inMemory
    this.#connection = connection
    this.#options = options
    this.#writes = new WriteQueue(connection, options)
  }

  /** A prepared statement; the same text gives the same one. For fixed texts only: nothing is ever thrown away. */
  statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      if (!this.#connection.isOpen) throw this.#closed()
      statement = this.#connection.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  /** Runs work that only reads, at once where no lock is in the way. The work may run more than once. */
  async read<T>(work: () => T, signal?: AbortSignal): Promise<T> {
    const { clock, random, busyTimeoutMs } = this.#options
    const start = clock.monotonic()
    for (let attempt = 1; ; attempt++) {
      this.#assertOpen()
      throwIfAborted(signal)
      try {
        return work()
      } catch (error) {
        if (!isBusy(error) || clock.monotonic() - start >= busyTimeoutMs)
          throw databaseError(error, this.path)
      }
      await sleep(clock, backoffDelayMs(attempt, lockBackoff, random), signal)
    }
  }

  /**
   * Runs work that writes, in a transaction that it shares with the other writes of this turn of the event loop.
   * Resolves after the commit. When the work throws, what it did is undone and the promise rejects with its error.
   * The work may run more than once; only its last run counts.
   * @throws `UNAVAILABLE` when the file stays locked, `DEADLINE_EXCEEDED`, `RESOURCE_EXHAUSTED` when too many wait,
   * `CANCELLED` when the signal aborts before the work was done
   */
  write<T>(work: () => T, options: WriteOptions = {}): Promise<T> {
    const { signal } = options
    return new Promise<T>((resolve, reject) => {
      this.#assertOpen()
      throwIfAborted(signal)
      const done = (): void => signal?.removeEventListener('abort', cancel)
      const write: Write = {
        work,
        single: options.single ?? false,
        enqueuedAt: this.#options.clock.monotonic(),
        resolve: (value) => {
          done()
          resolve(value)
        },
        reject: (error) => {
          done()
          reject(error)
        },
      }
      const cancel = (): void => {
        this.#writes.remove(write)
        reject(new ComponentError('CANCELLED', 'the operation was cancelled', { cause: signal?.reason }))
      }
      this.#writes.add(write)
      signal?.addEventListener('abort', cancel, { once: true })
    })
  }

  /** A number that changes when another connection, of any process, has written. */
  dataVersion(): number {
    return Number(this.statement('PRAGMA data_version').get()!['data_version'])
  }

  /** Takes no more writes, awaits those that wait, checkpoints and closes the file. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#writes.drain().then(() => {
      this.#statements.clear()
      try {
        // Best effort: readers of other processes may be in the way, and the log is safe where it is.
        this.#connection.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      } catch {}
      this.#connection.close()
    })
    return this.#closing
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw this.#closed()
  }

  #closed(): ComponentError {
    return new ComponentError('CLOSED', `SQLite database ${this.path} was closed`)
  }
}
