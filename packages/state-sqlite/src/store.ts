import type { Database } from '@outrigger/common-sqlite'
import {
  ComponentError,
  type Clock,
  type KeysLikeRequest,
  type KeysLikeResult,
  type OperationOptions,
  type Random,
  type StateBulkFailure,
  type StateBulkGetResult,
  type StateCapability,
  type StateDeleteRequest,
  type StateGetRequest,
  type StateItem,
  type StateOperation,
  type StateSetRequest,
  type StateStore,
  type StateTransaction,
} from '@outrigger/spec'
import { likeToGlob, prefixToGlob } from './like.ts'
import { decodeRow, encodeValue, toTimestamp, type StateRow } from './row.ts'
import { ownFailure } from './schema.ts'
import type { Statements } from './statements.ts'
import type { Sweeper } from './sweeper.ts'

export const capabilities = [
  'etag',
  'transactional',
  'ttl',
  'keysLike',
  'deleteWithPrefix',
  'actor',
] as const satisfies readonly StateCapability[]

/** Keys of one SELECT, and writes of one transaction: the event loop waits for as long as these take. */
const bulkChunk = 1000
const largestPage = 10_000

/** Keeps state in one table of a database file. */
export class SqliteStore implements StateStore {
  readonly capabilities: ReadonlySet<StateCapability> = new Set(capabilities)
  readonly #database: Database
  readonly #statements: Statements
  readonly #clock: Clock
  readonly #random: Random
  readonly #sweeper: Sweeper

  constructor(
    database: Database,
    statements: Statements,
    time: { clock: Clock; random: Random },
    sweeper: Sweeper,
  ) {
    this.#database = database
    this.#statements = statements
    this.#clock = time.clock
    this.#random = time.random
    this.#sweeper = sweeper
  }

