import { throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  defineStateStore,
  type KeysLikeRequest,
  type KeysLikeResult,
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
  type StateStoreDefinition,
  type StateTransaction,
} from '@outrigger/spec'
import { fields } from '@outrigger/kit'

export const stateCapabilities: readonly StateCapability[] = [
  'etag',
  'transactional',
  'ttl',
  'query',
  'keysLike',
  'deleteWithPrefix',
  'actor',
]

type Items = Map<string, StateItem & { readonly etag: string }>

/** The smallest store that can do everything. Members are public and methods are fields, so that mutants can change them. */
export class ReferenceStore implements StateStore {
  capabilities = new Set<StateCapability>(stateCapabilities)
  maxTransactionOperations: number | undefined = undefined
  items: Items = new Map()
  writes = 0
  closed = false

  check = (options: OperationOptions): void => {
    throwIfAborted(options.signal)
    if (this.closed) throw new ComponentError('CLOSED', 'closed')
  }

  find = (items: Items, key: string) => {
    const item = items.get(key)
    return item?.expiresAtMs !== undefined && item.expiresAtMs <= Date.now() ? undefined : item
  }

  guard = (items: Items, { key, etag, concurrency }: StateSetRequest | StateDeleteRequest): void => {
    const current = this.find(items, key)
    if (etag === 'invalid') throw new ComponentError('ETAG_INVALID', 'invalid')
    const mismatch =
      etag === undefined ? concurrency === 'first-write' && current !== undefined : current?.etag !== etag
    if (mismatch) throw new ComponentError('ETAG_MISMATCH', 'mismatch')
  }

  write = (items: Items, request: StateSetRequest): void => {
    this.guard(items, request)
    const { ttlSeconds, value } = request
    const expiresAtMs = typeof ttlSeconds === 'number' ? Date.now() + ttlSeconds * 1000 : undefined
    items.set(request.key, { value, etag: `${++this.writes}`, expiresAtMs })
  }

  remove = (items: Items, request: StateDeleteRequest): void => {
    this.guard(items, request)
    items.delete(request.key)
  }

  get = async (request: StateGetRequest, options: OperationOptions): Promise<StateItem | undefined> => {
    this.check(options)
    return this.find(this.items, request.key)
  }

  set = async (request: StateSetRequest, options: OperationOptions): Promise<void> => {
    this.check(options)
    this.write(this.items, request)
  }

  delete = async (request: StateDeleteRequest, options: OperationOptions): Promise<void> => {
    this.check(options)
    this.remove(this.items, request)
  }

  bulkGet = async (
    requests: readonly StateGetRequest[],
    options: OperationOptions,
  ): Promise<readonly StateBulkGetResult[]> => {
    this.check(options)
    return Promise.all(
      requests.map(async (request) => ({ key: request.key, item: await this.get(request, options) })),
    )
  }

  bulkSet = (
    requests: readonly StateSetRequest[],
    options: OperationOptions,
  ): Promise<readonly StateBulkFailure[]> =>
    this.each(requests, options, (request) => this.write(this.items, request))

  bulkDelete = (
    requests: readonly StateDeleteRequest[],
    options: OperationOptions,
  ): Promise<readonly StateBulkFailure[]> =>
    this.each(requests, options, (request) => this.remove(this.items, request))

  each = async <R extends { readonly key: string }>(
    requests: readonly R[],
    options: OperationOptions,
    work: (request: R) => void,
  ): Promise<readonly StateBulkFailure[]> => {
    this.check(options)
    return requests.flatMap((request) => {
      try {
        work(request)
        return []
      } catch (error) {
        return [{ key: request.key, error: error as Error }]
      }
    })
  }

  transact = async ({ operations }: StateTransaction, options: OperationOptions): Promise<void> => {
    this.check(options)
    const items: Items = new Map(this.items)
    for (const operation of operations) {
      if (operation.operation === 'upsert') this.write(items, operation.request)
      else this.remove(items, operation.request)
    }
    this.items = items
  }

  like = (pattern: string): RegExp =>
    new RegExp(
      `^${pattern.replace(/\\(.)|([%_])|([.*+?^${}()|[\]\\])/gsu, (all, literal?: string, wild?: string) =>
        wild === '%' ? '.*' : wild === '_' ? '.' : `\\${literal ?? all}`.replace(/^\\(?=[%_\w])/u, ''),
      )}$`,
      's',
    )

  keysLike = async (request: KeysLikeRequest, options: OperationOptions): Promise<KeysLikeResult> => {
    this.check(options)
    const { pattern, continuationToken = '', pageSize = Infinity } = request
    const fits = this.like(pattern)
    const all = [...this.items.keys()].filter(
      (key) => this.find(this.items, key) && fits.test(key) && key > continuationToken,
    )
    const keys = all.toSorted().slice(0, pageSize)
    return keys.length < all.length ? { keys, continuationToken: keys.at(-1)! } : { keys }
  }

  deleteWithPrefix = async (prefix: string, options: OperationOptions): Promise<number> => {
    this.check(options)
    return [...this.items.keys()].filter((key) => key.startsWith(prefix) && this.items.delete(key)).length
  }

  query = async ({ filter, sort = [], page = {} }: StateQuery): Promise<StateQueryResult> => {
    const rows = [...this.items].flatMap(([key, item]) => {
      const value: unknown =
        item.value.kind === 'json' ? JSON.parse(Buffer.from(item.value.bytes).toString()) : undefined
      return typeof value === 'object' && value !== null
        ? [{ key, item, value: value as Record<string, unknown> }]
        : []
    })
    const found = rows.filter(({ value }) => meets(filter as Filter, value))
    found.sort((a, b) => {
      for (const { key, order } of sort) {
        const difference = Number(a.value[key]) - Number(b.value[key])
        if (difference !== 0) return order === 'DESC' ? -difference : difference
      }
      return 0
    })
    const start = Number(page.token ?? 0)
    const results = found
      .slice(start, start + (page.limit ?? Infinity))
      .map(({ key, item }) => ({ key, item }))
    const end = start + results.length
    return end < found.length ? { results, token: `${end}` } : { results }
  }

  ping = async (options: OperationOptions): Promise<void> => this.check(options)

  close = async (): Promise<void> => {
    this.closed = true
  }
}

type Filter = Readonly<Record<string, readonly Filter[] | Readonly<Record<string, unknown>>>>

function meets(filter: Filter, value: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(filter).every(([operator, operand]) => {
    if (operator === 'AND') return (operand as readonly Filter[]).every((each) => meets(each, value))
    if (operator === 'OR') return (operand as readonly Filter[]).some((each) => meets(each, value))
    return Object.entries(operand).every(([key, wanted]) =>
      operator === 'IN' ? (wanted as unknown[]).includes(value[key]) : value[key] === wanted,
    )
  })
}

/** The reference, or a mutant of it. */
export function referenceState(mutate?: (store: ReferenceStore) => void): StateStoreDefinition {
  return defineStateStore({
    type: 'state.reference',
    title: 'Reference',
    versions: {
      v1: {
        metadata: fields({}),
        capabilities: stateCapabilities,
        create: () => {
          const store = new ReferenceStore()
          mutate?.(store)
          return Promise.resolve(store)
        },
      },
    },
  })
}
