import { backoffDelayMs, sleep } from '@outrigger/kit'
import {
  isComponentError,
  type Clock,
  type ConfigurationChange,
  type ConfigurationItem,
  type ConfigurationSubscription,
  type Random,
} from '@outrigger/spec'
import { mostKeys, tooMany } from './read.ts'
import { itemOf } from './value.ts'

export interface SubscriptionOptions {
  /** Empty means every key. */
  readonly keys: readonly string[]
  readonly onChange: ConfigurationChange
  /** The texts of these keys as they are now; absent ones are left out. */
  readonly read: (keys: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, string>>
  /** Every key that there is now. */
  readonly list: (signal: AbortSignal) => Promise<ReadonlySet<string>>
  /** Leaves the channels. */
  readonly leave: (subscription: RedisConfigurationSubscription) => Promise<void>
  readonly clock: Clock
  readonly random: Random
}

const retry = { initialMs: 100, maxMs: 5000 }

/** Tells of the keys that were touched, with what they hold when it comes to telling. */
export class RedisConfigurationSubscription implements ConfigurationSubscription {
  readonly ended: Promise<Error | undefined>
  readonly keys: readonly string[]
  readonly #options: SubscriptionOptions
  /** The texts that keys had when they were last looked at. */
  #known: Map<string, string> | undefined
  readonly #wanted: ReadonlySet<string>
  readonly #touched = new Set<string>()
  /** After messages were missed every key is looked at, and what differs is told. */
  #comparing = false
  #working: Promise<void> | undefined
  readonly #stop = new AbortController()
  readonly #end: (error: Error | undefined) => void
  #closing: Promise<void> | undefined

  constructor(options: SubscriptionOptions) {
    this.#options = options
    this.keys = options.keys
    this.#wanted = new Set(options.keys)
    const { promise, resolve } = Promise.withResolvers<Error | undefined>()
    this.ended = promise
    this.#end = resolve
  }

  /** Remembers what there is, so that later it is known what changed. Changes are told when it resolves. */
  async begin(): Promise<void> {
    const { signal } = this.#stop
    this.#known = new Map(await this.#options.read(await this.#everyKey(signal), signal))
    this.#work()
  }

  /** Something happened to a key. */
  touched(key: string): void {
    if (this.keys.length > 0 && !this.#wanted.has(key)) return
    this.#touched.add(key)
    this.#work()
  }

  /** Messages may have been missed. */
  compare(): void {
    this.#comparing = true
    this.#work()
  }

  /** Ends it with an error. */
  fail(error: Error): Promise<void> {
    return this.#close(error)
  }

  close(): Promise<void> {
    return this.#close(undefined)
  }

  #close(error: Error | undefined): Promise<void> {
    this.#closing ??= (async () => {
      this.#stop.abort()
      // What ended it may be the work itself.
      if (error === undefined) await this.#working
      await this.#options.leave(this)
      this.#end(error)
    })()
    return this.#closing
  }

  #work(): void {
    if (this.#known === undefined || this.#stop.signal.aborted) return
    this.#working ??= this.#loop(this.#known).finally(() => (this.#working = undefined))
  }

  async #loop(known: Map<string, string>): Promise<void> {
    const { clock, random } = this.#options
    const { signal } = this.#stop
    // One command may be told of as several events (SET with EX): they come together.
    await Promise.resolve()
    for (let attempt = 1; !signal.aborted && (this.#comparing || this.#touched.size > 0);) {
      const comparing = this.#comparing
      const touched = [...this.#touched]
      this.#comparing = false
      this.#touched.clear()
      try {
        const keys = comparing ? [...new Set([...(await this.#everyKey(signal)), ...known.keys()])] : touched
        await this.#tell(keys, await this.#options.read(keys, signal), known, comparing ? touched : keys)
        attempt = 1
      } catch (error) {
        if (signal.aborted) return
        if (!isComponentError(error) || !error.retryable) return void this.fail(error as Error)
        this.#comparing ||= comparing
        for (const key of touched) this.#touched.add(key)
        await sleep(clock, backoffDelayMs(attempt++, retry, random), signal).catch(() => undefined)
      }
    }
  }

  async #tell(
    keys: readonly string[],
    found: ReadonlyMap<string, string>,
    known: Map<string, string>,
    touched: readonly string[],
  ): Promise<void> {
    const surely = new Set(touched)
    const changes: [string, ConfigurationItem | undefined][] = []
    for (const key of keys) {
      const before = known.get(key)
      const text = found.get(key)
      // A key that was not there and is not there: made and deleted at once, or no string.
      if (text === undefined && before === undefined) continue
      if (text === before && !surely.has(key)) continue
      if (text === undefined) known.delete(key)
      else known.set(key, text)
      changes.push([key, text === undefined ? undefined : itemOf(text)])
    }
    if (known.size > mostKeys) throw tooMany()
    // Entries and not assignments: a key may have any name.
    if (changes.length > 0 && !this.#stop.signal.aborted)
      await this.#options.onChange(Object.fromEntries(changes))
  }

  async #everyKey(signal: AbortSignal): Promise<readonly string[]> {
    return this.keys.length > 0 ? this.keys : [...(await this.#options.list(signal))]
  }
}
