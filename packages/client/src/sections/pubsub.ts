import type { Metadata } from '@outrigger/spec'
import { noMetadata, noOptions, type CallOptions } from '../call.ts'
import { clientError } from '../error.ts'
import { isJsonType, isTextType } from '../media-type.ts'
import { jsonOf, required, textOf, utf8 } from '../values.ts'

export interface PublishOptions extends CallOptions {
  /** Default: `text/plain` for a text, `application/octet-stream` for bytes, `application/json` for all else. */
  readonly contentType?: string | undefined
  /** The message is sent as it is, without an envelope. */
  readonly rawPayload?: boolean | undefined
  /** Whole seconds after which the message is delivered no more. */
  readonly ttlSeconds?: number | undefined
}

export interface BulkPublishEntry {
  /** Different for each; default: its place in the list, from 0. */
  readonly entryId?: string | undefined
  /** As the data of `publish`. */
  readonly data: unknown
  readonly contentType?: string | undefined
  readonly metadata?: Metadata | undefined
}

export interface BulkPublishResult {
  /** Those that were not published; all others were. */
  readonly failed: readonly { readonly entryId: string; readonly error: string }[]
}

/** A message as transports take it. */
export interface Message {
  readonly data: Uint8Array
  readonly contentType: string
  readonly metadata: Metadata
}

export interface PubSubPort {
  publish(pubsub: string, topic: string, message: Message, options: CallOptions): Promise<void>
  publishBulk(
    pubsub: string,
    topic: string,
    entries: readonly (Message & { readonly entryId: string })[],
    options: CallOptions,
  ): Promise<BulkPublishResult>
}

/** Publishing. Who subscribes is in `@outrigger/client/app`. */
export class PubSubClient {
  readonly #port: PubSubPort

  constructor(port: PubSubPort) {
    this.#port = port
  }

  /**
   * Publishes one message. A text and bytes are sent as they are, all else as JSON; with the content type
   * `application/cloudevents+json` they are the whole event.
   */
  async publish(
    pubsub: string,
    topic: string,
    data: unknown,
    options: PublishOptions = noOptions,
  ): Promise<void> {
    required(pubsub, 'the name of the pubsub')
    required(topic, 'the topic')
    const metadata = metadataOf(options)
    await this.#port.publish(pubsub, topic, messageOf(data, options.contentType, metadata), options)
  }

  /** Publishes many at once, not as a transaction. Options hold for all, what an entry says for itself comes first. */
  async publishBulk(
    pubsub: string,
    topic: string,
    entries: readonly BulkPublishEntry[],
    options: PublishOptions = noOptions,
  ): Promise<BulkPublishResult> {
    required(pubsub, 'the name of the pubsub')
    required(topic, 'the topic')
    if (entries.length === 0) return { failed: [] }
    const messages = entries.map((entry, index) => {
      const { data, contentType = options.contentType, metadata = noMetadata } = entry
      const message = messageOf(data, contentType, metadata)
      const entryId = entry.entryId === undefined || entry.entryId === '' ? String(index) : entry.entryId
      checkEvent(message, entryId)
      return { entryId, ...message }
    })
    return this.#port.publishBulk(pubsub, topic, messages, { ...options, metadata: metadataOf(options) })
  }
}

function metadataOf({ metadata = noMetadata, rawPayload, ttlSeconds }: PublishOptions): Metadata {
  if (rawPayload === undefined && ttlSeconds === undefined) return metadata
  if (ttlSeconds !== undefined && !(Number.isSafeInteger(ttlSeconds) && ttlSeconds > 0)) {
    throw clientError('ERR_CLIENT_ARGUMENT', `ttlSeconds must be a whole number above 0; it is ${ttlSeconds}`)
  }
  return {
    ...metadata,
    ...(rawPayload !== undefined && { rawPayload: String(rawPayload) }),
    ...(ttlSeconds !== undefined && { ttlInSeconds: String(ttlSeconds) }),
  }
}

function messageOf(data: unknown, contentType: string | undefined, metadata: Metadata): Message {
  if (data instanceof Uint8Array)
    return { data, contentType: contentType ?? 'application/octet-stream', metadata }
  if (typeof data === 'string')
    return { data: utf8(data), contentType: contentType ?? 'text/plain', metadata }
  return { data: utf8(jsonOf(data, 'the data')), contentType: contentType ?? 'application/json', metadata }
}

/** An event of a bulk request in JSON: JSON as it is, text in quotes, what is binary in base64. */
export function eventJson({ data, contentType }: Message): string {
  if (isJsonType(contentType)) return textOf(data)
  if (isTextType(contentType)) return JSON.stringify(textOf(data))
  return JSON.stringify(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'))
}

/** What is called JSON must be, or the whole request would be none over HTTP. */
function checkEvent({ data, contentType }: Message, entryId: string): void {
  if (!isJsonType(contentType)) return
  try {
    JSON.parse(textOf(data))
  } catch (error) {
    const problem = `entry ${entryId} is called ${contentType} and is no JSON: ${(error as Error).message}`
    throw clientError('ERR_CLIENT_ARGUMENT', problem, error)
  }
}
