import type { Concurrency, Consistency, Metadata, StateQuery } from '@outrigger/spec'
import { noMetadata, noOptions, type CallOptions } from '../call.ts'
import { clientError } from '../error.ts'
import { jsonOf, parseJson, payloadOf, required, textOf, type Payload } from '../values.ts'

export interface GetStateOptions extends CallOptions {
  readonly consistency?: Consistency | undefined
}

export interface GetBulkStateOptions extends CallOptions {
  /** Keys that are read at once by stores that cannot read many. Default: the sidecar's. */
  readonly parallelism?: number | undefined
}

/** What a value can be saved with. */
export interface SaveStateItem {
  readonly key: string
  /** Any JSON value, or bytes: those are saved as they are. Over HTTP they must be JSON, as nothing else fits there. */
  readonly value: unknown
  /** The write happens only if this is the current ETag; else the call fails with status 409. */
  readonly etag?: string | undefined
  /** `first-write` without an ETag: only if there is nothing under this key. */
  readonly concurrency?: Concurrency | undefined
  readonly consistency?: Consistency | undefined
  /** Whole seconds after which the value is gone; `never` takes an expiry away. */
  readonly ttlSeconds?: number | 'never' | undefined
  readonly contentType?: string | undefined
  readonly metadata?: Metadata | undefined
}

export type SaveStateOptions = Omit<SaveStateItem, 'key' | 'value'> & Omit<CallOptions, 'metadata'>

export interface DeleteStateOptions extends CallOptions {
  readonly etag?: string | undefined
  readonly concurrency?: Concurrency | undefined
  readonly consistency?: Consistency | undefined
}

export interface DeleteStateItem extends Omit<DeleteStateOptions, keyof CallOptions> {
  readonly key: string
  readonly metadata?: Metadata | undefined
}

export type StateTransactionOperation =
  | ({ readonly operation: 'upsert' } & SaveStateItem)
  | ({ readonly operation: 'delete' } & DeleteStateItem)

/** A value as the store has it. */
export class StateItem {
  readonly key: string
  readonly bytes: Uint8Array
  /** Opaque; for the next write. */
  readonly etag: string | undefined
  readonly expiresAt: Date | undefined

  constructor(key: string, bytes: Uint8Array, etag?: string, expiresAt?: Date) {
    this.key = key
    this.bytes = bytes
    this.etag = etag
    this.expiresAt = expiresAt
  }

  text(): string {
    return textOf(this.bytes)
  }

  /** @throws OutriggerError ERR_CLIENT_ANSWER when the value is no JSON */
  json<T = unknown>(): T {
    return parseJson(this.text(), `the value of ${this.key}`) as T
  }
}

/** One key of a bulk get: the item, nothing, or why just this key could not be read. */
export interface BulkStateResult {
  readonly key: string
  readonly item: StateItem | undefined
  readonly error: string | undefined
}

export interface StateQueryResult {
  readonly results: readonly StateItem[]
  /** Where the next page begins; absent on the last one. */
  readonly token: string | undefined
}

/** A write as transports take it. */
export interface StateWrite {
  readonly key: string
  readonly value: Payload
  readonly etag: string | undefined
  readonly concurrency: Concurrency | undefined
  readonly consistency: Consistency | undefined
  readonly contentType: string | undefined
  readonly metadata: Metadata
}

export interface StateRemoval extends Omit<StateWrite, 'value' | 'contentType'> {}

export type StateChange =
  | { readonly operation: 'upsert'; readonly request: StateWrite }
  | { readonly operation: 'delete'; readonly request: StateRemoval }

/** What a transport does for state. */
export interface StatePort {
  get(store: string, key: string, options: GetStateOptions): Promise<StateItem | undefined>
  getBulk(
    store: string,
    keys: readonly string[],
    options: GetBulkStateOptions,
  ): Promise<readonly BulkStateResult[]>
  save(store: string, writes: readonly StateWrite[], options: CallOptions): Promise<void>
  delete(store: string, removal: StateRemoval, options: CallOptions): Promise<void>
  transact(store: string, changes: readonly StateChange[], options: CallOptions): Promise<void>
  /** `query`: JSON text. */
  query(store: string, query: string, options: CallOptions): Promise<StateQueryResult>
}

