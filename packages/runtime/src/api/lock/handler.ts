import type { LockStore, Logger, OperationOptions, UnlockStatus } from '@outrigger/spec'
import { ApiError, failureText } from '../api-error.ts'

/** A store by its name, prefixing wrapped around it. */
export type LockStores = ReadonlyMap<string, { readonly instance: LockStore }>

export interface TryLockInput {
  readonly storeName: string
  /** Without the prefix. */
  readonly resourceId: string
  readonly lockOwner: string
  readonly expiryInSeconds: number
}

export interface UnlockInput {
  readonly storeName: string
  readonly resourceId: string
  readonly lockOwner: string
}

/** The lock operations, for every face of the runtime. */
export class LockHandler {
  readonly #stores: LockStores
  readonly #logger: Logger

  constructor(stores: LockStores, logger: Logger) {
    this.#stores = stores
    this.#logger = logger
  }

  /** Whether the lock is now the owner's; never waits. @throws ApiError MALFORMED_REQUEST, LOCK_STORE_*, TRY_LOCK */
  async tryLock(input: TryLockInput, options: OperationOptions): Promise<boolean> {
    const { storeName, resourceId, lockOwner, expiryInSeconds } = input
    if (!(expiryInSeconds > 0)) {
      throw new ApiError('MALFORMED_REQUEST', `ExpiryInSeconds is not positive in lock store ${storeName}`)
    }
    const store = this.#store(input)
    try {
      checkName(resourceId)
      return await store.tryLock({ resourceId, owner: lockOwner, expirySeconds: expiryInSeconds }, options)
    } catch (error) {
      throw this.#failed('TRY_LOCK', 'failed to try acquiring lock', error)
    }
  }

  /** @throws ApiError MALFORMED_REQUEST, LOCK_STORE_*, UNLOCK */
  async unlock(input: UnlockInput, options: OperationOptions): Promise<UnlockStatus> {
    const store = this.#store(input)
    try {
      checkName(input.resourceId)
      return await store.unlock({ resourceId: input.resourceId, owner: input.lockOwner }, options)
    } catch (error) {
      throw this.#failed('UNLOCK', 'failed to release lock', error)
    }
  }

  #store({ storeName, resourceId, lockOwner }: UnlockInput): LockStore {
    if (this.#stores.size === 0) {
      throw new ApiError('LOCK_STORE_NOT_CONFIGURED', 'lock store is not configured')
    }
    if (resourceId === '') {
      throw new ApiError('MALFORMED_REQUEST', `ResourceId is empty in lock store ${storeName}`)
    }
    if (lockOwner === '') {
      throw new ApiError('MALFORMED_REQUEST', `LockOwner is empty in lock store ${storeName}`)
    }
    const live = this.#stores.get(storeName)
    if (live !== undefined) return live.instance
    throw new ApiError('LOCK_STORE_NOT_FOUND', `lock store ${storeName} not found`)
  }

  #failed(id: 'TRY_LOCK' | 'UNLOCK', what: string, error: unknown): ApiError {
    if (error instanceof IllegalName) return new ApiError(id, `${what}: ${error.message}`)
    return new ApiError(id, `${what}: ${failureText(error, this.#logger, what)}`, { cause: error })
  }
}

/** A mistake of the caller that Dapr answers as a failure of the operation. */
class IllegalName extends Error {}

function checkName(resourceId: string): void {
  if (resourceId.includes('||')) {
    throw new IllegalName(`input key/keyPrefix '${resourceId}' can't contain '||'`)
  }
}
