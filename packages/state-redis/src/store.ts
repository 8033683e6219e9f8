import {
  asText,
  replyCode,
  type RedisArgument,
  type RedisClient,
  type SendOptions,
} from '@outrigger/common-redis'
import {
  ComponentError,
  type KeysLikeRequest,
  type KeysLikeResult,
  type Logger,
  type Metadata,
  type OperationOptions,
  type StateBulkFailure,
  type StateBulkGetResult,
  type StateCapability,
  type StateDeleteRequest,
  type StateGetRequest,
  type StateItem,
  type StateQuery,
  type StateQueryResult,
  type StateSetRequest,
  type StateStore,
  type StateTransaction,
} from '@outrigger/spec'
import { isDocument } from './documents.ts'
import type { QueryIndex } from './indexes.ts'
import { deleteArguments, mismatch, scriptArguments, setArguments } from './operations.ts'
import { resultOf, searchOf } from './query.ts'
import { deleteWithPrefix, keysLike } from './scan.ts'
import { applyDocumentsLua, applyLua, readDocumentLua } from './scripts.ts'

export interface StoreOptions {
  readonly client: RedisClient
  readonly capabilities: ReadonlySet<StateCapability>
  readonly logger: Logger
  readonly now: () => number
  readonly defaultTtlSeconds: number | undefined
  /** How many replicas a strong write waits for. */
  readonly replicas: number
  readonly waitMs: number
  /** Whether the server keeps JSON documents. */
  readonly documents: boolean
  /** The indexes that queries can use; none without the module for it. */
  readonly indexes: ReadonlyMap<string, QueryIndex>
}

type Script = (args: readonly RedisArgument[], options?: SendOptions) => Promise<unknown>
type Keyed = StateSetRequest | StateDeleteRequest

/** A state store on hashes. */
export class RedisStateStore implements StateStore {
  readonly capabilities: ReadonlySet<StateCapability>
  readonly #client: RedisClient
  readonly #options: StoreOptions
  readonly #apply: Script
  /** For requests about documents, where there can be any. */
  readonly #documents: { readonly apply: Script; readonly read: Script } | undefined
  /** There where there are indexes. */
  declare readonly query?: NonNullable<StateStore['query']>
  #replicasLate = false

  constructor(options: StoreOptions) {
    this.capabilities = options.capabilities
    this.#client = options.client
    this.#options = options
    const { client } = options
    this.#apply = client.script({ name: 'outriggerState', lua: applyLua })
    this.#documents = options.documents
      ? {
          apply: client.script({ name: 'outriggerStateDocuments', lua: applyDocumentsLua }),
          read: client.script({ name: 'outriggerStateDocument', lua: readDocumentLua, keys: 1 }),
        }
      : undefined
    if (options.indexes.size > 0) this.query = this.#query.bind(this)
  }

