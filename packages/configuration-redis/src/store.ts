import type { ConnectOptions, RedisClient } from '@outrigger/common-redis'
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
import { Listener } from './listener.ts'
import { allKeys, mostKeys, readKeys } from './read.ts'
import { RedisConfigurationSubscription } from './subscription.ts'
import { itemOf } from './value.ts'

/** Configuration items are the strings of a database. */
export class RedisConfigurationStore implements ConfigurationStore {
  readonly capabilities: ReadonlySet<ConfigurationCapability>
  readonly subscribe?: NonNullable<ConfigurationStore['subscribe']>
  readonly #client: RedisClient
  readonly #options: Omit<ConnectOptions, 'signal'>
  readonly #listener: Listener
  #closed = false

  constructor(client: RedisClient, options: Omit<ConnectOptions, 'signal'>) {
    this.#client = client
    this.#options = options
    this.#listener = new Listener(client, options)
    // Each node of a cluster tells of its own keys only, and only those that listen to that node.
    const single = client.settings.mode !== 'cluster'
    this.capabilities = new Set<ConfigurationCapability>(single ? ['subscribe'] : [])
    if (single) this.subscribe = (...parameters) => this.#subscribe(...parameters)
  }

  async get(request: ConfigurationGetRequest, { signal }: OperationOptions): Promise<ConfigurationItems> {
    this.#check(request, signal)
    const keys = request.keys.length > 0 ? request.keys : [...(await allKeys(this.#client, signal))]
    const texts = await readKeys(this.#client, keys, signal)
    const items: [string, ConfigurationItem][] = []
    for (const [key, text] of texts) {
      const item = itemOf(text)
      if (item !== undefined) items.push([key, item])
    }
    return Object.fromEntries(items)
  }

  ping({ signal }: OperationOptions): Promise<void> {
    return this.#client.ping(signal)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#listener.close()
    await this.#client.close()
  }

  async #subscribe(
    request: ConfigurationGetRequest,
    onChange: ConfigurationChange,
    { signal }: OperationOptions,
  ): Promise<ConfigurationSubscription> {
    this.#check(request, signal)
    const { clock, random } = this.#options
    const subscription = new RedisConfigurationSubscription({
      keys: [...new Set(request.keys)],
      onChange,
      read: (keys, until) => readKeys(this.#client, keys, until),
      list: (until) => allKeys(this.#client, until),
      leave: (which) => this.#listener.remove(which),
      clock,
      random,
    })
    const abort = (): void => void subscription.close()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      await this.#listener.add(subscription)
      await subscription.begin()
      this.#check(request, signal)
      return subscription
    } catch (error) {
      await subscription.close()
      this.#check(request, signal)
      throw error
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  #check({ keys }: ConfigurationGetRequest, signal: AbortSignal | undefined): void {
    throwIfAborted(signal)
    if (this.#closed) throw new ComponentError('CLOSED', 'the Redis configuration store is closed')
    if (keys.length > mostKeys)
      throw new ComponentError('INVALID_ARGUMENT', `${keys.length} keys are named; ${mostKeys} are the most`)
  }
}
