import type { ComponentDefinition, DefinitionInput } from './definition.ts'
import type { LiveComponent, OperationOptions } from './operation.ts'

/** There are no optional abilities yet. */
export type LockCapability = never

export interface TryLockRequest {
  /** Complete name of what is locked, prefix included. */
  readonly resourceId: string
  readonly owner: string
  /** Whole seconds, above 0. The lock is free after this time. */
  readonly expirySeconds: number
}

export interface UnlockRequest {
  /** Complete name of what is locked, prefix included. */
  readonly resourceId: string
  readonly owner: string
}

/** What became of an unlock. Whether the lock was there and whose it was is decided in one step with freeing it. */
export type UnlockStatus = 'success' | 'lock-does-not-exist' | 'lock-belongs-to-others'

/** A lock store that is connected. */
export interface LockStore extends LiveComponent {
  readonly capabilities: ReadonlySet<LockCapability>
  /**
   * Whether the lock was free and is now the owner's. False when anyone holds it, the same owner included. Never waits.
   * When it rejects the lock may have been taken all the same; it is free after its time then.
   */
  tryLock(request: TryLockRequest, options: OperationOptions): Promise<boolean>
  unlock(request: UnlockRequest, options: OperationOptions): Promise<UnlockStatus>
}

export const lockContract = 'lock/1'
export type LockStoreDefinition = ComponentDefinition<typeof lockContract, LockCapability, LockStore>

/** Defines a lock store. A package default-exports the result. */
export function defineLockStore<V extends object>(
  definition: DefinitionInput<V, LockCapability, LockStore>,
): LockStoreDefinition {
  return { contract: lockContract, ...definition } as LockStoreDefinition
}
