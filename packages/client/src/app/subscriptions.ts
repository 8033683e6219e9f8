import type { BulkEntry } from './bulk.ts'
import { readBulk, isBulk } from './bulk.ts'
import { BadEvent, parse, readEvent, type TopicEvent } from './event.ts'
import { json, text, type AppAnswer, type AppRequest } from './request.ts'
import { routePath, slug, type Routes } from './routes.ts'

/** What becomes of a message: done; delivered again; not delivered again, but to the dead letter topic if there is one. */
export type TopicStatus = 'SUCCESS' | 'RETRY' | 'DROP'

/** Takes one message. No status is SUCCESS; what it throws is logged and counts as RETRY. */
export type TopicHandler<T = unknown> = (
  event: TopicEvent<T>,
) => TopicStatus | void | Promise<TopicStatus | void>

/**
 * Takes several messages. Answers one status for all (none is SUCCESS), or a status by entry id, where a missing one is
 * RETRY; what it throws is logged and counts as RETRY for all.
 */
export type BulkTopicHandler<T = unknown> = (
  entries: readonly BulkEntry<T>[],
) => BulkTopicResult | Promise<BulkTopicResult>
export type BulkTopicResult = TopicStatus | ReadonlyMap<string, TopicStatus> | void

export interface SubscribeOptions<T = unknown> {
  /** Path that messages are posted to. Default: one made of the names. */
  readonly route?: string | undefined
  /** A Subscription resource leads messages to `route`: the sidecar is not told of it. */
  readonly declared?: boolean | undefined
  /** In their order; the first whose CEL expression is true gets the message, else the handler of the subscription. */
  readonly rules?: readonly { readonly match: string; readonly handler: TopicHandler<T> }[] | undefined
  readonly deadLetterTopic?: string | undefined
  /** Messages come without an envelope. */
  readonly rawPayload?: boolean | undefined
  /** For the component. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** Messages are sent many at once; the handler gets them one after the other. */
  readonly bulk?: BulkOptions | boolean | undefined
}

export interface BulkOptions {
  /** Default 100. */
  readonly maxMessages?: number | undefined
  /** Default 1000. */
  readonly maxAwaitMs?: number | undefined
}

export type SubscribeBulkOptions = Omit<SubscribeOptions, 'rules' | 'bulk'> & BulkOptions

/** For errors that nobody else hears of. */
export interface AppLogger {
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

const statuses: ReadonlySet<unknown> = new Set<TopicStatus>(['SUCCESS', 'RETRY', 'DROP'])

/** The subscriptions of an application. */
export class Subscriptions {
  readonly #routes: Routes
  readonly #logger: AppLogger
  readonly #listed = new Map<string, object>()

  constructor(routes: Routes, logger: AppLogger) {
    this.#routes = routes
    this.#logger = logger
  }

