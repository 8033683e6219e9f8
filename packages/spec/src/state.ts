import type { ComponentDefinition, DefinitionInput } from './definition.ts'
import type { LiveComponent, Metadata, OperationOptions } from './operation.ts'

/**
 * - `etag`: optimistic concurrency; every value read carries an ETag
 * - `transactional`: `transact`, all or nothing
 * - `ttl`: values expire by themselves
 * - `query`: the query API
 * - `keysLike`: listing keys by a pattern
 * - `deleteWithPrefix`: deleting all keys with a prefix
 * - `actor`: fit to hold actor state (strong reads, transactions, ETags)
 * - `partitionKey`: the `partitionKey` request metadata decides where a value lives
 */
export type StateCapability =
  | 'etag'
  | 'transactional'
  | 'ttl'
  | 'query'
  | 'keysLike'
  | 'deleteWithPrefix'
  | 'actor'
  | 'partitionKey'

/**
 * A value as it was sent. JSON text is kept as its bytes and never parsed and printed again on its way,
 * so numbers stay as they were.
 */
export interface StateValue {
  readonly bytes: Uint8Array
  readonly kind: 'json' | 'binary'
  readonly contentType?: string | undefined
}

export type Consistency = 'strong' | 'eventual'
export type Concurrency = 'first-write' | 'last-write'

export interface StateGetRequest {
  /** Complete key, prefix included. */
  readonly key: string
  readonly consistency?: Consistency | undefined
  readonly metadata: Metadata
}

export interface StateItem {
  readonly value: StateValue
  /** Opaque to everyone but the store. */
  readonly etag?: string | undefined
  /** When the value expires, in milliseconds since the epoch. */
  readonly expiresAtMs?: number | undefined
  readonly metadata?: Metadata | undefined
}

export interface StateSetRequest {
  readonly key: string
  readonly value: StateValue
  /** The write happens only if this is the current ETag: `ETAG_MISMATCH` otherwise, `ETAG_INVALID` if it cannot be one. */
  readonly etag?: string | undefined
  /** `first-write` without an ETag means: only if there is nothing under this key. */
  readonly concurrency?: Concurrency | undefined
  readonly consistency?: Consistency | undefined
  /** Whole seconds, above 0; `never` takes an expiry away; without it the store's own default holds. */
  readonly ttlSeconds?: number | 'never' | undefined
  readonly metadata: Metadata
}

export interface StateDeleteRequest {
  readonly key: string
  readonly etag?: string | undefined
  readonly concurrency?: Concurrency | undefined
  readonly consistency?: Consistency | undefined
  readonly metadata: Metadata
}

export type StateOperation =
  | { readonly operation: 'upsert'; readonly request: StateSetRequest }
  | { readonly operation: 'delete'; readonly request: StateDeleteRequest }

export interface StateTransaction {
  /** Executed in this order; later operations on a key see earlier ones. */
  readonly operations: readonly StateOperation[]
  /** Metadata of the whole transaction, such as `partitionKey`. */
  readonly metadata: Metadata
}

/** The outcome of one key of a bulk operation: the item, nothing, or what went wrong with just this key. */
export interface StateBulkGetResult {
  readonly key: string
  readonly item?: StateItem | undefined
  readonly error?: Error | undefined
}

/** The keys of a bulk write that failed; the others succeeded. */
export interface StateBulkFailure {
  readonly key: string
  readonly error: Error
}

/** A value to compare with. Numbers that JavaScript cannot hold are rounded. */
export type StateFilterValue = string | number | boolean | null

type Comparison<V> = Readonly<Record<string, V>>

/**
 * A condition of a query: an object with one member. Comparisons name one field, with dots between its parts; `AND` and
 * `OR` have two conditions or more. The runtime has checked the shape and bounded its size and depth.
 */
export type StateFilter =
  | { readonly EQ: Comparison<StateFilterValue> }
  | { readonly NEQ: Comparison<StateFilterValue> }
  | { readonly GT: Comparison<StateFilterValue> }
  | { readonly GTE: Comparison<StateFilterValue> }
  | { readonly LT: Comparison<StateFilterValue> }
  | { readonly LTE: Comparison<StateFilterValue> }
  | { readonly IN: Comparison<readonly StateFilterValue[]> }
  | { readonly AND: readonly StateFilter[] }
  | { readonly OR: readonly StateFilter[] }

/** The query document of the state query API, parsed. */
export interface StateQuery {
  /** Without it everything is found. */
  readonly filter?: StateFilter | undefined
  readonly sort?: readonly { readonly key: string; readonly order?: 'ASC' | 'DESC' }[] | undefined
  /** `limit` is a whole number above 0; `token` is one that an earlier result had. */
  readonly page?: { readonly limit?: number | undefined; readonly token?: string | undefined } | undefined
}

export interface StateQueryResult {
  readonly results: readonly { readonly key: string; readonly item: StateItem }[]
  readonly token?: string | undefined
  readonly metadata?: Metadata | undefined
}

export interface KeysLikeRequest {
  /** SQL LIKE: `%` any run of characters, `_` any one, `\` takes the next literally. */
  readonly pattern: string
  readonly continuationToken?: string | undefined
  /** At most this many keys in one answer. */
  readonly pageSize?: number | undefined
}

export interface KeysLikeResult {
  readonly keys: readonly string[]
  readonly continuationToken?: string | undefined
}

/** A state store that is connected. Optional methods exist exactly when the matching capability is listed. */
export interface StateStore extends LiveComponent {
  /** What this instance can do with its configuration: a subset of the definition's. */
  readonly capabilities: ReadonlySet<StateCapability>
  get(request: StateGetRequest, options: OperationOptions): Promise<StateItem | undefined>
  set(request: StateSetRequest, options: OperationOptions): Promise<void>
  /** Deleting what is not there is no error, unless an ETag was given. */
  delete(request: StateDeleteRequest, options: OperationOptions): Promise<void>
  /** One result for each request, in any order. Without it the runtime calls `get` in parallel. */
  bulkGet?(
    requests: readonly StateGetRequest[],
    options: OperationOptions,
  ): Promise<readonly StateBulkGetResult[]>
  /** Not a transaction: returns those that failed. Without it the runtime calls `set` in parallel. */
  bulkSet?(
    requests: readonly StateSetRequest[],
    options: OperationOptions,
  ): Promise<readonly StateBulkFailure[]>
  bulkDelete?(
    requests: readonly StateDeleteRequest[],
    options: OperationOptions,
  ): Promise<readonly StateBulkFailure[]>
  /** All operations or none. */
  transact?(transaction: StateTransaction, options: OperationOptions): Promise<void>
  /** The most operations that one transaction may have; without it there is no limit. */
  readonly maxTransactionOperations?: number | undefined
  query?(query: StateQuery, metadata: Metadata, options: OperationOptions): Promise<StateQueryResult>
  keysLike?(request: KeysLikeRequest, options: OperationOptions): Promise<KeysLikeResult>
  /** Returns how many keys were deleted. */
  deleteWithPrefix?(prefix: string, options: OperationOptions): Promise<number>
}

export const stateContract = 'state/1'
export type StateStoreDefinition = ComponentDefinition<typeof stateContract, StateCapability, StateStore>

/** Defines a state store. A package default-exports the result. */
export function defineStateStore<V extends object>(
  definition: DefinitionInput<V, StateCapability, StateStore>,
): StateStoreDefinition {
  return { contract: stateContract, ...definition } as StateStoreDefinition
}
