import type { ComponentDefinition, DefinitionInput } from '../definition.ts'
import type { LiveComponent, OperationOptions } from '../operation.ts'

/** `list`: instances can be listed. */
export type WorkflowBackendCapability = 'list'

/**
 * What a backend keeps of one instance. History and inbox events are opaque bytes (serialised history events);
 * the engine reads and writes them, a backend only keeps them in order.
 */
export interface WorkflowState {
  readonly history: readonly Uint8Array[]
  readonly inbox: readonly Uint8Array[]
  readonly customStatus?: Uint8Array | undefined
  /** Counts continue-as-new. */
  readonly generation: number
  /** Opaque; guards `commit`. */
  readonly etag: string
}

export interface WorkflowWorkItem {
  readonly kind: 'workflow' | 'activity'
  readonly instanceId: string
  /** The event that started the activity; absent for workflows. */
  readonly event?: Uint8Array | undefined
  /** Names the lease; every call about this item carries it. */
  readonly lease: string
}

/** Everything that one workflow turn changes: written whole or not at all. */
export interface WorkflowCommit {
  readonly instanceId: string
  readonly lease: string
  readonly etag: string
  /** History to append; with `resetHistory` what was there goes first. */
  readonly history: readonly Uint8Array[]
  readonly resetHistory?: boolean | undefined
  /** How many events of the inbox this turn has consumed. */
  readonly consumedInbox: number
  readonly customStatus?: Uint8Array | undefined
  readonly generation: number
  readonly activities: readonly { readonly event: Uint8Array; readonly dueAtMs?: number | undefined }[]
  readonly timers: readonly { readonly event: Uint8Array; readonly dueAtMs: number }[]
  readonly messages: readonly { readonly instanceId: string; readonly event: Uint8Array }[]
  /** The instance has ended; it stays readable until purged. */
  readonly ended?: boolean | undefined
}

/** Keeps workflow instances and hands out their work, at least once, one turn of an instance at a time. */
export interface WorkflowBackend extends LiveComponent {
  readonly capabilities: ReadonlySet<WorkflowBackendCapability>
  /** `ALREADY_EXISTS` unless `replaceEnded` and the old instance has ended. */
  create(
    request: {
      readonly instanceId: string
      readonly event: Uint8Array
      readonly startAtMs?: number | undefined
      readonly replaceEnded?: boolean | undefined
    },
    options: OperationOptions,
  ): Promise<void>
  load(instanceId: string, options: OperationOptions): Promise<WorkflowState | undefined>
  /** Adds to the inbox and makes the instance due. `NOT_FOUND` where there is none. */
  send(instanceId: string, event: Uint8Array, options: OperationOptions): Promise<void>
  /** Waits for the next item until the signal aborts, then resolves to undefined. */
  next(kind: 'workflow' | 'activity', options: OperationOptions): Promise<WorkflowWorkItem | undefined>
  /** Keeps a lease alive; false when it was lost. */
  extend(item: WorkflowWorkItem, options: OperationOptions): Promise<boolean>
  commit(commit: WorkflowCommit, options: OperationOptions): Promise<void>
  completeActivity(item: WorkflowWorkItem, result: Uint8Array, options: OperationOptions): Promise<void>
  /** Gives an item back: someone else gets it, not before `delayMs`. */
  abandon(item: WorkflowWorkItem, delayMs: number, options: OperationOptions): Promise<void>
  /** Removes an ended instance; false where there was none. */
  purge(instanceId: string, options: OperationOptions): Promise<boolean>
  list?(
    request: { readonly pageSize?: number | undefined; readonly continuationToken?: string | undefined },
    options: OperationOptions,
  ): Promise<{ readonly instanceIds: readonly string[]; readonly continuationToken?: string | undefined }>
}

export const workflowBackendContract = 'workflowbackend/0'
export type WorkflowBackendDefinition = ComponentDefinition<
  typeof workflowBackendContract,
  WorkflowBackendCapability,
  WorkflowBackend
>

export function defineWorkflowBackend<V extends object>(
  definition: DefinitionInput<V, WorkflowBackendCapability, WorkflowBackend>,
): WorkflowBackendDefinition {
  return { contract: workflowBackendContract, ...definition } as WorkflowBackendDefinition
}
