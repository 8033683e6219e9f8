import { throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  type ConfigurationCapability,
  type ConfigurationChange,
  type ConfigurationGetRequest,
  type ConfigurationItem,
  type ConfigurationItems,
  type ConfigurationStore,
  type ConfigurationSubscription,
  type OperationOptions,
} from '@outrigger/spec'
import type { MemoryItems } from './items.ts'

const capabilities: ReadonlySet<ConfigurationCapability> = new Set(['subscribe'])

/** A configuration store on items in memory. */
export class MemoryConfigurationStore implements ConfigurationStore {
  readonly capabilities = capabilities
  readonly #items: MemoryItems
  readonly #subscriptions = new Set<MemorySubscription>()
  #closed = false

  constructor(items: MemoryItems) {
    this.#items = items
  }

  // Async without await, so that what is thrown becomes a rejection.
  async get({ keys }: ConfigurationGetRequest, options: OperationOptions): Promise<ConfigurationItems> {
    this.#check(options)
    const found: [string, ConfigurationItem][] = []
    for (const key of keys.length > 0 ? keys : this.#items.keys) {
      const item = this.#items.get(key)
      if (item !== undefined) found.push([key, item])
    }
    return Object.fromEntries(found)
  }

  async subscribe(
    { keys }: ConfigurationGetRequest,
    onChange: ConfigurationChange,
    options: OperationOptions,
  ): Promise<ConfigurationSubscription> {
    this.#check(options)
    const subscription = new MemorySubscription(this.#items, new Set(keys), onChange, () =>
      this.#subscriptions.delete(subscription),
    )
    this.#subscriptions.add(subscription)
    return subscription
  }

  async ping(options: OperationOptions): Promise<void> {
    this.#check(options)
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()))
  }

  #check(options: OperationOptions): void {
    throwIfAborted(options.signal)
    if (this.#closed) throw new ComponentError('CLOSED', 'the in-memory configuration store is closed')
  }
}

class MemorySubscription implements ConfigurationSubscription {
  readonly ended: Promise<undefined>
  readonly #items: MemoryItems
  readonly #onChange: ConfigurationChange
  readonly #touched = new Set<string>()
  readonly #unwatch: () => void
  readonly #onClosed: () => void
  readonly #end: (error: undefined) => void
  #telling: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(
    items: MemoryItems,
    keys: ReadonlySet<string>,
    onChange: ConfigurationChange,
    onClosed: () => void,
  ) {
    this.#items = items
    this.#onChange = onChange
    this.#onClosed = onClosed
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.ended = promise
    this.#end = resolve
    this.#unwatch = items.watch((key) => {
      if (keys.size > 0 && !keys.has(key)) return
      this.#touched.add(key)
      this.#telling ??= this.#tell().finally(() => (this.#telling = undefined))
    })
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#unwatch()
      this.#touched.clear()
      await this.#telling
      this.#onClosed()
      this.#end(undefined)
    })()
    return this.#closing
  }

  async #tell(): Promise<void> {
    // What one piece of code changes is told together.
    await Promise.resolve()
    while (this.#touched.size > 0) {
      const changes = Object.fromEntries([...this.#touched].map((key) => [key, this.#items.get(key)]))
      this.#touched.clear()
      await this.#onChange(changes)
    }
  }
}
