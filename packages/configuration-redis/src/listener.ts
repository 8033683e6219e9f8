import {
  asText,
  connectRedisSubscriber,
  type ConnectOptions,
  type RedisClient,
  type RedisSubscriber,
} from '@outrigger/common-redis'
import { backoffDelayMs, sleep } from '@outrigger/kit'
import { isComponentError, type ComponentError, type Logger } from '@outrigger/spec'
import type { RedisConfigurationSubscription } from './subscription.ts'

/** Kinds of event that must be told: in channels of keys (K), of strings ($), generic (g), expired (x), evicted (e). */
const wanted = 'Kg$xe'
/** What `A` stands for among these. */
const inAll = 'g$xe'
const retry = { initialMs: 100, maxMs: 5000 }

/** What is missing in the server's `notify-keyspace-events`, added to it; `undefined` when nothing is. */
export function withWanted(flags: string): string | undefined {
  const has = (flag: string): boolean => flags.includes(flag) || (inAll.includes(flag) && flags.includes('A'))
  const missing = wanted.split('').filter((flag) => !has(flag))
  return missing.length === 0 ? undefined : flags + missing.join('')
}

/** One connection that listens for all subscriptions of a store, made with the first of them. */
export class Listener {
  readonly #client: RedisClient
  readonly #options: Omit<ConnectOptions, 'signal'>
  readonly #logger: Logger
  readonly #channelPrefix: string
  readonly #subscriptions = new Set<RedisConfigurationSubscription>()
  readonly #ending = new AbortController()
  #connecting: Promise<RedisSubscriber> | undefined
  #warned = false

  constructor(client: RedisClient, options: Omit<ConnectOptions, 'signal'>) {
    this.#client = client
    this.#options = options
    this.#logger = options.logger
    this.#channelPrefix = `__keyspace@${client.settings.metadata.redisDB}__:`
  }

  /** Resolves when the subscription is told of every change from now on. @throws ComponentError */
  async add(subscription: RedisConfigurationSubscription): Promise<void> {
    const subscriber = await this.#connect()
    await this.#enable()
    this.#subscriptions.add(subscription)
    const { keys } = subscription
    try {
      if (keys.length === 0) await subscriber.subscribePatterns([`${this.#channelPrefix}*`])
      else await subscriber.subscribe(keys.map((key) => this.#channelPrefix + key))
    } catch (error) {
      await this.remove(subscription)
      throw error
    }
  }

  async remove(subscription: RedisConfigurationSubscription): Promise<void> {
    this.#subscriptions.delete(subscription)
    const subscriber = await this.#connecting?.catch(() => undefined)
    if (subscriber === undefined || this.#ending.signal.aborted) return
    const others = [...this.#subscriptions]
    if (subscription.keys.length === 0) {
      if (others.every(({ keys }) => keys.length > 0))
        await subscriber.unsubscribePatterns([`${this.#channelPrefix}*`])
      return
    }
    const needed = new Set(others.flatMap(({ keys }) => keys))
    const free = subscription.keys.filter((key) => !needed.has(key))
    await subscriber.unsubscribe(free.map((key) => this.#channelPrefix + key))
  }

  /** Ends the connection and every subscription. */
  async close(): Promise<void> {
    this.#ending.abort()
    const all = [...this.#subscriptions]
    this.#connecting?.then(
      (subscriber) => subscriber.close(),
      () => undefined,
    )
    await Promise.all(all.map((subscription) => subscription.close()))
  }

  #connect(): Promise<RedisSubscriber> {
    if (this.#connecting !== undefined) return this.#connecting
    const connecting = connectRedisSubscriber(
      this.#client.settings,
      { ...this.#options, signal: this.#ending.signal },
      {
        onMessage: (channel, pattern) => {
          const key = channel.slice(this.#channelPrefix.length)
          for (const subscription of this.#subscriptions) {
            if ((subscription.keys.length === 0) === (pattern !== undefined)) subscription.touched(key)
          }
        },
        onRestored: () => void this.#restored(),
        onRefused: (error: ComponentError) => {
          for (const subscription of this.#subscriptions) void subscription.fail(error)
        },
      },
    )
    this.#connecting = connecting
    connecting.catch(() => {
      this.#connecting = undefined
    })
    return connecting
  }

  /** A server that was started anew has forgotten its setting, and what changed meanwhile nobody has told. */
  async #restored(): Promise<void> {
    const { clock, random } = this.#options
    const { signal } = this.#ending
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await this.#enable()
        break
      } catch (error) {
        this.#logger.debug('the server could not be told to tell of changes', { error })
        await sleep(clock, backoffDelayMs(attempt, retry, random), signal).catch(() => undefined)
      }
    }
    for (const subscription of this.#subscriptions) subscription.compare()
  }

  /** Lets the server tell of changed keys, besides what it tells already. */
  async #enable(): Promise<void> {
    const name = 'notify-keyspace-events'
    try {
      const [, flags] = (await this.#client.send('config', ['get', name], { repeatable: true })) as Buffer[]
      const flagsNow = flags === undefined ? '' : asText(flags)
      const better = withWanted(flagsNow)
      if (better !== undefined) await this.#client.send('config', ['set', name, better], { repeatable: true })
    } catch (error) {
      const refused =
        isComponentError(error) && ['PERMISSION_DENIED', 'UNSUPPORTED', 'INTERNAL'].includes(error.code)
      if (!refused) throw error
      if (!this.#warned) {
        this.#logger.warn(
          `changes are told only if ${name} of the server contains ${wanted}, and this user may not look or set it`,
          { reason: error.message },
        )
      }
      this.#warned = true
    }
  }
}
