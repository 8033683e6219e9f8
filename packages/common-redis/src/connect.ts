import { ComponentError, type Clock, type Logger, type Random } from '@outrigger/spec'
import type { Cluster, Redis } from 'ioredis'
import { RedisClient } from './client.ts'
import { isFinalConnectError, toComponentError } from './errors.ts'
import { clusterOptions, nodeOptions } from './options.ts'
import type { RedisSettings } from './settings.ts'
import { RedisSubscriber, type SubscriberEvents } from './subscriber.ts'

/** The parts of a component's context that a connection needs. */
export interface ConnectOptions {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Aborts connecting; not the connection. */
  readonly signal: AbortSignal
  /** The longest that a command of this connection blocks on the server, for a connection of its own; 0 without it. */
  readonly blockMs?: number
  /** How long a server that is not there yet is waited for, unless `redisMaxRetries` wants no repetition; 0 without it. */
  readonly patienceMs?: number
}

/** For components that are created: what starts together with its server starts a little before it. */
export const startPatienceMs = 3000

/**
 * Connects and verifies the connection with a PING. A server that cannot be reached is tried `redisMaxRetries` more
 * times, and for `patienceMs`; wrong credentials and certificates fail at once. Later losses are mended in the background.
 * @throws ComponentError UNAVAILABLE, UNAUTHENTICATED, PERMISSION_DENIED, INVALID_METADATA
 */
export async function connectRedis(settings: RedisSettings, options: ConnectOptions): Promise<RedisClient> {
  const { Cluster, Command, Redis } = await import('ioredis')
  const blockMs = options.blockMs ?? 0
  const redis =
    settings.mode === 'cluster'
      ? new Cluster(
          settings.addresses.map((address) => ({ ...address })),
          clusterOptions(settings, options.random, blockMs),
        )
      : new Redis(nodeOptions(settings, options.random, blockMs))
  const client = new RedisClient(redis, Command, settings, options)
  if (!settings.metadata.enableTLS && settings.metadata.clientCert !== undefined) {
    options.logger.warn('clientCert is not used because enableTLS is false')
  }
  try {
    await firstReady(redis, settings, options)
    await client.ping(options.signal)
  } catch (error) {
    await client.close()
    throw error
  }
  logLosses(redis, client, settings, options.logger)
  return client
}

/**
 * Connects once more, to listen to channels. In a cluster it listens to one node only, so it is refused there.
 * @throws ComponentError as `connectRedis`
 */
export async function connectRedisSubscriber(
  settings: RedisSettings,
  options: ConnectOptions,
  events: SubscriberEvents,
): Promise<RedisSubscriber> {
  if (settings.mode === 'cluster')
    throw new ComponentError('UNSUPPORTED', 'redisType: cluster has no channels here')
  const { Redis } = await import('ioredis')
  const redis = new Redis({ ...nodeOptions(settings, options.random, 0), autoResubscribe: false })
  try {
    await firstReady(redis, settings, options)
  } catch (error) {
    redis.disconnect()
    throw error
  }
  const subscriber = new RedisSubscriber(redis, settings, options.clock, events)
  logLosses(redis, subscriber, settings, options.logger)
  return subscriber
}

function firstReady(
  redis: Redis | Cluster,
  { where, metadata }: RedisSettings,
  { signal, clock, patienceMs = 0 }: ConnectOptions,
): Promise<void> {
  const until = clock.monotonic() + (metadata.redisMaxRetries > 0 ? patienceMs : 0)
  return new Promise((resolve, reject) => {
    let last: unknown
    let failures = 0
    const settle = (finish: () => void): void => {
      redis.off('ready', ready)
      redis.off('error', onError)
      redis.off('node error', onNodeError)
      redis.off('close', onClose)
      signal.removeEventListener('abort', onAbort)
      finish()
    }
    const fail = (): void => settle(() => reject(failure(last, where, signal)))
    const ready = (): void => settle(resolve)
    const onNodeError = (error: unknown): void => onError(error)
    const onError = (error: unknown): void => {
      // A cluster reports what went wrong with a node apart from the general failure, and only the former says why.
      const { lastNodeError } = error as { readonly lastNodeError?: unknown }
      last = lastNodeError ?? error
      if (isFinalConnectError(last)) fail()
      // Between two rounds of asking sentinels nothing is closed.
      else if ((error as Error).message.startsWith('All sentinels')) onClose()
    }
    const onClose = (): void => {
      if (++failures > Math.max(0, metadata.redisMaxRetries) && clock.monotonic() >= until) fail()
    }
    const onAbort = (): void => fail()
    redis.on('ready', ready)
    redis.on('error', onError)
    redis.on('node error', onNodeError)
    redis.on('close', onClose)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) fail()
    else redis.connect().catch((error: unknown) => (last ??= error))
  })
}

function failure(error: unknown, where: string, signal: AbortSignal): ComponentError {
  if (error !== undefined) {
    const mapped = toComponentError(error, where)
    return new ComponentError(mapped.code, `cannot connect: ${mapped.message}`, {
      cause: mapped.cause,
      retryable: mapped.retryable,
    })
  }
  const why = signal.aborted
    ? 'no answer before the time to connect was over'
    : 'the server closed the connection'
  return new ComponentError('UNAVAILABLE', `cannot connect: redis at ${where}: ${why}`)
}

function logLosses(
  redis: Redis | Cluster,
  owner: { readonly closing: boolean },
  { where }: RedisSettings,
  logger: Logger,
): void {
  let lost = false
  let reason = 'the connection was closed'
  redis.on('error', (error: unknown) => {
    reason = toComponentError(error, where).message
  })
  redis.on('close', () => {
    if (owner.closing) return
    if (!lost) logger.warn('redis connection lost, connecting again', { address: where, reason })
    lost = true
  })
  redis.on('ready', () => {
    if (lost) logger.info('redis connection restored', { address: where })
    lost = false
  })
}
