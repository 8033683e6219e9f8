import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { ServiceDefinition } from './definition.ts'
import { consul } from './definitions/consul.ts'
import { dnsmasq } from './definitions/dnsmasq.ts'
import { redis } from './definitions/redis.ts'
import { redisSentinel } from './definitions/redis-sentinel.ts'

const definitions = {
  consul,
  dnsmasq,
  redis,
  'redis-sentinel': redisSentinel,
} satisfies Record<string, ServiceDefinition>

export type ServiceName = keyof typeof definitions

export const serviceNames = Object.keys(definitions) as ServiceName[]

export function serviceDefinition(name: ServiceName): ServiceDefinition {
  const definition = definitions[name]
  if (!definition) throw new Error(`unknown service "${name}"; known are: ${serviceNames.join(', ')}`)
  return definition
}

/**
 * The path of a service's executable, undefined when it is not installed.
 * OUTRIGGER_WITHOUT_SERVICES=redis,... makes the named ones count as not installed.
 */
export function findService(name: ServiceName): string | undefined {
  const { binary, folders = [] } = serviceDefinition(name)
  if (process.env['OUTRIGGER_WITHOUT_SERVICES']?.split(',').includes(name)) return undefined
  const path = (process.env['PATH'] ?? '').split(delimiter)
  return [...path, '/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', ...folders]
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, binary))
    .find(isExecutable)
}

export function serviceAvailable(name: ServiceName): boolean {
  return findService(name) !== undefined
}

/** One line that says what is missing and how to get it. */
export function missingReason(name: ServiceName): string {
  const { binary, packages, suite } = serviceDefinition(name)
  const way = suite === undefined ? `apt-get install ${packages.join(' ')}` : 'npm run services -- --apt'
  return `${binary} is not installed (${way})`
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
