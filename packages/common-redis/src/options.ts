import { isIP } from 'node:net'
import { backoffDelayMs } from '@outrigger/kit'
import type { Random } from '@outrigger/spec'
import type { ClusterOptions, RedisOptions } from 'ioredis'
import { replyCode } from './errors.ts'
import type { RedisSettings } from './settings.ts'

type Options = RedisOptions & { readonly replyMapping: 'legacy' }
type Cluster = ClusterOptions & {
  readonly redisOptions?: ClusterOptions['redisOptions'] & { readonly replyMapping: 'legacy' }
}

/** What ioredis is told, whatever the mode. Nothing is queued or sent twice by it: `RedisClient` decides that. */
export function nodeOptions(settings: RedisSettings, random: Random, blockMs: number): Options {
  const { metadata } = settings
  const tls = tlsOptions(settings)
  const reconnectMs = (attempt: number): number =>
    backoffDelayMs(Math.min(attempt, 10), { initialMs: 20, maxMs: 2000 }, random)
  const options: Options = {
    lazyConnect: true,
    protocol: 2,
    replyMapping: 'legacy',
    disableClientInfo: true,
    connectTimeout: Math.max(1, metadata.dialTimeoutMs),
    // One timer for each connection, where a timeout for each command would be one timer for each command.
    ...(metadata.readTimeoutMs > 0 ? { socketTimeout: metadata.readTimeoutMs + blockMs } : {}),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: reconnectMs,
    ...(metadata.redisUsername === undefined ? {} : { username: metadata.redisUsername }),
    ...(metadata.redisPassword === undefined ? {} : { password: metadata.redisPassword }),
    ...(tls === undefined ? {} : { tls }),
  }
  if (settings.mode === 'cluster') return options
  const [first] = settings.addresses
  if (settings.mode === 'node') return { ...options, ...first, db: metadata.redisDB }
  return {
    ...options,
    db: metadata.redisDB,
    name: settings.masterName!,
    sentinels: settings.addresses.map((address) => ({ ...address })),
    sentinelRetryStrategy: reconnectMs,
    ...(metadata.sentinelUsername === undefined ? {} : { sentinelUsername: metadata.sentinelUsername }),
    ...(metadata.sentinelPassword === undefined ? {} : { sentinelPassword: metadata.sentinelPassword }),
    ...(tls === undefined ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true }),
    // After a failover the old master answers READONLY: ask the sentinels again.
    reconnectOnError: (error) => replyCode(error) === 'READONLY',
  }
}

export function clusterOptions(settings: RedisSettings, random: Random, blockMs: number): Cluster {
  const {
    retryStrategy,
    enableOfflineQueue: _,
    lazyConnect,
    ...redisOptions
  } = nodeOptions(settings, random, blockMs)
  return {
    lazyConnect: lazyConnect!,
    // Connections to the nodes are made when first needed, and what comes meanwhile must wait for them.
    enableOfflineQueue: true,
    clusterRetryStrategy: retryStrategy!,
    // Zero: a request whose connection broke may have been carried out and is not sent again behind our back.
    retryDelayOnFailover: 0,
    slotsRefreshTimeout: Math.max(1, settings.metadata.dialTimeoutMs),
    redisOptions,
  }
}

function tlsOptions({ metadata, addresses, mode }: RedisSettings): RedisOptions['tls'] {
  if (!metadata.enableTLS) return undefined
  const host = addresses[0]!.host
  return {
    rejectUnauthorized: !metadata.insecureSkipTLSVerify,
    ...(mode === 'node' && isIP(host) === 0 ? { servername: host } : {}),
    ...(metadata.caCert === undefined ? {} : { ca: metadata.caCert }),
    ...(metadata.clientCert === undefined ? {} : { cert: metadata.clientCert, key: metadata.clientKey! }),
  }
}
