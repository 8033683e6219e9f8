import type { Logger } from '@outrigger/spec'
import type { RouteRule, SubscriptionResource } from '../resources/model.ts'
import { isRawPayload } from './metadata.ts'
import { PubSubProblem } from './problem.ts'
import { compileRoutes } from './routing.ts'
import type { Routes } from './routing.ts'
import type { OwnSubscription, SubscriptionInfo } from './types.ts'

export interface BulkRules {
  readonly maxMessages: number
  readonly maxWaitMs: number
}

/** A subscription that can be started: checked and compiled. */
export interface SubscriptionPlan {
  readonly info: SubscriptionInfo
  readonly routes: Routes
  /** What the broker delivers is not in an envelope. */
  readonly raw: boolean
  readonly bulk: BulkRules | undefined
}

/** A subscription as it is written, wherever that is. */
export interface SubscriptionSource {
  /** For messages: `subscription "orders" (subs.yaml:3)`. */
  readonly owner: string
  readonly type: SubscriptionInfo['type']
  readonly pubsubName: string
  readonly topic: string
  readonly rules: readonly RouteRule[]
  readonly defaultPath: string | undefined
  readonly metadata: Readonly<Record<string, string>>
  readonly deadLetterTopic: string | undefined
  readonly bulk: BulkRules | undefined
}

export const defaultBulk: BulkRules = { maxMessages: 100, maxWaitMs: 1000 }
const maxBulk: BulkRules = { maxMessages: 10_000, maxWaitMs: 600_000 }

/** Checks and compiles one subscription. Throws an error that names it. */
export function plan(source: SubscriptionSource): SubscriptionPlan {
  const { owner, pubsubName, topic, metadata, defaultPath } = source
  if (pubsubName === '') throw new Error(`${owner}: pubsubname is missing: name the pub/sub component`)
  if (topic === '') throw new Error(`${owner}: topic is empty`)
  if (source.rules.length === 0 && defaultPath === undefined) {
    throw new Error(`${owner}: it has no route; give "route", or "routes" with rules or a default`)
  }
  let raw: boolean
  try {
    raw = isRawPayload(metadata)
  } catch (error) {
    throw new Error(`${owner}: metadata ${(error as RangeError).message}`, { cause: error })
  }
  const rules = defaultPath === undefined ? source.rules : [...source.rules, { match: '', path: defaultPath }]
  return {
    info: {
      pubsubName,
      topic,
      metadata,
      rules,
      deadLetterTopic: source.deadLetterTopic === '' ? undefined : source.deadLetterTopic,
      type: source.type,
    },
    routes: compileRoutes(source.rules, defaultPath, owner),
    raw,
    bulk: source.bulk === undefined ? undefined : bounded(source.bulk),
  }
}

/** A subscription of somebody who takes all messages of a topic himself. Throws a PubSubProblem. */
export function ownPlan({ pubsubName, topic, metadata, deadLetterTopic }: OwnSubscription): SubscriptionPlan {
  let raw: boolean
  try {
    raw = isRawPayload(metadata)
  } catch (error) {
    throw new PubSubProblem('bad-metadata', pubsubName, topic, (error as Error).message)
  }
  const rules = [{ match: '', path: everything.paths[0]! }]
  const info = { pubsubName, topic, metadata, rules, deadLetterTopic, type: 'STREAMING' as const }
  return { info, routes: everything, raw, bulk: undefined }
}

const everything = compileRoutes([], '/', 'a stream')

function bounded(bulk: BulkRules): BulkRules {
  const within = (value: number, otherwise: number, max: number): number =>
    value > 0 ? Math.min(value, max) : otherwise
  return {
    maxMessages: within(bulk.maxMessages, defaultBulk.maxMessages, maxBulk.maxMessages),
    maxWaitMs: within(bulk.maxWaitMs, defaultBulk.maxWaitMs, maxBulk.maxWaitMs),
  }
}

/** The subscription of a resource file. */
export function fromResource(resource: SubscriptionResource): SubscriptionSource {
  const { file, line } = resource.source
  const { pubsubName, topic, rules, defaultPath, metadata, deadLetterTopic, bulk } = resource
  return {
    owner: `subscription "${resource.name}" (${file}:${line})`,
    type: 'DECLARATIVE',
    pubsubName,
    topic,
    rules,
    defaultPath,
    metadata,
    deadLetterTopic,
    bulk,
  }
}

/**
 * Adds subscriptions to those that are there, as far as they can be compiled: of declarative ones for the same topic the first holds,
 * a programmatic one takes its place, and of programmatic ones the last holds. What is wrong is logged and left out.
 */
export function merge(
  existing: readonly SubscriptionPlan[],
  sources: readonly SubscriptionSource[],
  knownPubSubs: ReadonlySet<string>,
  logger: Logger,
): readonly SubscriptionPlan[] {
  const plans = new Map(existing.map((one) => [keyOf(one.info), one]))
  for (const source of sources) {
    const key = keyOf(source)
    const before = plans.get(key)
    if (before !== undefined && source.type === 'DECLARATIVE') {
      logger.warn(`${source.owner} is not used: topic ${source.topic} has a subscription already`)
      continue
    }
    let compiled: SubscriptionPlan
    try {
      compiled = plan(source)
    } catch (error) {
      logger.error(`a subscription is left out: ${(error as Error).message}`)
      continue
    }
    if (!knownPubSubs.has(source.pubsubName)) {
      logger.warn(
        `${source.owner} names pubsub "${source.pubsubName}", which is not loaded; it is not started`,
      )
    }
    if (before !== undefined) {
      logger.info(`${source.owner} takes the place of another subscription to topic ${source.topic}`)
    }
    plans.set(key, compiled)
  }
  return [...plans.values()]
}

function keyOf(subscription: { readonly pubsubName: string; readonly topic: string }): string {
  return JSON.stringify([subscription.pubsubName, subscription.topic])
}
