import { watch, type FSWatcher } from 'node:fs'
import type { Database } from '@outrigger/common-sqlite'
import type { Clock, Timer } from '@outrigger/spec'

/** The log is written a moment before the commit shows in it. */
const settleMs = 1

/**
 * Tells of commits of other connections, mostly of other processes. The operating system tells of writes to the log at once;
 * where it does not, polling does. Polling asks SQLite for a number in shared memory and reads no file.
 */
export class Wakeup {
  readonly #database: Database
  readonly #clock: Clock
  readonly #pollIntervalMs: number
  readonly #onChange: () => void
  #watcher: FSWatcher | undefined
  #pollTimer: Timer | undefined
  #soonTimer: Timer | undefined
  #version: number | undefined
  #running = false

  constructor(database: Database, clock: Clock, pollIntervalMs: number, onChange: () => void) {
    this.#database = database
    this.#clock = clock
    this.#pollIntervalMs = pollIntervalMs
    this.#onChange = onChange
  }

  start(): void {
    if (this.#running || this.#database.inMemory) return
    this.#running = true
    this.#watcher = this.#watch(`${this.#database.path}-wal`) ?? this.#watch(this.#database.path)
    this.#poll()
  }

  stop(): void {
    this.#running = false
    this.#watcher?.close()
    this.#watcher = undefined
    this.#pollTimer?.cancel()
    this.#soonTimer?.cancel()
    this.#soonTimer = undefined
  }

  /** Whoever waits for messages keeps the process alive by this, as by the socket of another broker. */
  #watch(file: string): FSWatcher | undefined {
    try {
      const watcher = watch(file, () => {
        this.#soonTimer ??= this.#clock.schedule(settleMs, () => {
          this.#soonTimer = undefined
          this.#check()
        })
      })
      // The file went: polling is enough.
      return watcher.on('error', () => watcher.close())
    } catch {
      // There is none without a write-ahead log, or there are too many watches.
      return undefined
    }
  }

  #poll(): void {
    this.#pollTimer = this.#clock.schedule(this.#pollIntervalMs, () => {
      this.#check()
      if (this.#running) this.#poll()
    })
  }

  #check(): void {
    if (!this.#running) return
    let version: number
    try {
      version = this.#database.dataVersion()
    } catch {
      // A lock is in the way; the next look will tell.
      return
    }
    if (version === this.#version) return
    this.#version = version
    this.#onChange()
  }
}
