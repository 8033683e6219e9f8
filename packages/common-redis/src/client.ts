import { backoffDelayMs, sleep, throwIfAborted } from '@outrigger/kit'
import { ComponentError, type Clock, type Random } from '@outrigger/spec'
import type { Cluster, Command, Redis } from 'ioredis'
import { Cork } from './cork.ts'
import { isFinalConnectError, toComponentError, wasRefused } from './errors.ts'
import { outageWaitMs, type RedisSettings } from './settings.ts'

export type RedisArgument = string | number | Buffer

export interface SendOptions {
  readonly signal?: AbortSignal | undefined
  /** Whether carrying it out twice does no harm: then it is repeated if its connection breaks. */
  readonly repeatable?: boolean
  /** Cluster: send a command that names no key to the node that holds this one. */
  readonly route?: string
}

/** Lua that the server keeps: its text is sent once for each connection, then its hash. */
export interface RedisScript {
  readonly name: string
  readonly lua: string
  /** Without it the first argument is the number of keys. */
  readonly keys?: number
}

/** Sends a read to one server. */
export type Send = (name: string, args: readonly RedisArgument[]) => Promise<unknown>

type Attempt = () => Promise<unknown>

/** One pipelined connection (or one for each node of a cluster). Bulk replies are Buffers. Made by `connectRedis`. */
export class RedisClient {
  readonly settings: RedisSettings
  readonly #redis: Redis | Cluster
  readonly #Command: typeof Command
  readonly #clock: Clock
  readonly #random: Random
  readonly #cork: Cork
  readonly #streams: () => readonly (Redis['stream'] | undefined)[]
  readonly #waiters = new Set<() => void>()
  #lastError: unknown
  #closing: Promise<void> | undefined

  constructor(
    redis: Redis | Cluster,
    CommandClass: typeof Command,
    settings: RedisSettings,
    environment: { readonly clock: Clock; readonly random: Random },
  ) {
    this.settings = settings
    this.#redis = redis
    this.#Command = CommandClass
    this.#clock = environment.clock
    this.#random = environment.random
    this.#streams = redis.isCluster
      ? () => (redis as Cluster).nodes('all').map((node) => node.stream)
      : () => [(redis as Redis).stream]
    this.#cork = new Cork(this.#streams)
    redis.on('ready', () => {
      this.#lastError = undefined
      this.#wake()
    })
    redis.on('error', (error: unknown) => {
      this.#lastError = error
    })
  }

  /**
   * Sends one command. While there is no connection it waits for one as long as `outageWaitMs` says.
   * @throws ComponentError; UNAVAILABLE when the server cannot be reached or the connection broke
   */
  send(name: string, args: readonly RedisArgument[], options: SendOptions = {}): Promise<unknown> {
    return this.#run(() => this.#write(name, args, options.route), options)
  }

