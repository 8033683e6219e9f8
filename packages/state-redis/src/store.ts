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
  type OperationOptions,
  type StateBulkFailure,
  type StateBulkGetResult,
  type StateCapability,
  type StateDeleteRequest,
  type StateGetRequest,
  type StateItem,
  type StateSetRequest,
  type StateStore,
  type StateTransaction,
} from '@outrigger/spec'
import { deleteArguments, mismatch, scriptArguments, setArguments } from './operations.ts'
import { deleteWithPrefix, keysLike } from './scan.ts'
import { applyLua } from './scripts.ts'

export interface StoreOptions {
  readonly client: RedisClient
  readonly capabilities: ReadonlySet<StateCapability>
  readonly logger: Logger
  readonly now: () => number
  readonly defaultTtlSeconds: number | undefined
  /** How many replicas a strong write waits for. */
  readonly replicas: number
  readonly waitMs: number
}

type Keyed = StateSetRequest | StateDeleteRequest

/** A state store on hashes. */
export class RedisStateStore implements StateStore {
  readonly capabilities: ReadonlySet<StateCapability>
  readonly #client: RedisClient
  readonly #options: StoreOptions
  readonly #apply: (args: readonly RedisArgument[], options?: SendOptions) => Promise<unknown>
  #replicasLate = false

  constructor(options: StoreOptions) {
    this.capabilities = options.capabilities
    this.#client = options.client
    this.#options = options
    this.#apply = options.client.script({ name: 'outriggerState', lua: applyLua })
  }

  async get({ key }: StateGetRequest, { signal }: OperationOptions): Promise<StateItem | undefined> {
    const options = { signal, repeatable: true }
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
    await this.#write(request, setArguments(request, this.#options.defaultTtlSeconds), options)
  }

  async delete(request: StateDeleteRequest, options: OperationOptions): Promise<void> {
    await this.#write(request, deleteArguments(request), options)
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

  async transact({ operations }: StateTransaction, { signal }: OperationOptions): Promise<void> {
    if (operations.length === 0) return
    const requests = operations.map(({ request }) => request)
    this.#checkSlots(requests)
    const reply = await this.#apply(scriptArguments(operations, this.#options.defaultTtlSeconds), { signal })
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

  async #write(request: Keyed, args: readonly RedisArgument[], { signal }: OperationOptions): Promise<void> {
    const reply = await this.#apply(args, { signal })
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
