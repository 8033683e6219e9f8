import type {
  Clock,
  Concurrency,
  Consistency,
  Logger,
  Metadata,
  OperationOptions,
  StateBulkFailure,
  StateBulkGetResult,
  StateDeleteRequest,
  StateItem,
  StateOperation,
  StateQuery,
  StateQueryResult,
  StateSetRequest,
  StateStore,
  StateTransaction,
  StateValue,
} from '@outrigger/spec'
import { isComponentError } from '@outrigger/spec'
import { inParallel } from '../../components/parallel.ts'
import { OutboxProblem } from '../../outbox/problem.ts'
import { ApiError, failureText } from '../api-error.ts'
import type { ErrorId } from '../errors.ts'
import { parseQuery } from './query.ts'
import { withRetries } from './retry-policy.ts'
import { bulkParallelism, hasRetryPolicy, scheduleOf, ttlOf, writeAll } from './writes.ts'

/** A store by its name, prefixing wrapped around it. */
export type StateStores = ReadonlyMap<string, { readonly instance: StateStore }>

/** One value to be saved, as a caller says it. */
export interface SaveItem {
  readonly key: string
  readonly value: StateValue
  readonly etag?: string | undefined
  readonly metadata?: Metadata | undefined
  readonly concurrency?: Concurrency | undefined
  readonly consistency?: Consistency | undefined
  /** As it was sent; without effect unless `StateHandlerOptions.retryPolicies` is there. */
  readonly retryPolicy?: unknown
}

export interface DeleteItem {
  readonly key: string
  readonly etag?: string | undefined
  readonly metadata?: Metadata | undefined
  readonly concurrency?: Concurrency | undefined
  readonly consistency?: Consistency | undefined
}

export type TransactionItem =
  | { readonly operation: 'upsert'; readonly request: SaveItem }
  | { readonly operation: 'delete'; readonly request: DeleteItem }

/** What publishes an event for every write of a committed transaction, for the stores that have such. */
export interface StateOutbox {
  has(storeName: string): boolean
  /** How many operations a transaction has with what is added to it. @throws OutboxProblem */
  count(transaction: StateTransaction): number
  /** Instead of the store's own. @throws OutboxProblem when nothing was saved because of the events */
  transact(storeName: string, transaction: StateTransaction, options: OperationOptions): Promise<void>
}

export interface StateHandlerOptions {
  readonly outbox?: StateOutbox | undefined
  /** Compatibility with early versions: the option `retryPolicy` of items to save is honoured, with waits of this clock. */
  readonly retryPolicies?: { readonly clock: Clock } | undefined
}

const noMetadata: Metadata = Object.freeze({})
/** Keys in one bulk request. */
const mostKeys = 10_000

/** The state operations, for every face of the runtime. */
export class StateHandler {
  readonly #stores: StateStores
  readonly #appId: string
  readonly #logger: Logger
  readonly #outbox: StateOutbox | undefined
  readonly #retryPolicies: { readonly clock: Clock } | undefined
  readonly #warnedOfTtl = new Set<string>()

  constructor(stores: StateStores, appId: string, logger: Logger, options: StateHandlerOptions = {}) {
    this.#stores = stores
    this.#appId = appId
    this.#logger = logger
    this.#outbox = options.outbox
    this.#retryPolicies = options.retryPolicies
  }