  /** The document of `GET /dapr/subscribe`. */
  get document(): readonly object[] {
    return [...this.#listed.values()]
  }

  add<T>(pubsubName: string, topic: string, handler: TopicHandler<T>, options: SubscribeOptions<T>): void {
    const { bulk = false } = options
    const rules = (options.rules ?? []).map(({ match, handler: take }) => {
      const path = this.#serve(
        pubsubName,
        topic,
        each(take as TopicHandler, this.#logger),
        options,
        undefined,
      )
      return { match, path }
    })
    const path = this.#serve(
      pubsubName,
      topic,
      each(handler as TopicHandler, this.#logger),
      options,
      options.route,
    )
    const routes = rules.length === 0 ? { route: path } : { routes: { rules, default: path } }
    this.#list(pubsubName, topic, options, routes, bulk === true ? {} : bulk)
  }

  addBulk<T>(
    pubsubName: string,
    topic: string,
    handler: BulkTopicHandler<T>,
    options: SubscribeBulkOptions,
  ): void {
    const path = this.#serve(pubsubName, topic, handler as BulkTopicHandler, options, options.route)
    this.#list(pubsubName, topic, options, { route: path }, options)
  }

  #list(
    pubsubName: string,
    topic: string,
    options: SubscribeBulkOptions,
    routes: object,
    bulk: BulkOptions | false,
  ): void {
    if (options.declared === true) return
    const { deadLetterTopic, rawPayload } = options
    const metadata = { ...options.metadata, ...(rawPayload === true && { rawPayload: 'true' }) }
    this.#listed.set(JSON.stringify([pubsubName, topic]), {
      pubsubname: pubsubName,
      topic,
      ...routes,
      ...(Object.keys(metadata).length > 0 && { metadata }),
      ...(deadLetterTopic !== undefined && { deadLetterTopic }),
      ...(bulk !== false && {
        bulkSubscribe: {
          enabled: true,
          ...(bulk.maxMessages !== undefined && { maxMessagesCount: bulk.maxMessages }),
          ...(bulk.maxAwaitMs !== undefined && { maxAwaitDurationMs: bulk.maxAwaitMs }),
        },
      }),
    })
  }

  /** Has a path served and returns it. @throws Error for a subscription that there is already, or a route that is none */
  #serve(
    pubsubName: string,
    topic: string,
    handler: BulkTopicHandler,
    options: SubscribeBulkOptions,
    route: string | undefined,
  ): string {
    if (pubsubName === '' || topic === '')
      throw new Error('a subscription needs the names of a pubsub and of a topic')
    if (this.#listed.has(JSON.stringify([pubsubName, topic])) && options.declared !== true)
      throw new Error(
        `topic ${topic} of ${pubsubName} has a handler already: use rules to divide its messages`,
      )
    const path = route === undefined ? this.#freePath(pubsubName, topic) : routePath(route, `topic ${topic}`)
    const raw = options.rawPayload === true
    const context = { pubsubName, topic }
    const run = (request: AppRequest): Promise<AppAnswer> =>
      deliver(request, raw, context, handler, this.#logger)
    this.#routes.add({ method: 'POST', path, below: false, run })
    return path
  }

  #freePath(pubsubName: string, topic: string): string {
    const path = `/outrigger/${slug(pubsubName)}/${slug(topic)}`
    if (!this.#routes.has('POST', path)) return path
    let number = 2
    while (this.#routes.has('POST', `${path}/${number}`)) number++
    return `${path}/${number}`
  }
}

/** A handler of one message as one of several: one after the other, as their order may count. */
function each(handler: TopicHandler, logger: AppLogger): BulkTopicHandler {
  return async (entries) => {
    const outcomes = new Map<string, TopicStatus>()
    for (const { entryId, event } of entries) {
      try {
        outcomes.set(entryId, statusOf(await handler(event)))
      } catch (error) {
        const { pubsubName, topic, id } = event
        logger.error('a handler of messages failed; the message is to be delivered again', {
          pubsubName,
          topic,
          id,
          error,
        })
        outcomes.set(entryId, 'RETRY')
      }
    }
    return outcomes
  }
}

function statusOf(value: unknown): TopicStatus {
  return statuses.has(value) ? (value as TopicStatus) : 'SUCCESS'
}

type Names = { readonly pubsubName: string; readonly topic: string }

async function deliver(
  request: AppRequest,
  raw: boolean,
  names: Names,
  handler: BulkTopicHandler,
  logger: AppLogger,
): Promise<AppAnswer> {
  let bulk = false
  try {
    bulk = looksLikeBulk(request)
    if (bulk) return await deliverBulk(request, raw, names, handler, logger)
    const event = readEvent(request, names)
    const outcomes = await outcomesOf([{ entryId: '', event }], handler, names, logger)
    return json({ status: outcomes.get('') ?? 'RETRY' })
  } catch (error) {
    if (!(error instanceof BadEvent)) throw error
    const problem = error.message
    if (bulk) {
      logger.error('messages cannot be read', { ...names, problem })
      return text(400, problem)
    }
    // It will be no better the next time.
    logger.error('a message cannot be read and is dropped', { ...names, problem })
    return json({ status: 'DROP' })
  }
}

/** Several messages come as plain JSON, one message as a CloudEvent. */
function looksLikeBulk({ headers, body }: AppRequest): boolean {
  const type = headers.get('content-type') ?? ''
  if (!/^application\/json\b/i.test(type) || headers.has('ce-specversion')) return false
  return isBulk(parse(body))
}

async function deliverBulk(
  request: AppRequest,
  raw: boolean,
  names: Names,
  handler: BulkTopicHandler,
  logger: AppLogger,
): Promise<AppAnswer> {
  const { entries, bad } = readBulk(request.body, raw, { ...names, signal: request.signal })
  const outcomes = await outcomesOf(entries, handler, names, logger)
  const answered = entries.map(({ entryId }) => ({ entryId, status: outcomes.get(entryId) ?? 'RETRY' }))
  for (const { entryId, problem } of bad) {
    logger.error('a message cannot be read and is dropped', { ...names, entryId, problem })
    answered.push({ entryId, status: 'DROP' })
  }
  return json({ statuses: answered })
}

async function outcomesOf(
  entries: readonly BulkEntry[],
  handler: BulkTopicHandler,
  names: Names,
  logger: AppLogger,
): Promise<ReadonlyMap<string, TopicStatus>> {
  let result: BulkTopicResult
  try {
    result = entries.length === 0 ? undefined : await handler(entries)
  } catch (error) {
    logger.error('a handler of messages failed; they are to be delivered again', { ...names, error })
    result = 'RETRY'
  }
  if (result instanceof Map) return result
  const status = statusOf(result)
  return new Map(entries.map(({ entryId }) => [entryId, status]))
}
