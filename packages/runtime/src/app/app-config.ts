import { readDuration } from '@outrigger/host'
import type { Clock, Logger } from '@outrigger/spec'
import type { HttpAppChannel } from './channel.ts'
import { membersOf, namesOf, type Members as Json } from './members.ts'
import { withDeadline } from './time.ts'

/** How actors of some types are treated; what the application does not say is `undefined`. */
export interface ActorSettings {
  /** Types of actors that the application hosts, or that these settings are for. */
  readonly entities: readonly string[]
  readonly actorIdleTimeoutMs: number | undefined
  readonly drainOngoingCallTimeoutMs: number | undefined
  readonly drainRebalancedActors: boolean | undefined
  readonly reentrancy: { readonly enabled: boolean; readonly maxStackDepth: number | undefined } | undefined
}

/** What the application says about itself: the answer to GET /dapr/config. */
export interface AppConfig extends ActorSettings {
  /** Settings for some types only. */
  readonly entitiesConfig: readonly ActorSettings[]
}

export interface AppConfigOptions {
  readonly channel: HttpAppChannel
  readonly appId: string
  readonly clock: Clock
  readonly logger: Logger
  readonly signal: AbortSignal
}

const path = '/dapr/config'
const timeoutMs = 30_000
const maxBytes = 1024 * 1024
const mostEntities = 1000
const names = namesOf(
  'entities',
  'actorIdleTimeout',
  'drainOngoingCallTimeout',
  'drainRebalancedActors',
  'reentrancy',
  'remindersStoragePartitions',
  'entitiesConfig',
)
const reentrancyNames = namesOf('enabled', 'maxStackDepth')

/** Asks the application. `undefined` when it says nothing that can be used, which is logged unless it has none. */
export async function readAppConfig(options: AppConfigOptions): Promise<AppConfig | undefined> {
  const { channel, appId, clock, logger, signal: parent } = options
  const fields = ['content-type', 'application/json', 'dapr-app-id', appId]
  try {
    const body = await withDeadline(clock, timeoutMs, parent, async (signal) => {
      const response = await channel.call({ method: 'GET', path, fields, signal, patient: true })
      if (response.status === 200) return response.body.bytes(maxBytes)
      response.body.cancel()
      return undefined
    })
    if (body === undefined || body.length === 0) return undefined
    return parseAppConfig(Buffer.from(body).toString(), (problem) =>
      logger.warn(`the answer to GET ${path}: ${problem}`),
    )
  } catch (error) {
    if (!parent.aborted) {
      const problem = error instanceof Error ? error.message : String(error)
      logger.warn(`the application did not answer GET ${path} with its configuration`, { problem })
    }
    return undefined
  }
}

/** Reads the answer. `warn` is told of what makes no sense, which counts as not said. @throws Error when it is no JSON object */
export function parseAppConfig(text: string, warn: (problem: string) => void): AppConfig {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error('it is not JSON')
  }
  if (!isObject(value)) throw new Error('it is not a JSON object')
  const body = membersOf(value, names)
  const some = list(body, 'entitiesConfig', '', warn).flatMap((item, index) => {
    const where = `entitiesConfig[${index}].`
    if (isObject(item)) return [settings(membersOf(item, names), where, warn)]
    warn(`entitiesConfig[${index}] is not an object`)
    return []
  })
  return { ...settings(body, '', warn), entitiesConfig: some }
}

type Warn = (problem: string) => void

function settings(from: Json, where: string, warn: Warn): ActorSettings {
  if (typeof from['remindersStoragePartitions'] === 'number' && from['remindersStoragePartitions'] > 0)
    warn(`${where}remindersStoragePartitions has no effect any more`)
  const entities = list(from, 'entities', where, warn).filter((name) => {
    if (typeof name === 'string' && name !== '') return true
    warn(`${where}entities has a name that is no text`)
    return false
  })
  const given = from['reentrancy'] ?? undefined
  if (given !== undefined && !isObject(given)) warn(`${where}reentrancy is not an object`)
  const reentrancy = isObject(given) ? membersOf(given, reentrancyNames) : undefined
  return {
    entities: entities as string[],
    actorIdleTimeoutMs: duration(from, 'actorIdleTimeout', where, warn),
    drainOngoingCallTimeoutMs: duration(from, 'drainOngoingCallTimeout', where, warn),
    drainRebalancedActors: truth(from, 'drainRebalancedActors', where, warn),
    reentrancy: reentrancy
      ? {
          enabled: truth(reentrancy, 'enabled', `${where}reentrancy.`, warn) ?? false,
          maxStackDepth: depth(reentrancy, `${where}reentrancy.`, warn),
        }
      : undefined,
  }
}

function list(from: Json, name: string, where: string, warn: Warn): readonly unknown[] {
  const value = from[name] ?? []
  if (!Array.isArray(value)) {
    warn(`${where}${name} is not a list`)
    return []
  }
  if (value.length > mostEntities)
    warn(`${where}${name} has ${value.length} items, of which the first ${mostEntities} are taken`)
  return value.slice(0, mostEntities)
}

function duration(from: Json, name: string, where: string, warn: Warn): number | undefined {
  const value = from[name] ?? ''
  if (value === '') return undefined
  const ms = typeof value === 'string' ? readDuration(value) : undefined
  if (ms === undefined || ms < 0) warn(`${where}${name} is not a duration such as 1h or 30s`)
  return ms === undefined || ms < 0 ? undefined : ms
}

function truth(from: Json, name: string, where: string, warn: Warn): boolean | undefined {
  const value = from[name] ?? undefined
  if (value === undefined || typeof value === 'boolean') return value
  warn(`${where}${name} is neither true nor false`)
  return undefined
}

function depth(from: Json, where: string, warn: Warn): number | undefined {
  const value = from['maxStackDepth'] ?? undefined
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) > 0))
    return value as number | undefined
  warn(`${where}maxStackDepth is not a whole number above 0`)
  return undefined
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
