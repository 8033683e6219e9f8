import type {
  BindingResponse,
  ConfigurationChanges,
  ConfigurationItems,
  Concurrency,
  Consistency,
  Metadata,
  OperationOptions,
  Secret,
  StateBulkGetResult,
  StateItem,
  StateQueryResult,
  StateValue,
} from '@outrigger/spec'
import type { Body, Fields, FieldsInit } from '@outrigger/wire'

interface DeleteItem {
  readonly key: string
  readonly etag?: string | undefined
  readonly metadata?: Metadata | undefined
  readonly concurrency?: Concurrency | undefined
  readonly consistency?: Consistency | undefined
}

interface SaveItem extends DeleteItem {
  readonly value: StateValue
}

type TransactionItem =
  | { readonly operation: 'upsert'; readonly request: SaveItem }
  | { readonly operation: 'delete'; readonly request: DeleteItem }

interface PublishRequest {
  readonly pubsubName: string
  readonly topic: string
  readonly data: Uint8Array
  readonly contentType?: string | undefined
  readonly metadata: Metadata
}

interface BulkRequest {
  readonly pubsubName: string
  readonly topic: string
  readonly entries: readonly {
    readonly entryId: string
    readonly data: Uint8Array
    readonly contentType?: string | undefined
    readonly metadata: Metadata
  }[]
  readonly metadata: Metadata
}

interface EncryptRequest {
  readonly componentName: string
  readonly keyName: string
  readonly keyWrapAlgorithm: string
  readonly dataEncryptionCipher?: string | undefined
  readonly omitDecryptionKeyName?: boolean | undefined
  readonly decryptionKeyName?: string | undefined
  readonly data: AsyncIterable<Uint8Array>
}

interface AppRequest {
  readonly method: string
  readonly path: string
  readonly fields?: FieldsInit
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal
}

interface UnlockInput {
  readonly storeName: string
  readonly resourceId: string
  readonly lockOwner: string
}

type Bytes = AsyncIterable<Uint8Array>

/** What this client needs of a runtime in the same process: a `Runtime` of `@outrigger/runtime` has it. */
export interface InProcessRuntime {
  readonly appId: string
  /** `outbound` while components cannot be used, `application` while that is missing. */
  readonly unready: readonly string[]
  readonly api: {
    readonly state: {
      get(
        store: string,
        key: string,
        consistency: Consistency | undefined,
        metadata: Metadata,
        options: OperationOptions,
      ): Promise<StateItem | undefined>
      getBulk(
        store: string,
        keys: readonly string[],
        parallelism: number | undefined,
        metadata: Metadata,
        options: OperationOptions,
      ): Promise<readonly StateBulkGetResult[]>
      save(store: string, items: readonly SaveItem[], options: OperationOptions): Promise<void>
      delete(store: string, item: DeleteItem, options: OperationOptions): Promise<void>
      transact(
        store: string,
        items: readonly TransactionItem[],
        metadata: Metadata,
        options: OperationOptions,
      ): Promise<void>
      query(
        store: string,
        document: string,
        metadata: Metadata,
        options: OperationOptions,
      ): Promise<StateQueryResult>
    }
    readonly publish: {
      publish(request: PublishRequest, options: OperationOptions): Promise<void>
      publishBulk(
        request: BulkRequest,
        options: OperationOptions,
      ): Promise<readonly { readonly entryId: string; readonly error: Error }[]>
    }
    readonly bindings: {
      invoke(
        request: {
          readonly name: string
          readonly operation: string
          readonly data: Uint8Array
          readonly metadata: Metadata
        },
        options: OperationOptions,
      ): Promise<BindingResponse>
    }
    readonly secrets: {
      get(store: string, name: string, metadata: Metadata, options: OperationOptions): Promise<Secret>
      getBulk(
        store: string,
        metadata: Metadata,
        options: OperationOptions,
      ): Promise<Readonly<Record<string, Secret>>>
    }
    readonly configuration: {
      get(
        store: string,
        keys: readonly string[],
        metadata: Metadata,
        options: OperationOptions,
      ): Promise<ConfigurationItems>
      subscribe(
        store: string,
        keys: readonly string[],
        metadata: Metadata,
        listener: (id: string, changes: ConfigurationChanges, signal: AbortSignal) => Promise<void> | void,
        options: OperationOptions,
      ): Promise<{ readonly id: string; readonly ended: Promise<void> }>
      unsubscribe(store: string, id: string): void
    }
    readonly lock: {
      tryLock(
        input: UnlockInput & { readonly expiryInSeconds: number },
        options: OperationOptions,
      ): Promise<boolean>
      unlock(
        input: UnlockInput,
        options: OperationOptions,
      ): Promise<'success' | 'lock-does-not-exist' | 'lock-belongs-to-others'>
    }
    readonly crypto: {
      encrypt(request: EncryptRequest, options: OperationOptions): Promise<Bytes>
      decrypt(
        request: {
          readonly componentName: string
          readonly keyName?: string | undefined
          readonly data: Bytes
        },
        options: OperationOptions,
      ): Promise<Bytes>
    }
    readonly invoke: {
      invoke(
        target: string,
        request: AppRequest,
      ): Promise<{ readonly status: number; readonly fields: Fields; readonly body: Body }>
    }
    readonly metadata: {
      get(): Record<string, unknown>
      set(key: string, value: string): void
    }
  }
  /** Resolves when everything ended; false when not everything did in time. */
  stop(): Promise<boolean>
}
