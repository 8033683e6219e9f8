import type {
  BulkPublishEntry,
  Clock,
  IncomingMessage,
  Metadata,
  OperationOptions,
  PublishRequest,
  PubSub,
  Random,
} from '@outrigger/spec'
import type { Live } from '../components/live.ts'
import { complete, wrap } from './cloud-events.ts'
import type { EnvelopeContext } from './cloud-events.ts'
import { cloudEventType, dataKind } from './content-type.ts'
import { isRawPayload, messageTtlMs } from './metadata.ts'
import { PubSubProblem } from './problem.ts'
import { compileScopes, isNamespaced } from './scopes.ts'
import type { TopicScopes } from './scopes.ts'
import type { BulkPublishInput, PublishFailure, PublishInput } from './types.ts'

export interface PublisherOptions {
  readonly pubsubs: ReadonlyMap<string, Live<PubSub>>
  readonly appId: string
  readonly namespace: string
  readonly clock: Clock
  readonly random: Random
  readonly bulkParallelism: number
}

/** A broker with what was decided about its topics at load. */
export interface Broker {
  readonly name: string
  readonly instance: PubSub
  readonly scopes: TopicScopes
  readonly hasTtl: boolean
  /** Put before every topic on the way to the broker and taken away on the way back. */
  readonly topicPrefix: string
}

/** A message as the broker gets it. */
type Prepared = Pick<PublishRequest, 'data' | 'contentType' | 'ttlSeconds'>

/** Puts messages into envelopes and hands them to the brokers. */
export class Publisher {
  readonly brokers: ReadonlyMap<string, Broker>
  private readonly options: PublisherOptions

  constructor(options: PublisherOptions) {
    this.options = options
    this.brokers = new Map(
      [...options.pubsubs].map(([name, live]) => [
        name,
        {
          name,
          instance: live.instance,
          scopes: compileScopes(live.properties, options.appId),
          hasTtl: live.instance.capabilities.has('ttl'),
          topicPrefix: isNamespaced(live) ? options.namespace : '',
        },
      ]),
    )
  }

  async publish(input: PublishInput, options: OperationOptions = {}): Promise<void> {
    const broker = this.publishable(input.pubsubName, input.topic)
    const prepared = this.prepare(broker, input.topic, input, input.metadata, options)
    await this.send(broker, input.topic, { ...prepared, metadata: input.metadata }, options)
  }

  async bulkPublish(
    input: BulkPublishInput,
    options: OperationOptions = {},
  ): Promise<readonly PublishFailure[]> {
    const broker = this.publishable(input.pubsubName, input.topic)
    const entries = input.entries.map((entry): BulkPublishEntry => {
      const metadata: Metadata =
        entry.metadata === undefined ? input.metadata : { ...input.metadata, ...entry.metadata }
      const trace = entry.traceparent === undefined ? options : { ...options, traceparent: entry.traceparent }
      return {
        entryId: entry.entryId,
        ...this.prepare(broker, input.topic, entry, metadata, trace),
        metadata,
      }
    })
    const { instance } = broker
    if (!instance.capabilities.has('bulkPublish') || instance.bulkPublish === undefined) {
      return this.publishEach(broker, input.topic, entries, options)
    }
    try {
      return await instance.bulkPublish(
        { topic: broker.topicPrefix + input.topic, entries, metadata: input.metadata },
        options,
      )
    } catch (error) {
      const failed = publishFailed(broker.name, input.topic, error)
      return entries.map(({ entryId }) => ({ entryId, error: failed }))
    }
  }

  /** Publishes a message as it was received. Throws a PubSubProblem. */
  async forward(
    pubsubName: string,
    topic: string,
    message: IncomingMessage,
    options: OperationOptions,
  ): Promise<void> {
    const broker = this.broker(pubsubName, topic)
    const { data, contentType, metadata } = message
    await this.send(broker, topic, { data, contentType, metadata }, options)
  }

