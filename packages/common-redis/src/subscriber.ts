import { ComponentError, type Clock, type Timer } from '@outrigger/spec'
import type { Redis } from 'ioredis'
import { toComponentError } from './errors.ts'
import type { RedisSettings } from './settings.ts'

/** What a subscriber tells. */
export interface SubscriberEvents {
  /** A message on a channel, and the pattern for which it came: who listens to both is told twice. */
  readonly onMessage: (channel: string, pattern: string | undefined) => void
  /** The connection was lost and is there again, with every channel: messages in between are missing. */
  readonly onRestored: () => void
  /** The server refuses the channels after it had allowed them. */
  readonly onRefused: (error: ComponentError) => void
}

/** So that a connection that is dead is noticed: the server says nothing by itself for as long as it likes. */
const pingEveryMs = 10_000

/** A connection that listens to channels. Made by `connectRedisSubscriber`. */
export class RedisSubscriber {
  readonly #redis: Redis
  readonly #settings: RedisSettings
  readonly #clock: Clock
  readonly #events: SubscriberEvents
  readonly #channels = new Set<string>()
  readonly #patterns = new Set<string>()
  /** Commands follow one another, because their replies name no request. */
  #turn: Promise<unknown> = Promise.resolve()
  #ping: Timer
  #closed = false

  constructor(redis: Redis, settings: RedisSettings, clock: Clock, events: SubscriberEvents) {
    this.#redis = redis
    this.#settings = settings
    this.#clock = clock
    this.#events = events
    redis.on('message', (channel: string) => events.onMessage(channel, undefined))
    redis.on('pmessage', (pattern: string, channel: string) => events.onMessage(channel, pattern))
    redis.on('ready', () => void this.#inTurn(() => this.#restore()))
    this.#ping = clock.schedule(pingEveryMs, this.#pingNow)
  }

  /** @throws ComponentError; UNAVAILABLE without a connection, PERMISSION_DENIED where the user may not listen */
  subscribe(channels: readonly string[]): Promise<void> {
    return this.#inTurn(() =>
      this.#listen(channels, this.#channels, (names) => this.#redis.subscribe(...names)),
    )
  }

  /** As `subscribe`, with globs. */
  subscribePatterns(patterns: readonly string[]): Promise<void> {
    return this.#inTurn(() =>
      this.#listen(patterns, this.#patterns, (names) => this.#redis.psubscribe(...names)),
    )
  }

  /** Never rejects: a channel that the server was not told of is gone with the connection. */
  unsubscribe(channels: readonly string[]): Promise<void> {
    return this.#leave(channels, this.#channels, (names) => this.#redis.unsubscribe(...names))
  }

  /** As `unsubscribe`, with globs. */
  unsubscribePatterns(patterns: readonly string[]): Promise<void> {
    return this.#leave(patterns, this.#patterns, (names) => this.#redis.punsubscribe(...names))
  }

  /** Whether `close` was called. */
  get closing(): boolean {
    return this.#closed
  }

  /** Ends the connection at once. May be called twice. */
  close(): void {
    this.#closed = true
    this.#ping.cancel()
    this.#redis.disconnect()
    this.#redis.stream?.destroy()
  }

  async #listen(
    names: readonly string[],
    known: Set<string>,
    command: (names: readonly string[]) => Promise<unknown>,
  ): Promise<void> {
    const fresh = names.filter((name) => !known.has(name))
    if (fresh.length === 0) return
    try {
      await command(fresh)
    } catch (error) {
      throw this.#mapped(error)
    }
    for (const name of fresh) known.add(name)
  }

  async #leave(
    names: readonly string[],
    known: Set<string>,
    command: (names: readonly string[]) => Promise<unknown>,
  ): Promise<void> {
    await this.#inTurn(async () => {
      const listening = names.filter((name) => known.delete(name))
      if (listening.length > 0) await command(listening)
    }).catch(() => undefined)
  }

  async #restore(): Promise<void> {
    try {
      if (this.#channels.size > 0) await this.#redis.subscribe(...this.#channels)
      if (this.#patterns.size > 0) await this.#redis.psubscribe(...this.#patterns)
    } catch (error) {
      const mapped = this.#mapped(error)
      // The connection went again: there will be another one.
      if (mapped.code !== 'UNAVAILABLE' && mapped.code !== 'CLOSED') this.#events.onRefused(mapped)
      return
    }
    this.#events.onRestored()
  }

  readonly #pingNow = (): void => {
    this.#ping = this.#clock.schedule(pingEveryMs, this.#pingNow)
    void this.#inTurn(() => this.#redis.ping()).catch(() => undefined)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  #mapped(error: unknown): ComponentError {
    const { where } = this.#settings
    if (this.#closed) return new ComponentError('CLOSED', `redis at ${where}: the component was closed`)
    return toComponentError(error, where)
  }
}
