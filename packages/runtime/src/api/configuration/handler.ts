import type {
  Clock,
  ConfigurationItems,
  ConfigurationStore,
  Logger,
  Metadata,
  OperationOptions,
  Random,
} from '@outrigger/spec'
import type { AppChannel } from '../../app/channel.ts'
import { ApiError, failureText } from '../api-error.ts'
import type { Policy } from '../../resiliency/policy.ts'
import { appListener } from './app-listener.ts'
import { SubscriptionRunner, type ConfigurationListener } from './subscription.ts'

export type ConfigurationStores = ReadonlyMap<string, { readonly instance: ConfigurationStore }>

export interface ConfigurationParts {
  readonly stores: ConfigurationStores
  readonly channel: AppChannel | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** What applies to telling the application of changes. Default: nothing. */
  readonly policyOf?: ((storeName: string) => Policy | undefined) | undefined
}

/** A subscription that was made. */
export interface ConfigurationWatch {
  /** What `unsubscribe` takes. */
  readonly id: string
  /** Resolves when it is over. */
  readonly ended: Promise<void>
}

/** Applications that start anew subscribe anew, and forget to unsubscribe. */
const mostSubscriptions = 1000
const mostKeys = 10_000

/** The configuration operations, for every face of the runtime. */
export class ConfigurationHandler {
  readonly #parts: ConfigurationParts
  readonly #running = new Map<string, SubscriptionRunner>()
  /** Those that begin count as well. */
  #count = 0
  #stopped = false

  constructor(parts: ConfigurationParts) {
    this.#parts = parts
  }

  /** Without keys every item. Keys that do not exist are left out. @throws ApiError CONFIGURATION_GET, CONFIGURATION_STORE_* */
  async get(
    storeName: string,
    keys: readonly string[],
    metadata: Metadata,
    options: OperationOptions,
  ): Promise<ConfigurationItems> {
    const store = this.#store(storeName)
    checkCount(keys)
    try {
      return await store.get({ keys, metadata }, options)
    } catch (error) {
      const text = failureText(error, this.#parts.logger, 'reading configuration failed')
      throw new ApiError(
        'CONFIGURATION_GET',
        `failed to get [${keys.join(' ')}] from Configuration store ${storeName}: ${text}`,
        { cause: error },
      )
    }
  }

  /**
   * Tells `listener` of changes until `unsubscribe`, the end of the runtime or that of the store; without keys of all.
   * @throws ApiError CONFIGURATION_SUBSCRIBE, CONFIGURATION_STORE_*
   */
  async subscribe(
    storeName: string,
    keys: readonly string[],
    metadata: Metadata,
    listener: ConfigurationListener,
    options: OperationOptions,
  ): Promise<ConfigurationWatch> {
    const store = this.#store(storeName)
    checkCount(keys)
    const refuse = (text: string, cause?: unknown): ApiError =>
      new ApiError(
        'CONFIGURATION_SUBSCRIBE',
        `failed to subscribe [${keys.join(' ')}] from Configuration store ${storeName}: ${text}`,
        { cause },
      )
    if (store.subscribe === undefined) throw refuse('the store tells of no changes as it is configured')
    if (this.#stopped) throw refuse('the runtime is stopping')
    if (this.#count >= mostSubscriptions) {
      throw refuse(`there are ${mostSubscriptions} subscriptions, which is the most: unsubscribe first`)
    }
    const { clock, random, logger } = this.#parts
    const id = random.uuid()
    const request = { keys, metadata }
    const runner = new SubscriptionRunner({ id, storeName, store, request, listener, clock, random, logger })
    this.#count++
    try {
      await runner.start(options.signal)
    } catch (error) {
      this.#count--
      throw refuse(failureText(error, logger, 'subscribing to configuration failed'), error)
    }
    this.#running.set(id, runner)
    void runner.ended.then(() => {
      this.#count--
      this.#running.delete(id)
    })
    // The caller has gone, or the end came meanwhile: nobody knows the id.
    if (this.#stopped || options.signal?.aborted === true) {
      await runner.stop()
      throw refuse('the subscription was given up')
    }
    return { id, ended: runner.ended }
  }

  /** As `subscribe`, with the application as the listener. @throws ApiError APP_CHANNEL_NIL as well */
  async subscribeApp(
    storeName: string,
    keys: readonly string[],
    metadata: Metadata,
    options: OperationOptions,
  ): Promise<ConfigurationWatch> {
    this.#store(storeName)
    const { channel } = this.#parts
    if (channel === undefined) {
      throw new ApiError(
        'APP_CHANNEL_NIL',
        'app channel is not initialized. cannot subscribe to configuration updates',
      )
    }
    const { clock, logger, policyOf } = this.#parts
    const listener = appListener(channel, storeName, { clock, logger, policy: policyOf?.(storeName) })
    return this.subscribe(storeName, keys, metadata, listener, options)
  }

  /** Ends a subscription; a change that is being told is not waited for. @throws ApiError CONFIGURATION_UNSUBSCRIBE, CONFIGURATION_STORE_* */
  unsubscribe(storeName: string, id: string): void {
    this.#store(storeName)
    const runner = this.#running.get(id)
    if (runner === undefined || runner.storeName !== storeName) {
      throw new ApiError(
        'CONFIGURATION_UNSUBSCRIBE',
        `failed to unsubscribe to configuration request ${id}: subscription with id ${id} does not exist`,
      )
    }
    this.#running.delete(id)
    runner
      .close()
      .catch((error: unknown) => this.#parts.logger.warn('a subscription did not close well', { error }))
  }

  /** Ends every subscription and lets no more begin. */
  async stop(): Promise<void> {
    this.#stopped = true
    const all = [...this.#running.values()]
    this.#running.clear()
    await Promise.all(
      all.map((runner) =>
        runner
          .stop()
          .catch((error: unknown) => this.#parts.logger.warn('a subscription did not close well', { error })),
      ),
    )
  }

  #store(name: string): ConfigurationStore {
    const { stores } = this.#parts
    const live = stores.get(name)
    if (live !== undefined) return live.instance
    if (stores.size === 0) {
      throw new ApiError('CONFIGURATION_STORE_NOT_CONFIGURED', 'configuration stores not configured')
    }
    throw new ApiError('CONFIGURATION_STORE_NOT_FOUND', `configuration store ${name} not found`)
  }
}

function checkCount(keys: readonly string[]): void {
  if (keys.length > mostKeys) {
    throw new ApiError(
      'MALFORMED_REQUEST',
      `${keys.length} keys in one request; at most ${mostKeys} are allowed`,
    )
  }
}