  async get(
    { key, metadata }: StateGetRequest,
    { signal }: OperationOptions,
  ): Promise<StateItem | undefined> {
    const options = { signal, repeatable: true }
    if (this.#documents !== undefined && isDocument(metadata)) {
      const document = await this.#readDocument(this.#documents.read, key, options)
      if (document !== undefined) return document
    }
    // Both commands travel together.
    const left = this.#client.send('pttl', [key], options)
    left.catch(() => undefined)
    const row = await this.#client
      .send('hmget', [key, 'data', 'version', 'binary'], options)
      .catch((error: unknown) => this.#plainString(key, error, options))
    const [data, version, binary] = row as readonly (Buffer | null)[]
    if (data == null) return undefined
    const etag = version == null ? undefined : asText(version)
    const kind = binary != null && asText(binary) === etag ? 'binary' : 'json'
    const leftMs = Number(await left)
    return {
      value: { bytes: data, kind },
      etag,
      expiresAtMs: leftMs >= 0 ? this.#options.now() + leftMs : undefined,
    }
  }

  async set(request: StateSetRequest, options: OperationOptions): Promise<void> {
    const documents = this.#documentsFor(request.metadata)
    const args = setArguments(request, this.#options.defaultTtlSeconds, documents !== undefined)
    await this.#write(documents?.apply ?? this.#apply, request, args, options)
  }

  async delete(request: StateDeleteRequest, options: OperationOptions): Promise<void> {
    const documents = this.#documentsFor(request.metadata)
    const args = deleteArguments(request, documents !== undefined)
    await this.#write(documents?.apply ?? this.#apply, request, args, options)
  }

  async bulkGet(
    requests: readonly StateGetRequest[],
    options: OperationOptions,
  ): Promise<StateBulkGetResult[]> {
    const results = await allSettled(requests, options, (request) => this.get(request, options))
    return results.map((result, index) =>
      result.status === 'fulfilled'
        ? { key: requests[index]!.key, item: result.value }
        : { key: requests[index]!.key, error: result.reason as Error },
    )
  }

  async bulkSet(
    requests: readonly StateSetRequest[],
    options: OperationOptions,
  ): Promise<StateBulkFailure[]> {
    return failures(requests, await allSettled(requests, options, (request) => this.set(request, options)))
  }

  async bulkDelete(
    requests: readonly StateDeleteRequest[],
    options: OperationOptions,
  ): Promise<StateBulkFailure[]> {
    return failures(requests, await allSettled(requests, options, (request) => this.delete(request, options)))
  }

  async transact({ operations, metadata }: StateTransaction, { signal }: OperationOptions): Promise<void> {
    if (operations.length === 0) return
    const requests = operations.map(({ request }) => request)
    this.#checkSlots(requests)
    const documents = requests.map((each) => this.#documentsFor(each.metadata, metadata)).find(Boolean)
    const args = scriptArguments(operations, this.#options.defaultTtlSeconds, documents && metadata)
    const reply = await (documents?.apply ?? this.#apply)(args, { signal })
    if (Number(reply) >= 0) {
      const { key, etag } = requests[Number(reply)]!
      throw mismatch(key, etag)
    }
    if (requests.some(({ consistency }) => consistency === 'strong'))
      await this.#replicate(requests[0]!.key, signal)
  }

  keysLike(request: KeysLikeRequest, { signal }: OperationOptions): Promise<KeysLikeResult> {
    return keysLike(this.#client, request, signal)
  }

  deleteWithPrefix(prefix: string, { signal }: OperationOptions): Promise<number> {
    return deleteWithPrefix(this.#client, prefix, signal)
  }

  ping({ signal }: OperationOptions): Promise<void> {
    return this.#client.ping(signal)
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  #documentsFor(metadata: Metadata, ofTransaction?: Metadata): { readonly apply: Script } | undefined {
    return this.#documents !== undefined && isDocument(metadata, ofTransaction) ? this.#documents : undefined
  }

  async #readDocument(read: Script, key: string, options: SendOptions): Promise<StateItem | undefined> {
    const row = (await read([key], options)) as readonly [Buffer, Buffer | null, unknown] | null
    if (row === null) return undefined
    const [bytes, version, left] = row
    const leftMs = Number(left)
    return {
      value: { bytes, kind: 'json' },
      etag: version === null ? undefined : asText(version),
      expiresAtMs: leftMs >= 0 ? this.#options.now() + leftMs : undefined,
    }
  }

  async #query(
    query: StateQuery,
    metadata: Metadata,
    { signal }: OperationOptions,
  ): Promise<StateQueryResult> {
    const name = metadata['queryIndexName'] ?? ''
    const index = this.#options.indexes.get(name)
    if (index === undefined) {
      const names = [...this.#options.indexes.keys()].join(', ')
      throw new ComponentError(
        'INVALID_ARGUMENT',
        name === ''
          ? `a query needs the metadata queryIndexName: one of ${names}`
          : `query index ${name} is not in queryIndexes of the component, which has ${names}`,
      )
    }
    const search = searchOf(index, query)
    return resultOf(await this.#client.send('ft.search', search.args, { signal, repeatable: true }), search)
  }

  async #write(
    apply: Script,
    request: Keyed,
    args: readonly RedisArgument[],
    { signal }: OperationOptions,
  ): Promise<void> {
    const reply = await apply(args, { signal })
    if (Number(reply) >= 0) throw mismatch(request.key, request.etag)
    if (request.consistency === 'strong') await this.#replicate(request.key, signal)
  }

  /** Waits, for a bounded time, until the replicas have what this connection has written. */
  async #replicate(key: string, signal: AbortSignal | undefined): Promise<void> {
    const { replicas, waitMs, logger } = this.#options
    if (replicas === 0) return
    const reached = Number(await this.#client.send('wait', [replicas, waitMs], { signal, route: key }))
    const late = reached < replicas
    if (late && !this.#replicasLate) logger.warn('replicas lag behind strong writes', { replicas, reached })
    this.#replicasLate = late
  }

  /** Values of old versions of this layout are plain strings, without an ETag. */
  async #plainString(key: string, error: unknown, options: SendOptions): Promise<readonly (Buffer | null)[]> {
    if (replyCode((error as Error).cause) !== 'WRONGTYPE') throw error
    return [(await this.#client.send('get', [key], options)) as Buffer | null]
  }

  #checkSlots(requests: readonly Keyed[]): void {
    if (this.#client.settings.mode !== 'cluster') return
    const slot = this.#client.slot(requests[0]!.key)
    const other = requests.find(({ key }) => this.#client.slot(key) !== slot)
    if (other === undefined) return
    throw new ComponentError(
      'UNSUPPORTED',
      `keys ${requests[0]!.key} and ${other.key} are in different hash slots of the cluster: ` +
        'one transaction needs keys with a common part in braces, such as {order-1}a and {order-1}b',
    )
  }
}

async function allSettled<T, R>(
  requests: readonly T[],
  { signal }: OperationOptions,
  work: (request: T) => Promise<R>,
): Promise<PromiseSettledResult<R>[]> {
  const results = await Promise.allSettled(requests.map(work))
  const error = results.find((result) => result.status === 'rejected')?.reason as ComponentError | undefined
  // The whole call was cancelled, or the store is closed: that is no matter of single keys.
  if (error !== undefined && (signal?.aborted === true || error.code === 'CLOSED')) throw error
  return results
}

function failures(
  requests: readonly Keyed[],
  results: readonly PromiseSettledResult<void>[],
): StateBulkFailure[] {
  return results.flatMap((result, index) =>
    result.status === 'rejected' ? [{ key: requests[index]!.key, error: result.reason as Error }] : [],
  )
}
