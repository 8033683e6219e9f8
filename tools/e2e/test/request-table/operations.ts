import type { ErrorId } from '@outrigger/runtime'

/** What can be asked of a sidecar, in whatever protocol. Bodies are texts, so that nothing is lost on the way. */
export type Operation =
  | { op: 'getState'; store: string; key: string; consistency?: string }
  | { op: 'saveState'; store: string; items: readonly Item[] }
  | { op: 'deleteState'; store: string; key: string; etag?: string; concurrency?: string }
  | { op: 'deleteBulkState'; store: string; items: readonly Item[] }
  | { op: 'getBulkState'; store: string; keys: readonly string[]; parallelism?: number }
  | { op: 'transact'; store: string; operations: readonly TransactionOperation[] }
  | { op: 'queryState'; store: string; query: string }
  | { op: 'publish'; pubsub: string; topic: string; data: string; contentType: string; metadata?: Texts }
  | { op: 'publishBulk'; pubsub: string; topic: string; entries: readonly Entry[] }
  | { op: 'invokeBinding'; name: string; operation: string; data: string; metadata?: Texts }
  | { op: 'getSecret'; store: string; key: string }
  | { op: 'getBulkSecret'; store: string }
  | { op: 'getConfiguration'; store: string; keys: readonly string[] }
  /** Subscribes and unsubscribes. */
  | { op: 'followConfiguration'; store: string; keys: readonly string[] }
  | { op: 'unsubscribeConfiguration'; store: string; id: string }
  | { op: 'tryLock'; store: string; resource: string; owner: string; expiry: number }
  | { op: 'unlock'; store: string; resource: string; owner: string }
  | { op: 'encrypt'; provider: string; key: string; algorithm: string; data: string }
  | { op: 'roundTrip'; provider: string; key: string; algorithm: string; data: string }
  | { op: 'decrypt'; provider: string; data: string }
  | { op: 'subtle'; method: SubtleMethod; provider: string; message: Texts }
  /** Subscribes by stream or in-process, and ends it. */
  | { op: 'subscribeTopic'; pubsub: string; topic: string }
  | { op: 'setMetadata'; key: string; value: string }
  | { op: 'getMetadata' }

export type SubtleMethod = 'getKey' | 'encrypt' | 'decrypt' | 'wrapKey' | 'unwrapKey' | 'sign' | 'verify'

export type Texts = Readonly<Record<string, string>>

export interface Item {
  readonly key: string
  /** JSON. */
  readonly value?: string
  readonly etag?: string
  readonly concurrency?: 'first-write' | 'last-write'
  readonly metadata?: Texts
}

export type TransactionOperation =
  | { readonly operation: 'upsert'; readonly item: Item }
  | { readonly operation: 'delete'; readonly item: Item }

export interface Entry {
  readonly entryId: string
  readonly data: string
  readonly contentType: string
}

/** A failure in the terms of one protocol. */
export interface Failure {
  readonly status?: number
  readonly errorCode?: string
  readonly grpc?: string
  readonly reason?: string
  /** Types of the details that came with it. */
  readonly details?: readonly string[] | undefined
  /** In-process: the row of the error table. */
  readonly id?: ErrorId
  readonly message: string
}

export type Answer = { readonly value: unknown } | { readonly failure: Failure }

export interface DriverOptions {
  /** Calls what has two names, versions or methods by the one that is not the first. */
  readonly otherNames?: boolean
  /** Gets the name of every gRPC method that is called, and method and path of every HTTP request. */
  readonly called?: Set<string>
}

/** One protocol of one sidecar. `undefined`: it does not have this operation. */
export interface Driver {
  readonly face: 'HTTP' | 'gRPC' | 'in-process'
  run(operation: Operation): Promise<Answer | undefined>
}

/**
 * A sidecar with every component; one without any; one with an application that listens, and one
 * that waits for its application; one whose servers are gone; one with components of the tests' own, which a genuine one does not have.
 */
export type Place = 'full' | 'empty' | 'served' | 'waiting' | 'broken' | 'own'

/** One line of the table. */
export interface Row {
  readonly name: string
  /** Runs before, and must succeed. */
  readonly given?: readonly Operation[]
  readonly when: Operation
  /** What comes back, in a form that all protocols share; or the row of the error table that says how it fails. */
  readonly value?: unknown
  readonly fails?: ErrorId
  /** What comes back over gRPC where the other protocols fail. */
  readonly grpc?: { readonly value: unknown }
  /** Which sidecar is asked; the full one unless said. */
  readonly at?: Place
  /** How the genuine sidecar answers otherwise, and that it may: the first words of a row of docs/compatibility.md. */
  readonly differs?: { readonly because: string; readonly on?: Driver['face'] }
}
