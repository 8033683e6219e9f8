import type { Clock, Logger, Random } from '@outrigger/spec'
import type { AppChannel, AppResponse, HttpAppChannel } from '../app/channel.ts'
import { membersOf, namesOf, type Members as Json, type Names } from '../app/members.ts'
import { Backoff, sleep, withDeadline } from '../app/time.ts'
import type { RouteRule } from '../resources/model.ts'
import { textOf } from './json-scan.ts'
import { defaultBulk } from './subscriptions.ts'
import type { SubscriptionSource } from './subscriptions.ts'

export interface DiscoveryOptions {
  readonly channel: AppChannel
  readonly appId: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly maxBytes: number
  readonly signal: AbortSignal
}

const attemptTimeoutMs = 30_000
const itemNames = namesOf(
  'pubsubname',
  'topic',
  'deadLetterTopic',
  'metadata',
  'route',
  'routes',
  'bulkSubscribe',
)
const routesNames = namesOf('rules', 'default')
const ruleNames = namesOf('match', 'path')
const bulkNames = namesOf('enabled', 'maxMessagesCount', 'maxAwaitDurationMs')

/**
 * Asks the application for its subscriptions. Repeats while it cannot be reached; any answer counts: 404 means
 * that there are none, another status than 200 as well, with an error in the log. `undefined` when the signal aborted.
 */
export async function discover(
  options: DiscoveryOptions,
): Promise<readonly SubscriptionSource[] | undefined> {
  const { clock, logger, signal, channel } = options
  const asked = channel.kind === 'http' ? 'GET /dapr/subscribe' : 'ListTopicSubscriptions'
  const once = await asking(options)
  const backoff = new Backoff({ initialMs: 500, maxMs: 10_000, factor: 1.5 }, options.random)
  while (!signal.aborted) {
    try {
      return await withDeadline(clock, attemptTimeoutMs, signal, once)
    } catch (error) {
      if (signal.aborted) break
      const waitMs = backoff.nextMs()
      logger.warn(`the application did not answer ${asked}; it is asked again`, {
        problem: (error as Error).message,
        waitMs,
      })
      await sleep(clock, waitMs, signal)
    }
  }
  return undefined
}

type Ask = (signal: AbortSignal) => Promise<readonly SubscriptionSource[]>

async function asking(options: DiscoveryOptions): Promise<Ask> {
  const { channel, logger } = options
  if (channel.kind === 'http') return (signal) => ask(channel, options, signal)
  const { listSubscriptions } = await import('./grpc-discovery.ts')
  return (signal) => listSubscriptions(channel, logger, signal)
}

async function ask(
  channel: HttpAppChannel,
  { logger, appId, maxBytes }: DiscoveryOptions,
  signal: AbortSignal,
): Promise<readonly SubscriptionSource[]> {
  const fields = ['content-type', 'application/json', 'dapr-app-id', appId]
  const response = await channel.call({
    method: 'GET',
    path: '/dapr/subscribe',
    fields,
    signal,
    patient: true,
  })
  if (response.status !== 200) {
    response.body.cancel()
    if (response.status === 404) logger.debug('the application has no subscriptions: 404 for /dapr/subscribe')
    else logger.error(`the application answered GET /dapr/subscribe with status ${response.status}`)
    return []
  }
  return parse(await read(response, maxBytes), logger)
}

async function read(response: AppResponse, maxBytes: number): Promise<Uint8Array> {
  try {
    return await response.body.bytes(maxBytes)
  } catch (error) {
    response.body.cancel()
    throw error
  }
}

/** Reads the answer. Items that make no sense are logged and left out. */
export function parse(body: Uint8Array, logger: Logger): readonly SubscriptionSource[] {
  if (body.length === 0) return []
  let items: unknown
  try {
    items = JSON.parse(textOf(body))
  } catch (error) {
    logger.error(`the answer to GET /dapr/subscribe is not JSON: ${(error as Error).message}`)
    return []
  }
  if (items === null) return []
  if (!Array.isArray(items)) {
    logger.error('the answer to GET /dapr/subscribe is not a list of subscriptions')
    return []
  }
  const sources: SubscriptionSource[] = []
  for (const [index, item] of items.entries()) {
    try {
      sources.push(toSource(record(item, 'it', itemNames), `item ${index + 1} of GET /dapr/subscribe`))
    } catch (error) {
      logger.error(`item ${index + 1} of GET /dapr/subscribe is left out: ${(error as Error).message}`)
    }
  }
  return sources
}

function toSource(item: Json, where: string): SubscriptionSource {
  const routes = record(item['routes'] ?? {}, 'routes', routesNames)
  const fallback = text(routes, 'default') || text(item, 'route')
  const bulk = record(item['bulkSubscribe'] ?? {}, 'bulkSubscribe', bulkNames)
  const topic = text(item, 'topic') ?? ''
  return {
    owner: `${where} (topic "${topic}")`,
    type: 'PROGRAMMATIC',
    pubsubName: text(item, 'pubsubname') ?? '',
    topic,
    rules: list(routes['rules'] ?? undefined).map(toRule),
    defaultPath: fallback === '' ? undefined : fallback,
    metadata: strings(record(item['metadata'] ?? {}, 'metadata')),
    deadLetterTopic: text(item, 'deadLetterTopic'),
    bulk:
      bulk['enabled'] === true
        ? {
            maxMessages: whole(bulk, 'maxMessagesCount') ?? defaultBulk.maxMessages,
            maxWaitMs: whole(bulk, 'maxAwaitDurationMs') ?? defaultBulk.maxWaitMs,
          }
        : undefined,
  }
}

function toRule(value: unknown, index: number): RouteRule {
  const rule = record(value, `routes.rules[${index}]`, ruleNames)
  return { match: text(rule, 'match') ?? '', path: text(rule, 'path') ?? '' }
}

/** An object; with `names`, its members by these, as SDKs write `pubsubname` and `pubsubName`. */
function record(value: unknown, name: string, names?: Names): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${name} is not an object`)
  }
  return names === undefined ? (value as Json) : membersOf(value as Json, names)
}

function list(value: unknown): readonly unknown[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new Error('routes.rules is not a list')
  return value
}

function text(object: Json, name: string): string | undefined {
  const value = object[name] ?? undefined
  if (value === undefined || typeof value === 'string') return value
  throw new Error(`${name} is not a string`)
}

function whole(object: Json, name: string): number | undefined {
  const value = object[name] ?? undefined
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isInteger(value)) return value
  throw new Error(`bulkSubscribe.${name} is not a whole number`)
}

/** Metadata values as text; applications write booleans and numbers there as well. */
function strings(object: Json): Readonly<Record<string, string>> {
  const result: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [key, value] of Object.entries(object)) {
    result[key] = typeof value === 'string' ? value : JSON.stringify(value)
  }
  return result
}
