import type { Metadata } from '@outrigger/spec'
import { clientError } from './error.ts'

/** An item of a configuration store. A key that is gone has an empty value and no version. */
export interface ConfigurationItem {
  readonly value: string
  /** Empty where the store has no versions. */
  readonly version: string
  readonly metadata: Metadata
}

export type ConfigurationItems = Readonly<Record<string, ConfigurationItem>>

/** Keys whose changes wait to be read. */
const mostWaiting = 10_000

/**
 * A running subscription to configuration. Iterating it gives what has changed since the last look: who is slow sees
 * the newest value of each key, and not all between. Leaving the loop ends it.
 */
export class ConfigurationSubscription implements AsyncIterable<ConfigurationItems>, AsyncDisposable {
  /** What the sidecar calls it. */
  readonly id: string
  /** Settles when it is over: with `undefined` when it was ended from here, else with what ended it. */
  readonly ended: Promise<Error | undefined>
  readonly #stop: () => Promise<void> | void
  #waiting = new Map<string, ConfigurationItem>()
  #over = false
  #failure: Error | undefined
  #stopped: Promise<void> | undefined
  #wake: (() => void) | undefined
  #settle!: (error: Error | undefined) => void

  /** @param stop ends it at the other side; called once */
  constructor(id: string, stop: () => Promise<void> | void) {
    this.id = id
    this.#stop = stop
    this.ended = new Promise((resolve) => (this.#settle = resolve))
  }

  /** For transports: what has changed. */
  push(changes: ConfigurationItems): void {
    if (this.#over) return
    for (const [key, item] of Object.entries(changes)) this.#waiting.set(key, item)
    if (this.#waiting.size > mostWaiting) {
      const problem = `changes of more than ${mostWaiting} keys wait to be read`
      this.end(clientError('ERR_CLIENT_TOO_LARGE', problem))
      void this.unsubscribe().catch(() => undefined)
    }
    this.#wake?.()
  }

  /** For transports: it is over. */
  end(failure?: Error): void {
    if (this.#over) return
    this.#over = true
    this.#failure = failure
    this.#settle(failure)
    this.#wake?.()
  }

  /** Nothing is told after it resolved. May be called twice. */
  async unsubscribe(): Promise<void> {
    this.end()
    this.#waiting.clear()
    this.#stopped ??= Promise.resolve(this.#stop())
    await this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.unsubscribe()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ConfigurationItems, void> {
    try {
      for (;;) {
        if (this.#waiting.size > 0) {
          const changes = Object.fromEntries(this.#waiting)
          this.#waiting = new Map()
          yield changes
          continue
        }
        if (this.#failure !== undefined) throw this.#failure
        if (this.#over) return
        await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      // What went wrong at the other side has been told; that it cannot be ended there then is no news.
      await this.unsubscribe().catch(() => undefined)
    }
  }
}

/** Items as they come over a wire, where empty parts may be missing. */
export function readItems(items: unknown): ConfigurationItems {
  if (typeof items !== 'object' || items === null) return {}
  return Object.fromEntries(
    Object.entries(items as Record<string, Partial<ConfigurationItem> | null | undefined>).map(
      ([key, item]) => [
        key,
        { value: item?.value ?? '', version: item?.version ?? '', metadata: { ...item?.metadata } },
      ],
    ),
  )
}