  /** Throws a PubSubProblem when there is none, or the topic is empty. */
  broker(pubsubName: string, topic: string): Broker {
    const broker = this.brokers.get(pubsubName)
    if (broker === undefined) {
      throw new PubSubProblem('not-found', pubsubName, topic, `pubsub ${pubsubName} is not found`)
    }
    if (topic === '') {
      throw new PubSubProblem('topic-empty', pubsubName, topic, `topic is empty in pubsub ${pubsubName}`)
    }
    return broker
  }

  private publishable(pubsubName: string, topic: string): Broker {
    const broker = this.broker(pubsubName, topic)
    if (!broker.scopes.mayPublish(topic)) {
      const { appId } = this.options
      throw new PubSubProblem(
        'forbidden',
        pubsubName,
        topic,
        `topic ${topic} is not allowed for app id ${appId}`,
      )
    }
    return broker
  }

  private prepare(
    broker: Broker,
    topic: string,
    message: { readonly data: Uint8Array; readonly contentType?: string | undefined },
    metadata: Metadata,
    trace: OperationOptions,
  ): Prepared {
    const { data, contentType } = message
    let raw: boolean
    let ttlMs: number | undefined
    try {
      raw = isRawPayload(metadata)
      ttlMs = messageTtlMs(metadata)
    } catch (error) {
      throw new PubSubProblem('bad-metadata', broker.name, topic, (error as RangeError).message)
    }
    const ttlSeconds = ttlMs !== undefined && broker.hasTtl ? Math.ceil(ttlMs / 1000) : undefined
    if (raw) return { data, contentType, ttlSeconds }
    const now = this.options.clock.now()
    const context: EnvelopeContext = {
      id: this.options.random.uuid(),
      source: this.options.appId,
      topic,
      pubsubName: broker.name,
      nowMs: now,
      expiresAtMs: ttlMs === undefined || broker.hasTtl ? undefined : now + ttlMs,
      traceparent: trace.traceparent,
      tracestate: trace.tracestate,
    }
    if (contentType === undefined || dataKind(contentType) !== 'cloud-event') {
      return { data: wrap(data, contentType, metadata, context), contentType: cloudEventType, ttlSeconds }
    }
    try {
      return { data: complete(data, context), contentType: cloudEventType, ttlSeconds }
    } catch (error) {
      throw new PubSubProblem(
        'cloud-event',
        broker.name,
        topic,
        `the data is announced as ${cloudEventType} and is no CloudEvent: ${(error as SyntaxError).message}`,
      )
    }
  }

  private async send(
    broker: Broker,
    topic: string,
    message: Prepared & { readonly metadata: Metadata },
    options: OperationOptions,
  ): Promise<void> {
    try {
      await broker.instance.publish({ ...message, topic: broker.topicPrefix + topic }, options)
    } catch (error) {
      throw publishFailed(broker.name, topic, error)
    }
  }

  /** For brokers that take one message at a time. */
  private async publishEach(
    broker: Broker,
    topic: string,
    entries: readonly BulkPublishEntry[],
    options: OperationOptions,
  ): Promise<readonly PublishFailure[]> {
    const failures: (PublishFailure | undefined)[] = []
    let next = 0
    const work = async (): Promise<void> => {
      for (let index = next++; index < entries.length; index = next++) {
        const { entryId, ...message } = entries[index]!
        try {
          await this.send(broker, topic, message, options)
        } catch (error) {
          failures[index] = { entryId, error: error as Error }
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(this.options.bulkParallelism, entries.length) }, work))
    return failures.filter((failure) => failure !== undefined)
  }
}

function publishFailed(pubsubName: string, topic: string, error: unknown): PubSubProblem {
  const reason = error instanceof Error ? error.message : String(error)
  return new PubSubProblem(
    'publish-failed',
    pubsubName,
    topic,
    `error when publish to topic ${topic} in pubsub ${pubsubName}: ${reason}`,
    error,
  )
}
