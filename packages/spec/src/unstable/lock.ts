import type { ComponentDefinition, DefinitionInput } from '../definition.ts'
import type { LiveComponent, OperationOptions } from '../operation.ts'

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
  readonly resourceId: string
  readonly owner: string
}

export type UnlockStatus = 'success' | 'lock-does-not-exist' | 'lock-belongs-to-others'

export interface LockStore extends LiveComponent {
  readonly capabilities: ReadonlySet<LockCapability>
  /** False when anyone holds it, its owner included. Never waits. */
  tryLock(request: TryLockRequest, options: OperationOptions): Promise<boolean>
  unlock(request: UnlockRequest, options: OperationOptions): Promise<UnlockStatus>
}

export const lockContract = 'lock/0'
export type LockStoreDefinition = ComponentDefinition<typeof lockContract, LockCapability, LockStore>

export function defineLockStore<V extends object>(
  definition: DefinitionInput<V, LockCapability, LockStore>,
): LockStoreDefinition {
  return { contract: lockContract, ...definition } as LockStoreDefinition
}
