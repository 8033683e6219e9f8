import { noOptions, type CallOptions } from '../call.ts'
import { clientError } from '../error.ts'
import { required } from '../values.ts'

export interface LockRequest {
  readonly resourceId: string
  /** Chosen by the caller, different for each holder. */
  readonly owner: string
}

export interface TryLockRequest extends LockRequest {
  /** Whole seconds after which the lock is free by itself. */
  readonly expirySeconds: number
}

/** In the order of the numbers that stand for them in Dapr's protocol. */
export const unlockStatuses = [
  'success',
  'lock-does-not-exist',
  'lock-belongs-to-others',
  'internal-error',
] as const
export type UnlockResult = (typeof unlockStatuses)[number]

export interface LockPort {
  tryLock(store: string, request: TryLockRequest, options: CallOptions): Promise<boolean>
  unlock(store: string, request: LockRequest, options: CallOptions): Promise<UnlockResult>
}

/** Locks that are shared by processes; alpha. */
export class LockClient {
  readonly #port: LockPort

  constructor(port: LockPort) {
    this.#port = port
  }

  /** Whether the lock is now the owner's. Never waits. */
  async tryLock(store: string, request: TryLockRequest, options: CallOptions = noOptions): Promise<boolean> {
    check(store, request)
    const { expirySeconds } = request
    if (!Number.isSafeInteger(expirySeconds) || expirySeconds <= 0 || expirySeconds >= 2 ** 31) {
      const problem = `expirySeconds must be a whole number above 0; it is ${expirySeconds}`
      throw clientError('ERR_CLIENT_ARGUMENT', problem)
    }
    return this.#port.tryLock(store, request, options)
  }

  async unlock(store: string, request: LockRequest, options: CallOptions = noOptions): Promise<UnlockResult> {
    check(store, request)
    return this.#port.unlock(store, request, options)
  }
}

function check(store: string, { resourceId, owner }: LockRequest): void {
  required(store, 'the name of the store')
  required(resourceId, 'resourceId')
  required(owner, 'owner')
}

export function unlockResult(status: number): UnlockResult {
  return unlockStatuses[status] ?? 'internal-error'
}