  get(request: StateGetRequest, { signal }: OperationOptions): Promise<StateItem | undefined> {
    return this.#database.read(() => {
      const row = this.#statements.get.get({ key: checkKey(request.key), now: this.#now() })
      return row === undefined ? undefined : decodeRow(row as unknown as StateRow)
    }, signal)
  }

  async bulkGet(
    requests: readonly StateGetRequest[],
    { signal }: OperationOptions,
  ): Promise<readonly StateBulkGetResult[]> {
    const results: StateBulkGetResult[] = []
    for (const chunk of chunks(requests)) {
      const found = await this.#database.read(() => {
        const keys = JSON.stringify(chunk.map((request) => checkKey(request.key)))
        const rows = this.#statements.getMany.all({ keys, now: this.#now() }) as unknown as StateRow[]
        return new Map(rows.map((row) => [row.key, row]))
      }, signal)
      for (const { key } of chunk) {
        const row = found.get(key)
        results.push(row === undefined ? { key } : { key, item: decodeRow(row) })
      }
    }
    return results
  }

  set(request: StateSetRequest, { signal }: OperationOptions): Promise<void> {
    return this.#database.write(() => this.#set(request), { signal, single: true })
  }

  delete(request: StateDeleteRequest, { signal }: OperationOptions): Promise<void> {
    return this.#database.write(() => this.#delete(request), { signal, single: true })
  }

  bulkSet(
    requests: readonly StateSetRequest[],
    options: OperationOptions,
  ): Promise<readonly StateBulkFailure[]> {
    return this.#bulk(requests, (request) => this.#set(request), options)
  }

  bulkDelete(
    requests: readonly StateDeleteRequest[],
    options: OperationOptions,
  ): Promise<readonly StateBulkFailure[]> {
    return this.#bulk(requests, (request) => this.#delete(request), options)
  }

  transact(transaction: StateTransaction, { signal }: OperationOptions): Promise<void> {
    const apply = (step: StateOperation): void =>
      step.operation === 'upsert' ? this.#set(step.request) : this.#delete(step.request)
    return this.#database.write(() => transaction.operations.forEach(apply), { signal })
  }

  async keysLike(request: KeysLikeRequest, { signal }: OperationOptions): Promise<KeysLikeResult> {
    if (request.pattern === '')
      throw new ComponentError('INVALID_ARGUMENT', 'the pattern of keys must not be empty')
    const limit = Math.min(Math.max(1, request.pageSize ?? largestPage), largestPage)
    const parameters = {
      pattern: likeToGlob(request.pattern),
      after: Buffer.from(request.continuationToken ?? '', 'base64url').toString(),
      now: this.#now(),
      // One more than asked for tells whether there is another page.
      limit: limit + 1,
    }
    const found = await this.#database.read(() => this.#statements.keys.all(parameters), signal)
    const keys = found.slice(0, limit).map((row) => row['key'] as string)
    if (found.length <= limit) return { keys }
    return { keys, continuationToken: Buffer.from(keys.at(-1)!).toString('base64url') }
  }

  async deleteWithPrefix(prefix: string, { signal }: OperationOptions): Promise<number> {
    if (prefix === '') throw new ComponentError('INVALID_ARGUMENT', 'the prefix of keys must not be empty')
    const pattern = prefixToGlob(prefix)
    let deleted = 0
    for (;;) {
      const parameters = { pattern, now: this.#now() }
      const rows = await this.#database.write(() => this.#statements.deletePrefix.all(parameters), { signal })
      if (rows.length === 0) return deleted
      deleted += rows.filter((row) => row['live'] === 1).length
    }
  }

  async ping({ signal }: OperationOptions): Promise<void> {
    await this.#database.read(() => this.#statements.one.get(), signal)
  }

  close(): Promise<void> {
    this.#sweeper.stop()
    return this.#database.close()
  }

  #now(): string {
    return toTimestamp(this.#clock.now())
  }

  #set(request: StateSetRequest): void {
    const nowMs = this.#clock.now()
    const { ttlSeconds } = request
    const row = {
      key: checkKey(request.key),
      ...encodeValue(request.value),
      etag: this.#random.uuid(),
      // Without a time to live there is no expiry, and one that was there goes away.
      expiration: typeof ttlSeconds === 'number' ? toTimestamp(nowMs + ttlSeconds * 1000) : null,
      now: toTimestamp(nowMs),
    }
    if (hasEtag(request)) {
      const { changes } = this.#statements.update.run({ ...row, current: request.etag })
      if (changes === 0) throw mismatch(request.key)
    } else if (request.concurrency === 'first-write') {
      if (this.#statements.insertFirst.run(row).changes === 0) throw mismatch(request.key)
    } else {
      this.#statements.upsert.run(row)
    }
  }

  #delete(request: StateDeleteRequest): void {
    const key = checkKey(request.key)
    if (!hasEtag(request)) {
      this.#statements.delete.run(key)
      return
    }
    const { changes } = this.#statements.deleteCurrent.run({ key, current: request.etag, now: this.#now() })
    if (changes === 0) throw mismatch(key)
  }

  /** Each request is one statement, so one that fails leaves the others of its transaction alone. */
  async #bulk<R extends { readonly key: string }>(
    requests: readonly R[],
    apply: (request: R) => void,
    { signal }: OperationOptions,
  ): Promise<readonly StateBulkFailure[]> {
    const failures: StateBulkFailure[] = []
    for (const chunk of chunks(requests)) {
      const failed = await this.#database.write(
        () =>
          chunk.flatMap((request): StateBulkFailure[] => {
            try {
              apply(request)
              return []
            } catch (thrown) {
              const error = ownFailure(thrown, this.#database)
              if (error === undefined) throw thrown
              return [{ key: request.key, error }]
            }
          }),
        { signal },
      )
      failures.push(...failed)
    }
    return failures
  }
}

function* chunks<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += bulkChunk) yield items.slice(start, start + bulkChunk)
}

function hasEtag<R extends { readonly etag?: string | undefined }>(
  request: R,
): request is R & { readonly etag: string } {
  return request.etag !== undefined && request.etag !== ''
}

function checkKey(key: string): string {
  if (key === '') throw new ComponentError('INVALID_ARGUMENT', 'the key must not be empty')
  return key
}

function mismatch(key: string): ComponentError {
  return new ComponentError('ETAG_MISMATCH', `the ETag of key ${JSON.stringify(key)} is not the current one`)
}
