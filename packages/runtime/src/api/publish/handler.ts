import type { Logger, Metadata, OperationOptions, Random } from '@outrigger/spec'
import { PubSubProblem } from '../../pubsub/problem.ts'
import { functionSubscriber, type TakeEvent } from '../../pubsub/function-subscriber.ts'
import type { Subscriber } from '../../pubsub/subscriber.ts'
import type {
  BulkPublishInputEntry,
  PubSubEngine,
  PublishFailure,
  RunningSubscription,
} from '../../pubsub/types.ts'
import { traced } from '../../telemetry/trace-context.ts'
import { ApiError, failureText } from '../api-error.ts'
import type { ErrorId } from '../errors.ts'

export interface PublishRequest {
  readonly pubsubName: string
  readonly topic: string
  readonly data: Uint8Array
  readonly contentType?: string | undefined
  readonly metadata: Metadata
}

export interface BulkRequest {
  readonly pubsubName: string
  readonly topic: string
  readonly entries: readonly BulkPublishInputEntry[]
  readonly metadata: Metadata
}

export interface SubscribeRequest {
  readonly pubsubName: string
  readonly topic: string
  /** As in a subscription: `rawPayload` and what the component knows. */
  readonly metadata?: Metadata
  /** Where messages go that are dropped or failed. */
  readonly deadLetterTopic?: string | undefined
}

/** The only broker of this sidecar; without a name when there is none, or more than one. */
export interface SoleBroker {
  readonly pubsubName: string | undefined
}

/** The publish operations, for every face of the runtime. */
export class PublishHandler {
  readonly #engine: PubSubEngine
  readonly #appId: string
  readonly #logger: Logger
  readonly #random: Random
  readonly soleBroker: SoleBroker | undefined

  /** `soleBroker`: the one that is meant where none is named; only with the early forms. */
  constructor(engine: PubSubEngine, appId: string, logger: Logger, random: Random, soleBroker?: SoleBroker) {
    this.soleBroker = soleBroker
    this.#engine = engine
    this.#appId = appId
    this.#logger = logger
    this.#random = random
  }

  async publish(request: PublishRequest, options: OperationOptions): Promise<void> {
    this.#checkNames(request.pubsubName, request.topic)
    try {
      await this.#engine.publish(request, traced(options, this.#random))
    } catch (error) {
      throw this.#apiError(error)
    }
  }

  /** The entries that failed; the others were published. */
  async publishBulk(request: BulkRequest, options: OperationOptions): Promise<readonly PublishFailure[]> {
    this.#checkNames(request.pubsubName, request.topic)
    const seen = new Set<string>()
    for (const { entryId } of request.entries) {
      if (entryId === '') throw this.#entriesError(request, 'entryId is not present for an entry')
      if (seen.has(entryId)) throw this.#entriesError(request, `entryId ${entryId} is duplicated`)
      seen.add(entryId)
    }
    try {
      return await this.#engine.bulkPublish(request, traced(options, this.#random))
    } catch (error) {
      throw this.#apiError(error)
    }
  }

  /**
   * Has the messages of a topic delivered to `subscriber`, or to a function in this process, until what is returned
   * is closed. Besides the subscriptions of the application, and without one.
   */
  async subscribe(request: SubscribeRequest, to: Subscriber | TakeEvent): Promise<RunningSubscription> {
    this.#checkNames(request.pubsubName, request.topic)
    const { deadLetterTopic, metadata = {}, ...names } = request
    try {
      const subscriber = typeof to === 'function' ? functionSubscriber(to) : to
      return await this.#engine.subscribe({ ...names, metadata, deadLetterTopic }, subscriber)
    } catch (error) {
      throw this.#apiError(error)
    }
  }

  /** The request's events cannot be read. */
  eventsError(request: { readonly pubsubName: string; readonly topic: string }, text: string): ApiError {
    return new ApiError(
      'PUBSUB_EVENTS',
      `error when unmarshaling the request for topic ${request.topic} pubsub ${request.pubsubName}: ${text}`,
      {
        subject: {
          resourceType: 'pubsub',
          resourceName: request.pubsubName,
          metadata: { topic: request.topic },
        },
      },
    )
  }

  #entriesError({ pubsubName, topic }: BulkRequest, text: string): ApiError {
    const message = `error marshaling events to bytes for topic ${topic} pubsub ${pubsubName}. error: ${text}`
    const subject = { resourceType: 'pubsub', resourceName: pubsubName, metadata: { topic } }
    return new ApiError('PUBSUB_ENTRIES', message, { subject })
  }

  #checkNames(pubsubName: string, topic: string): void {
    if (pubsubName !== '' && topic !== '') return
    const subject = { resourceType: 'pubsub', resourceName: pubsubName, metadata: { appID: this.#appId } }
    throw pubsubName === ''
      ? new ApiError('PUBSUB_NAME_EMPTY', 'pubsub name is empty', { subject })
      : new ApiError('PUBSUB_TOPIC_EMPTY', `topic is empty in pubsub ${pubsubName}`, { subject })
  }

  #apiError(error: unknown): unknown {
    if (!(error instanceof PubSubProblem)) return error
    const { id, message } = this.#describe(error)
    return new ApiError(id, message, {
      cause: error.cause,
      subject: {
        ...(id === 'PUBSUB_NOT_FOUND' ? {} : { resourceType: 'pubsub', resourceName: error.pubsubName }),
        metadata: { appID: this.#appId, topic: error.topic },
      },
    })
  }

  #describe(error: PubSubProblem): { id: ErrorId; message: string } {
    const { pubsubName, topic } = error
    switch (error.kind) {
      case 'not-found':
        return { id: 'PUBSUB_NOT_FOUND', message: `pubsub ${pubsubName} is not found` }
      case 'topic-empty':
        return { id: 'PUBSUB_TOPIC_EMPTY', message: `topic is empty in pubsub ${pubsubName}` }
      case 'forbidden':
        return { id: 'PUBSUB_FORBIDDEN', message: `topic ${topic} is not allowed for app id ${this.#appId}` }
      case 'bad-metadata':
        return { id: 'PUBSUB_METADATA', message: `failed deserializing metadata. Error: ${error.message}` }
      case 'cloud-event':
        return { id: 'PUBSUB_CLOUD_EVENT', message: `cannot create cloudevent: ${error.message}` }
      case 'not-subscribed':
        return {
          id: 'PUBSUB_SUBSCRIBE',
          message: `error when subscribing to topic ${topic} in pubsub ${pubsubName}: ${error.message}`,
        }
      case 'too-many':
        return { id: 'OVERLOADED', message: error.message }
      case 'publish-failed': {
        const text = failureText(error.cause, this.#logger, 'publishing failed')
        return {
          id: 'PUBSUB_PUBLISH',
          message: `error when publishing to topic ${topic} in pubsub ${pubsubName}: ${text}`,
        }
      }
    }
  }
}
