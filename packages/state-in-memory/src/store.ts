import { throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  type Clock,
  type Concurrency,
  type KeysLikeRequest,
  type KeysLikeResult,
  type OperationOptions,
  type StateCapability,
  type StateDeleteRequest,
  type StateGetRequest,
  type StateItem,
  type StateSetRequest,
  type StateStore,
  type StateTransaction,
  type Timer,
} from '@outrigger/spec'
import { Entry, owned } from './entry.ts'
import { likeMatcher } from './like.ts'

const capabilities: ReadonlySet<StateCapability> = new Set([
  'etag',
  'transactional',
  'ttl',
  'keysLike',
  'deleteWithPrefix',
  'actor',
])

const nothing: Promise<undefined> = Promise.resolve(undefined)
const sweepEveryMs = 1000
/** So that a sweep never holds the event loop for long; the next one goes on where it stopped. */
const sweepAtMost = 1000

/** What a key will hold when a transaction is through; `undefined` is nothing. */
type Pending = Map<string, Entry | undefined>

/**
 * State in a Map. Values belong to the store once they were handed in: they must not change afterwards, and readers are
 * given the same bytes. Any string may be an ETag; the ones made here are counters.
 */
export class MemoryStore implements StateStore {
  readonly capabilities = capabilities
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  /** The keys whose values expire some day. */
  readonly #expiring = new Set<string>()
  #cursor: IterableIterator<string> | undefined
  #sweep: Timer | undefined
  #writes = 0
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many values are held, with those that have expired and were not swept yet. */
  get size(): number {
    return this.#entries.size
  }