  /** Absent is `undefined`. @throws ApiError STATE_GET and those of every state operation */
  async get(
    storeName: string,
    key: string,
    consistency: Consistency | undefined,
    metadata: Metadata,
    options: OperationOptions,
  ): Promise<StateItem | undefined> {
    const store = this.#store(storeName)
    this.#checkKey(storeName, key)
    try {
      return await store.get({ key, consistency, metadata }, options)
    } catch (error) {
      throw this.#failed(
        'STATE_GET',
        error,
        (text) => `fail to get ${key} from state store ${storeName}: ${text}`,
      )
    }
  }

  /** One result for each key, in the order of the keys. */
  async getBulk(
    storeName: string,
    keys: readonly string[],
    parallelism: number | undefined,
    metadata: Metadata,
    options: OperationOptions,
  ): Promise<readonly StateBulkGetResult[]> {
    const store = this.#store(storeName)
    this.#checkCount(keys.length)
    for (const key of keys) this.#checkKey(storeName, key)
    if (keys.length === 0) return []
    const requests = keys.map((key) => ({ key, metadata }))
    if (store.bulkGet === undefined) {
      const limit = parallelism !== undefined && parallelism > 0 ? parallelism : bulkParallelism
      return inParallel(requests, limit, async (request) => {
        try {
          return { key: request.key, item: await store.get(request, options) }
        } catch (error) {
          return {
            key: request.key,
            error: new Error(failureText(error, this.#logger, 'bulk get of state failed')),
          }
        }
      })
    }
    try {
      const found = await store.bulkGet(requests, options)
      const byKey = new Map(found.map((result) => [result.key, result]))
      return keys.map((key) => byKey.get(key) ?? { key })
    } catch (error) {
      throw this.#failed(
        'STATE_BULK_GET',
        error,
        (text) => `failed to get state from store ${storeName}: ${text}`,
      )
    }
  }

  /** Saves every item; those that fail do not keep the others from being saved. */
  async save(storeName: string, items: readonly SaveItem[], options: OperationOptions): Promise<void> {
    const store = this.#store(storeName)
    this.#checkCount(items.length)
    if (this.#retryPolicies !== undefined && items.some(hasRetryPolicy)) {
      await this.#saveWithRetries(storeName, store, items, options, this.#retryPolicies.clock)
      return
    }
    if (items.length === 1) {
      // The usual case: nothing is made for it that only many need.
      const request = this.#setRequest(storeName, store, items[0]!)
      try {
        await store.set(request, options)
      } catch (error) {
        this.#throwSave(storeName, [{ key: request.key, error: error as Error }])
      }
      return
    }
    const requests = items.map((item) => this.#setRequest(storeName, store, item))
    const failures = await writeAll(requests, options, store.set.bind(store), store.bulkSet?.bind(store))
    this.#throwSave(storeName, failures)
  }

  /** Every item by itself, as often as its own policy says. */
  async #saveWithRetries(
    storeName: string,
    store: StateStore,
    items: readonly SaveItem[],
    options: OperationOptions,
    clock: Clock,
  ): Promise<void> {
    const prepared = items.map((item) => ({
      request: this.#setRequest(storeName, store, item),
      waits: scheduleOf(item),
    }))
    const outcomes = await inParallel(prepared, bulkParallelism, async ({ request, waits }) => {
      try {
        await withRetries(() => store.set(request, options), waits, clock, options.signal)
        return undefined
      } catch (error) {
        return { key: request.key, error: error as Error }
      }
    })
    this.#throwSave(
      storeName,
      outcomes.filter((outcome) => outcome !== undefined),
    )
  }

  #throwSave(storeName: string, failures: readonly StateBulkFailure[]): void {
    this.#throwFirst(
      failures,
      'STATE_SAVE',
      (text) => `failed saving state in state store ${storeName}: ${text}`,
    )
  }

  async delete(storeName: string, item: DeleteItem, options: OperationOptions): Promise<void> {
    const store = this.#store(storeName)
    const request = this.#deleteRequest(storeName, item)
    try {
      await store.delete(request, options)
    } catch (error) {
      this.#throwFirst(
        [{ key: item.key, error: error as Error }],
        'STATE_DELETE',
        (text) => `failed deleting state with key ${item.key}: ${text}`,
      )
    }
  }

  async deleteBulk(
    storeName: string,
    items: readonly DeleteItem[],
    options: OperationOptions,
  ): Promise<void> {
    const store = this.#store(storeName)
    this.#checkCount(items.length)
    const requests = items.map((item) => this.#deleteRequest(storeName, item))
    const failures = await writeAll(
      requests,
      options,
      store.delete.bind(store),
      store.bulkDelete?.bind(store),
    )
    this.#throwFirst(
      failures,
      'STATE_BULK_DELETE',
      (text) => `failed deleting state in state store ${storeName}: ${text}`,
    )
  }

  /** All operations or none, in their order. */
  async transact(
    storeName: string,
    items: readonly TransactionItem[],
    metadata: Metadata,
    options: OperationOptions,
  ): Promise<void> {
    const store = this.transactionalStore(storeName)
    if (items.length === 0) return
    const operations = items.map((item): StateOperation => {
      const { operation } = item
      if (operation === 'upsert')
        return { operation, request: this.#setRequest(storeName, store, item.request) }
      if (operation === 'delete') return { operation, request: this.#deleteRequest(storeName, item.request) }
      throw new ApiError('STATE_OPERATION_NOT_SUPPORTED', `operation type ${String(operation)} not supported`)
    })
    const transaction = { operations, metadata }
    const outbox = this.#outbox?.has(storeName) === true ? this.#outbox : undefined
    try {
      const count = outbox?.count(transaction) ?? operations.length
      this.#checkTransactionSize(storeName, count, store.maxTransactionOperations)
      if (outbox === undefined) await store.transact!(transaction, options)
      else await outbox.transact(storeName, transaction, options)
    } catch (error) {
      if (error instanceof ApiError) throw error
      if (error instanceof OutboxProblem) throw this.#outboxFailed(error)
      throw this.#failed(
        'STATE_TRANSACTION',
        error,
        (text) => `error while executing state transaction: ${text}`,
      )
    }
  }

  #checkTransactionSize(storeName: string, count: number, most: number | undefined): void {
    if (most === undefined || count <= most) return
    throw new ApiError(
      'STATE_TOO_MANY_OPERATIONS',
      `the transaction contains ${count} operations, which is more than what the state store supports: ${most}`,
      {
        subject: {
          resourceType: 'state',
          resourceName: storeName,
          metadata: { currentOpsTransaction: String(count), maxOpsPerTransaction: String(most) },
        },
      },
    )
  }

  #outboxFailed(error: OutboxProblem): ApiError {
    return new ApiError('PUBLISH_OUTBOX', `error while publishing outbox message: ${error.message}`, {
      cause: error,
      subject: { metadata: { appID: this.#appId, error: error.message } },
    })
  }

  /**
   * Answers a query document, `{ filter, sort, page }` as JSON text.
   * @throws ApiError STATE_QUERY and its kin
   */
  async query(
    storeName: string,
    document: string,
    metadata: Metadata,
    options: OperationOptions,
  ): Promise<StateQueryResult> {
    const store = this.#store(storeName)
    const subject = { resourceType: 'state', resourceName: storeName }
    if (store.query === undefined) {
      throw new ApiError('STATE_QUERY_NOT_SUPPORTED', 'state store does not support querying', { subject })
    }
    const message = (text: string): string => `state store ${storeName} query failed: ${text}`
    let query: StateQuery
    try {
      query = parseQuery(document)
    } catch (error) {
      const text = `failed to parse JSON query body: ${(error as Error).message}`
      throw new ApiError('STATE_QUERY_INVALID', message(text), { subject })
    }
    try {
      return await store.query(query, metadata, options)
    } catch (error) {
      const invalid = isComponentError(error) && error.code === 'INVALID_ARGUMENT'
      const text = failureText(error, this.#logger, 'a state query failed')
      throw new ApiError(invalid ? 'STATE_QUERY_INVALID' : 'STATE_QUERY', message(text), {
        cause: error,
        subject,
      })
    }
  }

  /** The store, if it has transactions: callers ask before they read a request. */
  transactionalStore(storeName: string): StateStore {
    const store = this.#store(storeName)
    if (store.transact !== undefined) return store
    throw new ApiError(
      'STATE_TRANSACTIONS_NOT_SUPPORTED',
      `state store ${storeName} doesn't support transactions`,
      {
        subject: { resourceType: 'state', resourceName: storeName },
      },
    )
  }

  /** Throws unless there is such a store. */
  checkStore(storeName: string): void {
    this.#store(storeName)
  }

  #store(name: string): StateStore {
    const live = this.#stores.get(name)
    if (live !== undefined) return live.instance
    const subject = { metadata: { appID: this.#appId } }
    if (this.#stores.size === 0) {
      throw new ApiError('STATE_STORE_NOT_CONFIGURED', `state store ${name} is not configured`, { subject })
    }
    throw new ApiError('STATE_STORE_NOT_FOUND', `state store ${name} is not found`, { subject })
  }

  #checkKey(storeName: string, key: string): void {
    if (!key.includes('||')) return
    const description = `input key/keyPrefix '${key}' can't contain '||'`
    throw new ApiError('STATE_ILLEGAL_KEY', description, {
      subject: {
        resourceType: 'state',
        resourceName: storeName,
        fieldViolation: { field: key, description },
      },
    })
  }

  #checkCount(count: number): void {
    if (count > mostKeys) {
      throw new ApiError('MALFORMED_REQUEST', `${count} keys in one request; at most ${mostKeys} are allowed`)
    }
  }

  #setRequest(storeName: string, store: StateStore, item: SaveItem): StateSetRequest {
    if (item.key === '') throw new ApiError('MALFORMED_REQUEST', '"key" is a required field')
    this.#checkKey(storeName, item.key)
    const metadata = item.metadata ?? noMetadata
    const ttlSeconds = ttlOf(metadata)
    if (ttlSeconds !== undefined && !store.capabilities.has('ttl') && !this.#warnedOfTtl.has(storeName)) {
      this.#warnedOfTtl.add(storeName)
      this.#logger.warn(`state store ${storeName} has no TTL: ttlInSeconds is ignored and values stay`)
    }
    return {
      key: item.key,
      value: item.value,
      etag: item.etag,
      concurrency: item.concurrency,
      consistency: item.consistency,
      ttlSeconds,
      metadata,
    }
  }

  #deleteRequest(storeName: string, item: DeleteItem): StateDeleteRequest {
    if (item.key === '') throw new ApiError('MALFORMED_REQUEST', '"key" is a required field')
    this.#checkKey(storeName, item.key)
    const { key, etag, concurrency, consistency } = item
    return { key, etag, concurrency, consistency, metadata: item.metadata ?? noMetadata }
  }

  /** The failures become one error. An ETag that did not match decides its status, because the caller can act on that. */
  #throwFirst(
    failures: readonly StateBulkFailure[],
    id: 'STATE_SAVE' | 'STATE_DELETE' | 'STATE_BULK_DELETE',
    message: (text: string) => string,
  ): void {
    if (failures.length === 0) return
    const codeOf = (error: Error): string | undefined => (isComponentError(error) ? error.code : undefined)
    const mismatch = failures.find((failure) => codeOf(failure.error) === 'ETAG_MISMATCH')
    const invalid = failures.find((failure) => codeOf(failure.error) === 'ETAG_INVALID')
    const rowId: ErrorId = mismatch ? `${id}_ETAG_MISMATCH` : invalid ? `${id}_ETAG_INVALID` : id
    const shown = failures.slice(0, 5).map((failure) => {
      const text = failureText(failure.error, this.#logger, 'a state operation failed')
      return failures.length === 1 || failure.key === '' ? text : `${failure.key}: ${text}`
    })
    if (failures.length > shown.length) shown.push(`and ${failures.length - shown.length} more`)
    throw new ApiError(rowId, message(shown.join('; ')), {
      cause: (mismatch ?? invalid ?? failures[0]!).error,
    })
  }

  #failed(id: ErrorId, error: unknown, message: (text: string) => string): ApiError {
    return new ApiError(id, message(failureText(error, this.#logger, 'a state operation failed')), {
      cause: error,
    })
  }
}