/** State stores. */
export class StateClient {
  readonly #port: StatePort

  constructor(port: StatePort) {
    this.#port = port
  }

  /** The value, parsed as JSON; `undefined` when there is none. */
  async get<T = unknown>(store: string, key: string, options?: GetStateOptions): Promise<T | undefined> {
    return (await this.getItem(store, key, options))?.json<T>()
  }

  /** The value as it is saved, with its ETag. */
  async getItem(
    store: string,
    key: string,
    options: GetStateOptions = noOptions,
  ): Promise<StateItem | undefined> {
    required(store, 'the name of the store')
    required(key, 'the key')
    return this.#port.get(store, key, options)
  }

  /** One result for each key; the order is that of the store. */
  async getBulk(
    store: string,
    keys: readonly string[],
    options: GetBulkStateOptions = noOptions,
  ): Promise<readonly BulkStateResult[]> {
    required(store, 'the name of the store')
    for (const key of keys) required(key, 'the key')
    return keys.length === 0 ? [] : this.#port.getBulk(store, keys, options)
  }

  async save(
    store: string,
    key: string,
    value: unknown,
    options: SaveStateOptions = noOptions,
  ): Promise<void> {
    required(store, 'the name of the store')
    const { metadata: _, ...call } = options as CallOptions
    await this.#port.save(store, [writeOf({ ...options, key, value })], call)
  }

  /** Saves every item, and not as a transaction: those that fail do not keep the others from being saved. */
  async saveBulk(
    store: string,
    items: readonly SaveStateItem[],
    options: CallOptions = noOptions,
  ): Promise<void> {
    required(store, 'the name of the store')
    if (items.length > 0) await this.#port.save(store, items.map(writeOf), options)
  }

  /** Deleting what is not there is no error, unless an ETag was given. */
  async delete(store: string, key: string, options: DeleteStateOptions = noOptions): Promise<void> {
    required(store, 'the name of the store')
    await this.#port.delete(store, removalOf({ ...options, key }), options)
  }

  /** All operations in their order, or none. `metadata` is that of the whole transaction. */
  async transaction(
    store: string,
    operations: readonly StateTransactionOperation[],
    options: CallOptions = noOptions,
  ): Promise<void> {
    required(store, 'the name of the store')
    const changes = operations.map((each): StateChange => {
      if (each.operation === 'upsert') return { operation: 'upsert', request: writeOf(each) }
      return { operation: 'delete', request: removalOf(each) }
    })
    await this.#port.transact(store, changes, options)
  }

  /** Finds values by a query document; alpha, and only in stores that can. */
  async query(store: string, query: StateQuery, options: CallOptions = noOptions): Promise<StateQueryResult> {
    required(store, 'the name of the store')
    return this.#port.query(store, jsonOf(query, 'the query'), options)
  }
}

function writeOf(item: SaveStateItem): StateWrite {
  const { key, value, ttlSeconds, etag, concurrency, consistency, metadata = noMetadata } = item
  required(key, 'the key')
  const payload = payloadOf(value, `the value of ${key}`)
  return {
    key,
    value: payload,
    etag,
    concurrency,
    consistency,
    contentType: item.contentType,
    metadata: ttlSeconds === undefined ? metadata : { ...metadata, ttlInSeconds: ttlText(ttlSeconds) },
  }
}

function ttlText(ttl: number | 'never'): string {
  if (ttl === 'never') return '-1'
  if (Number.isSafeInteger(ttl) && ttl > 0) return String(ttl)
  throw clientError(
    'ERR_CLIENT_ARGUMENT',
    `ttlSeconds must be a whole number above 0, or "never"; it is ${ttl}`,
  )
}

function removalOf(item: DeleteStateItem): StateRemoval {
  const { key, etag, concurrency, consistency, metadata = noMetadata } = item
  required(key, 'the key')
  return { key, etag, concurrency, consistency, metadata }
}
