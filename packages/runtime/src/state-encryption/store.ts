import {
  ComponentError,
  isComponentError,
  type Metadata,
  type StateBulkGetResult,
  type StateItem,
  type StateOperation,
  type StateSetRequest,
  type StateStore,
} from '@outrigger/spec'
import type { ValueCipher } from './values.ts'

/** What is stored is no JSON, whatever the value was: stores must not try to keep it as a document. */
function opaque<R extends { readonly metadata: Metadata }>(request: R): R {
  if (request.metadata['contentType'] === undefined) return request
  const { contentType: _, ...metadata } = request.metadata
  return { ...request, metadata }
}

/** A request whose value is encrypted. */
export function encryptedRequest(request: StateSetRequest, cipher: ValueCipher): StateSetRequest {
  const { bytes, contentType } = request.value
  return { ...opaque(request), value: { bytes: cipher.encrypt(bytes), kind: 'binary', contentType } }
}

export function encryptedOperation(operation: StateOperation, cipher: ValueCipher): StateOperation {
  if (operation.operation === 'delete') return { operation: 'delete', request: opaque(operation.request) }
  return { operation: 'upsert', request: encryptedRequest(operation.request, cipher) }
}

/** A store that holds its values encrypted. Keys, ETags and expiry stay in the clear; there are no queries. */
export function withEncryption(store: StateStore, storeName: string, cipher: ValueCipher): StateStore {
  const encrypted = (request: StateSetRequest): StateSetRequest => encryptedRequest(request, cipher)
  const decrypted = (item: StateItem): StateItem => {
    const { bytes, contentType } = item.value
    // The format does not say what the value was; readers of `binary` find JSON where it is some.
    const value = { bytes: cipher.decrypt(bytes), kind: 'binary', contentType } as const
    return { value, etag: item.etag, expiresAtMs: item.expiresAtMs, metadata: item.metadata }
  }
  const decryptedResult = (result: StateBulkGetResult): StateBulkGetResult => {
    if (result.item === undefined) return result
    try {
      return { key: result.key, item: decrypted(result.item) }
    } catch (error) {
      if (!isComponentError(error)) throw error
      return { key: result.key, error }
    }
  }
  const { bulkGet, bulkSet, bulkDelete, transact, query, keysLike, deleteWithPrefix, ping } = store
  return {
    capabilities: new Set([...store.capabilities].filter((capability) => capability !== 'query')),
    maxTransactionOperations: store.maxTransactionOperations,
    get: async (request, options) => {
      const item = await store.get(opaque(request), options)
      return item === undefined ? undefined : decrypted(item)
    },
    // Async, so that what is thrown becomes a rejection.
    set: async (request, options) => store.set(encrypted(request), options),
    delete: (request, options) => store.delete(opaque(request), options),
    ...(bulkGet && {
      bulkGet: async (requests, options) =>
        (await bulkGet.call(store, requests.map(opaque), options)).map(decryptedResult),
    }),
    ...(bulkSet && {
      bulkSet: async (requests, options) => bulkSet.call(store, requests.map(encrypted), options),
    }),
    ...(bulkDelete && {
      bulkDelete: (requests, options) => bulkDelete.call(store, requests.map(opaque), options),
    }),
    ...(transact && {
      transact: async (transaction, options) =>
        transact.call(
          store,
          {
            metadata: opaque(transaction).metadata,
            operations: transaction.operations.map((operation) => encryptedOperation(operation, cipher)),
          },
          options,
        ),
    }),
    ...(query && {
      // Not left out: callers learn that it is the encryption that is in the way, as from Dapr.
      query: async () => {
        throw new ComponentError('UNSUPPORTED', `cannot query encrypted store ${storeName}`)
      },
    }),
    ...(keysLike && { keysLike: (request, options) => keysLike.call(store, request, options) }),
    ...(deleteWithPrefix && {
      deleteWithPrefix: (prefix, options) => deleteWithPrefix.call(store, prefix, options),
    }),
    ...(ping && { ping: (options) => ping.call(store, options) }),
    close: () => store.close(),
  }
}
