import type { Parsed } from '@outrigger/kit'
import { ComponentError } from '@outrigger/spec'
import type { redisFields } from './fields.ts'

export type RedisMetadata = Parsed<typeof redisFields>

export interface RedisAddress {
  readonly host: string
  readonly port: number
}

/** What a connection needs to know, checked. */
export interface RedisSettings {
  readonly mode: 'node' | 'cluster' | 'sentinel'
  /** One for a node, the seeds of a cluster, the sentinels. */
  readonly addresses: readonly RedisAddress[]
  /** For messages: `localhost:6379`, without credentials. */
  readonly where: string
  readonly masterName: string | undefined
  readonly metadata: RedisMetadata
}

/**
 * Checks what one field alone cannot say.
 * @throws ComponentError INVALID_METADATA or UNSUPPORTED, naming the field
 */
export function redisSettings(metadata: RedisMetadata): RedisSettings {
  if (metadata.useEntraID) throw unsupported('useEntraID', 'sign in with redisUsername and redisPassword')
  if (metadata.useOIDC) throw unsupported('useOIDC', 'sign in with redisUsername and redisPassword')
  if (metadata.redisType === 'cluster' && metadata.failover) {
    throw unsupported('failover', 'a cluster fails over by itself: leave failover out')
  }
  if (metadata.failover && metadata.sentinelMasterName === undefined) {
    throw invalid('sentinelMasterName is required with failover, for example mymaster')
  }
  if ((metadata.clientCert === undefined) !== (metadata.clientKey === undefined)) {
    throw invalid('clientCert and clientKey belong together: give both or none')
  }
  const mode = metadata.failover ? 'sentinel' : metadata.redisType
  const addresses = metadata.redisHost.map((text) =>
    address(text, metadata.redisPort, mode === 'sentinel' ? 26_379 : 6379),
  )
  if (addresses.length === 0) throw invalid('redisHost names no host, for example localhost:6379')
  if (mode === 'node' && addresses.length > 1) {
    throw invalid('redisHost names several hosts: that needs redisType: cluster or failover: true')
  }
  const where = addresses.map(({ host, port }) =>
    host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
  )
  return {
    mode,
    addresses,
    where: where.join(','),
    masterName: mode === 'sentinel' ? metadata.sentinelMasterName : undefined,
    metadata,
  }
}

/** The longest that a request waits for a connection that is not there, in milliseconds. */
export function outageWaitMs(metadata: RedisMetadata): number {
  return Math.max(0, metadata.redisMaxRetries) * Math.max(0, metadata.redisMaxRetryIntervalMs)
}

function address(text: string, port: number | undefined, usual: number): RedisAddress {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:\s/@[\]]+))(?::(\d{1,5}))?$/.exec(text)
  const own = match?.[3] === undefined ? undefined : Number(match[3])
  if (match === null || (own !== undefined && (own < 1 || own > 65_535))) {
    // The text may hold a password if somebody wrote a URL, so it is not repeated.
    throw invalid('redisHost must be host or host:port (several between commas), such as localhost:6379')
  }
  if (own !== undefined && port !== undefined && own !== port) {
    throw invalid(`redisHost names port ${own} and redisPort says ${port}: leave one of them out`)
  }
  return { host: (match[1] ?? match[2])!, port: own ?? port ?? usual }
}

const invalid = (message: string): ComponentError => new ComponentError('INVALID_METADATA', message)
const unsupported = (field: string, wayOut: string): ComponentError =>
  new ComponentError('UNSUPPORTED', `${field}: true is not supported by this component: ${wayOut}`)
