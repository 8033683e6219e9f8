import { databaseError, type Database } from '@outrigger/common-sqlite'
import {
  ComponentError,
  isComponentError,
  type BulkPublishFailure,
  type Clock,
  type Metadata,
} from '@outrigger/spec'

/** A message as it is given to the log. */
export interface NewMessage {
  readonly data: Uint8Array
  readonly contentType?: string | undefined
  readonly ttlSeconds?: number | undefined
  readonly metadata: Metadata
}

/** How many messages are written between two looks at the size of the file. */
const looksEvery = 64

/** The messages of all topics, in the order of their commits. */
export class MessageLog {
  readonly #database: Database
  readonly #clock: Clock
  readonly #maxBytes: number
  readonly #pageSize: number
  #untilLook = 0

  constructor(database: Database, clock: Clock, maxBytes: number) {
    this.#database = database
    this.#clock = clock
    this.#maxBytes = maxBytes
    this.#pageSize = Number(database.statement('PRAGMA page_size').get()!['page_size'])
  }

  append(topic: string, message: NewMessage, signal: AbortSignal | undefined): Promise<void> {
    return this.#database.write(() => this.#insert(topic, message), { signal, single: true })
  }

  /** One transaction; an entry that cannot be stored does not keep the others out. */
  appendAll(
    topic: string,
    entries: readonly (NewMessage & { readonly entryId: string })[],
    signal: AbortSignal | undefined,
  ): Promise<readonly BulkPublishFailure[]> {
    return this.#database.write(
      () =>
        entries.flatMap((entry): BulkPublishFailure[] => {
          try {
            this.#insert(topic, entry)
            return []
          } catch (error) {
            const failure = ownFailure(error, this.#database.path)
            if (failure === undefined) throw error
            return [{ entryId: entry.entryId, error: failure }]
          }
        }),
      { signal },
    )
  }

  #insert(topic: string, message: NewMessage): void {
    this.#assertRoom()
    const now = this.#clock.now()
    const { ttlSeconds } = message
    this.#database
      .statement(
        `INSERT INTO pubsub_messages (topic, data, content_type, metadata, published_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?)`,
      )
      .run(
        topic,
        message.data,
        message.contentType ?? null,
        JSON.stringify(message.metadata),
        now,
        ttlSeconds === undefined ? null : now + ttlSeconds * 1000,
      )
  }

  #assertRoom(): void {
    if (this.#untilLook-- > 0) return
    this.#untilLook = looksEvery
    const pages = Number(this.#database.statement('PRAGMA page_count').get()!['page_count'])
    const free = Number(this.#database.statement('PRAGMA freelist_count').get()!['freelist_count'])
    if ((pages - free) * this.#pageSize < this.#maxBytes) return
    this.#untilLook = 0
    throw new ComponentError(
      'RESOURCE_EXHAUSTED',
      `SQLite database ${this.#database.path} holds ${this.#maxBytes} bytes (maxSize) and takes no more messages until some are consumed`,
    )
  }
}

/** A failure of this one entry, and not of the file. */
function ownFailure(error: unknown, path: string): ComponentError | undefined {
  if (isComponentError(error)) return error
  const failure = databaseError(error, path)
  return failure.code === 'INVALID_ARGUMENT' ? failure : undefined
}
