import { noOptions, type CallOptions } from '../call.ts'
import { required } from '../values.ts'
import type { ConfigurationItems, ConfigurationSubscription } from '../updates.ts'

export interface SubscribeConfigurationOptions extends CallOptions {
  /** Told of changes, one call after the other. What it throws ends the subscription; see `ended`. */
  readonly onChange?: ((changes: ConfigurationItems) => void | Promise<void>) | undefined
}

export interface ConfigurationPort {
  get(store: string, keys: readonly string[], options: CallOptions): Promise<ConfigurationItems>
  subscribe(store: string, keys: readonly string[], options: CallOptions): Promise<ConfigurationSubscription>
}

/** Configuration stores. */
export class ConfigurationClient {
  readonly #port: ConfigurationPort
  readonly #running = new Set<ConfigurationSubscription>()

  constructor(port: ConfigurationPort) {
    this.#port = port
  }

  /** Items by their keys; without keys all of them. Keys that do not exist are left out. */
  async get(
    store: string,
    keys: readonly string[] = [],
    options: CallOptions = noOptions,
  ): Promise<ConfigurationItems> {
    required(store, 'the name of the store')
    return this.#port.get(store, keys, options)
  }

  /**
   * Begins to tell of changes, of the keys or without keys of all: to `onChange`, or to who iterates what is returned.
   * The signal ends the subscription as well. Over HTTP changes come as requests to the application, so the client must
   * know it: option `app` of `createClient`.
   */
  async subscribe(
    store: string,
    keys: readonly string[] = [],
    options: SubscribeConfigurationOptions = noOptions,
  ): Promise<ConfigurationSubscription> {
    required(store, 'the name of the store')
    const subscription = await this.#port.subscribe(store, keys, options)
    this.#running.add(subscription)
    const { onChange, signal } = options
    const abort = (): void => void subscription.unsubscribe().catch(() => undefined)
    signal?.addEventListener('abort', abort, { once: true })
    void subscription.ended.then(() => {
      this.#running.delete(subscription)
      signal?.removeEventListener('abort', abort)
    })
    if (signal?.aborted === true) abort()
    if (onChange !== undefined) void tell(subscription, onChange)
    return subscription
  }

  /** Ends every subscription. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#running, (each) => each.unsubscribe().catch(() => undefined)))
  }
}

async function tell(
  subscription: ConfigurationSubscription,
  onChange: (changes: ConfigurationItems) => void | Promise<void>,
): Promise<void> {
  try {
    for await (const changes of subscription) {
      try {
        await onChange(changes)
      } catch (error) {
        subscription.end(error as Error)
        return
      }
    }
  } catch {
    // What ended it is told by `ended`.
  }
}
