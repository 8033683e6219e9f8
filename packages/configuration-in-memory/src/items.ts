import type { ConfigurationItem, Metadata } from '@outrigger/spec'

/** Configuration items that a program changes and a configuration store reads. */
export class MemoryItems {
  readonly #items = new Map<string, ConfigurationItem>()
  readonly #watchers = new Set<(key: string) => void>()
  #versions = 0

  constructor(values: Readonly<Record<string, string>> = {}) {
    for (const [key, value] of Object.entries(values)) this.set(key, value)
  }

  get keys(): readonly string[] {
    return [...this.#items.keys()]
  }

  get(key: string): ConfigurationItem | undefined {
    return this.#items.get(key)
  }

  /** Sets an item, with a version of its own, and tells those who have subscribed. */
  set(key: string, value: string, metadata?: Metadata): void {
    const version = String(++this.#versions)
    this.#items.set(key, metadata === undefined ? { value, version } : { value, version, metadata })
    this.#tell(key)
  }

  /** Deletes an item and tells those who have subscribed; nothing happens where there is none. */
  delete(key: string): void {
    if (this.#items.delete(key)) this.#tell(key)
  }

  /** Calls `watcher` with each key that changes, until the function that it returns is called. */
  watch(watcher: (key: string) => void): () => void {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  #tell(key: string): void {
    for (const watcher of this.#watchers) watcher(key)
  }
}