  /** Prepares a script; the function it returns runs it with keys and arguments in one list. */
  script(script: RedisScript): (args: readonly RedisArgument[], options?: SendOptions) => Promise<unknown> {
    const { name, lua, keys } = script
    this.#redis.defineCommand(name, keys === undefined ? { lua } : { lua, numberOfKeys: keys })
    const run = (this.#redis as unknown as Record<string, (...args: RedisArgument[]) => Promise<unknown>>)[
      `${name}Buffer`
    ]!.bind(this.#redis)
    return (args, options = {}) =>
      this.#run(() => {
        this.#cork.hold()
        return run(...args)
      }, options)
  }

  /** The hash slot of a key in a cluster. */
  slot(key: string): number {
    return new this.#Command('get', [key], {}).getSlot()!
  }

  /** The connections to the masters of a cluster, or the one there is: for commands that each of them answers. */
  async onEachMaster<T>(work: (send: Send) => Promise<T>): Promise<T[]> {
    const masters = this.#redis.isCluster ? (this.#redis as Cluster).nodes('master') : [this.#redis as Redis]
    return Promise.all(
      masters.map((node) =>
        work((name, args) =>
          this.#redis.isCluster
            ? node.callBuffer(name, ...args).catch((error: unknown) => Promise.reject(this.#mapped(error)))
            : this.send(name, args, { repeatable: true }),
        ),
      ),
    )
  }

  /** @throws ComponentError UNAVAILABLE, UNAUTHENTICATED */
  async ping(signal?: AbortSignal): Promise<void> {
    await this.send('ping', [], { signal, repeatable: true })
  }

  get closing(): boolean {
    return this.#closing !== undefined
  }

  /** Ends every socket. What is under way fails with CLOSED. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    this.#wake()
    const { status } = this.#redis
    const over = new Promise<void>((resolve) => this.#redis.once('end', resolve))
    this.#redis.disconnect()
    if (status === 'end' || status === 'close' || status === 'reconnecting' || status === 'wait') return
    const patience = new AbortController()
    await Promise.race([over, sleep(this.#clock, 1000, patience.signal).catch(() => undefined)])
    patience.abort()
    // A server that says nothing any more does not hang up either.
    for (const stream of this.#streams()) stream?.destroy()
  }

  #write(name: string, args: readonly RedisArgument[], route: string | undefined): Promise<unknown> {
    this.#cork.hold()
    const command = new this.#Command(name, args as RedisArgument[], {})
    if (route !== undefined) (command as unknown as { slot: number }).slot = this.slot(route)
    return this.#redis.sendCommand(command) as Promise<unknown>
  }

  #run(attempt: Attempt, { signal, repeatable = false }: SendOptions): Promise<unknown> {
    if (this.#closing !== undefined) return Promise.reject(this.#mapped(undefined))
    if (signal?.aborted === true) return Promise.reject(cancelled(signal))
    const first = this.#redis.status === 'ready' ? attempt() : Promise.reject(notConnected)
    const result = first.catch((error: unknown) => this.#repeat(error, attempt, repeatable, signal))
    return signal === undefined ? result : abortable(result, signal)
  }

  async #repeat(first: unknown, attempt: Attempt, repeatable: boolean, signal: AbortSignal | undefined) {
    let error = first
    const { redisMaxRetries, redisMinRetryIntervalMs, redisMaxRetryIntervalMs } = this.settings.metadata
    const deadline = this.#clock.monotonic() + outageWaitMs(this.settings.metadata)
    for (let count = 1; count <= redisMaxRetries && this.#closing === undefined; count++) {
      const untouched = error === notConnected || wasRefused(error)
      if (!untouched && !(repeatable && toComponentError(error, '').code === 'UNAVAILABLE')) break
      throwIfAborted(signal)
      if (this.#redis.status !== 'ready') {
        if (!(await this.#whenReady(deadline - this.#clock.monotonic(), signal))) break
      } else if (redisMinRetryIntervalMs > 0 && redisMaxRetryIntervalMs > 0) {
        const pause = { initialMs: redisMinRetryIntervalMs, maxMs: redisMaxRetryIntervalMs }
        await sleep(this.#clock, backoffDelayMs(count, pause, this.#random), signal)
      }
      try {
        return await attempt()
      } catch (next) {
        error = next
      }
    }
    throw this.#mapped(error)
  }

  /** Resolves with true when there is a connection, with false after `ms`. */
  #whenReady(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
    if (ms <= 0) return Promise.resolve(false)
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel()
        signal?.removeEventListener('abort', done)
        this.#waiters.delete(done)
        resolve(this.#redis.status === 'ready')
      }
      const timer = this.#clock.schedule(ms, done)
      this.#waiters.add(done)
      signal?.addEventListener('abort', done, { once: true })
    })
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake()
  }

  #mapped(error: unknown): ComponentError {
    const { where } = this.settings
    if (this.#closing !== undefined)
      return new ComponentError('CLOSED', `redis at ${where}: the component was closed`)
    if (error !== notConnected) return toComponentError(error, where)
    const mapped = toComponentError(this.#lastError ?? notConnected, where)
    // Credentials that were changed meanwhile are told as such; everything else is an outage.
    if (isFinalConnectError(this.#lastError)) return mapped
    return new ComponentError('UNAVAILABLE', mapped.message, { cause: mapped.cause })
  }
}

const notConnected = new Error('there is no connection')

function cancelled(signal: AbortSignal): ComponentError {
  return new ComponentError('CANCELLED', 'the operation was cancelled', { cause: signal.reason })
}

function abortable(result: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(cancelled(signal))
    signal.addEventListener('abort', abort, { once: true })
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