  get(request: StateGetRequest, options: OperationOptions): Promise<StateItem | undefined> {
    if (this.#closed || options.signal?.aborted === true) return this.#refuse(options)
    const entry = this.#entries.get(request.key)
    if (entry === undefined) return nothing
    if (entry.expiresAtMs !== undefined && !entry.isLive(this.#clock.now())) {
      this.#remove(request.key)
      return nothing
    }
    return Promise.resolve(entry)
  }

  // Async without await, so that what is thrown becomes a rejection.
  async set(request: StateSetRequest, options: OperationOptions): Promise<void> {
    this.#check(options)
    this.#put(request.key, this.#written(request, undefined))
  }

  async delete(request: StateDeleteRequest, options: OperationOptions): Promise<void> {
    this.#check(options)
    this.#checkDelete(request, undefined)
    this.#remove(request.key)
  }

  async transact(transaction: StateTransaction, options: OperationOptions): Promise<void> {
    this.#check(options)
    const pending: Pending = new Map()
    for (const { operation, request } of transaction.operations) {
      if (operation === 'upsert') {
        pending.set(request.key, this.#written(request, pending))
      } else {
        this.#checkDelete(request, pending)
        pending.set(request.key, undefined)
      }
    }
    for (const [key, entry] of pending) {
      if (entry === undefined) this.#remove(key)
      else this.#put(key, entry)
    }
  }

  /** Keys come sorted, and the token is the last key of the page: so keys that come and go do not disturb the paging. */
  async keysLike(request: KeysLikeRequest, options: OperationOptions): Promise<KeysLikeResult> {
    this.#check(options)
    const { pageSize, continuationToken: after } = request
    if (pageSize !== undefined && !(Number.isSafeInteger(pageSize) && pageSize > 0)) {
      throw new ComponentError('INVALID_ARGUMENT', `pageSize must be a whole number above 0, got ${pageSize}`)
    }
    const fits = likeMatcher(request.pattern)
    const now = this.#clock.now()
    const keys: string[] = []
    for (const [key, entry] of this.#entries) {
      if ((after === undefined || key > after) && entry.isLive(now) && fits(key)) keys.push(key)
    }
    keys.sort()
    if (pageSize === undefined || keys.length <= pageSize) return { keys }
    const page = keys.slice(0, pageSize)
    return { keys: page, continuationToken: page[pageSize - 1] }
  }

  async deleteWithPrefix(prefix: string, options: OperationOptions): Promise<number> {
    this.#check(options)
    const now = this.#clock.now()
    let count = 0
    for (const [key, entry] of this.#entries) {
      if (!key.startsWith(prefix)) continue
      if (entry.isLive(now)) count++
      this.#remove(key)
    }
    return count
  }

  ping(options: OperationOptions): Promise<void> {
    return this.#closed || options.signal?.aborted === true ? this.#refuse(options) : nothing
  }

  close(): Promise<void> {
    this.#closed = true
    this.#sweep?.cancel()
    this.#sweep = undefined
    this.#cursor = undefined
    this.#entries.clear()
    this.#expiring.clear()
    return nothing
  }

  #check(options: OperationOptions): void {
    throwIfAborted(options.signal)
    if (this.#closed) throw new ComponentError('CLOSED', 'the in-memory state store is closed')
  }

  async #refuse(options: OperationOptions): Promise<undefined> {
    this.#check(options)
    return undefined
  }

  #current(key: string, pending: Pending | undefined): Entry | undefined {
    if (pending?.has(key) === true) return pending.get(key)
    const entry = this.#entries.get(key)
    return entry?.isLive(this.#clock.now()) === true ? entry : undefined
  }

  /** The entry that a write makes, if it may happen. */
  #written(request: StateSetRequest, pending: Pending | undefined): Entry {
    const { key, etag, concurrency, ttlSeconds, value } = request
    if (etag !== undefined || concurrency === 'first-write') this.#checkEtag(key, etag, concurrency, pending)
    const expiresAtMs =
      ttlSeconds === undefined || ttlSeconds === 'never' ? undefined : this.#clock.now() + ttlSeconds * 1000
    return new Entry(owned(value), String(++this.#writes), expiresAtMs)
  }

  #checkDelete({ key, etag, concurrency }: StateDeleteRequest, pending: Pending | undefined): void {
    if (etag !== undefined || concurrency === 'first-write') this.#checkEtag(key, etag, concurrency, pending)
  }

  #checkEtag(
    key: string,
    etag: string | undefined,
    concurrency: Concurrency | undefined,
    pending: Pending | undefined,
  ): void {
    const current = this.#current(key, pending)
    if (etag !== undefined) {
      if (current?.etag === etag) return
      const found = current === undefined ? 'there is no value' : 'the value has another ETag'
      throw new ComponentError('ETAG_MISMATCH', `key ${key}: ${found}`)
    }
    if (concurrency === 'first-write' && current !== undefined) {
      throw new ComponentError('ETAG_MISMATCH', `key ${key}: there is a value already, and no ETag was given`)
    }
  }

  #put(key: string, entry: Entry): void {
    this.#entries.set(key, entry)
    if (entry.expiresAtMs !== undefined) {
      this.#expiring.add(key)
      this.#sweep ??= this.#clock.schedule(sweepEveryMs, this.#sweepNow)
    } else if (this.#expiring.size > 0) {
      this.#expiring.delete(key)
    }
  }

  #remove(key: string): void {
    this.#entries.delete(key)
    if (this.#expiring.size > 0) this.#expiring.delete(key)
  }

  /** Reads leave expired values out by themselves; the sweep gives back the memory of those that nobody reads. */
  readonly #sweepNow = (): void => {
    this.#sweep = undefined
    const now = this.#clock.now()
    this.#cursor ??= this.#expiring.values()
    for (let count = 0; count < sweepAtMost; count++) {
      const { done, value: key } = this.#cursor.next()
      if (done === true) {
        this.#cursor = undefined
        break
      }
      if (this.#entries.get(key)?.isLive(now) === false) this.#remove(key)
    }
    if (this.#expiring.size > 0) this.#sweep = this.#clock.schedule(sweepEveryMs, this.#sweepNow)
  }
}
