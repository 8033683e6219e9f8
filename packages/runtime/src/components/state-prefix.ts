import type { StateBulkFailure, StateOperation, StateStore } from '@outrigger/spec'

const separator = '||'

/** What stands in front of every key of a store, from its `keyPrefix` metadata. Empty means nothing. */
export function keyPrefix(
  strategy: string | undefined,
  names: { readonly appId: string; readonly namespace: string; readonly storeName: string },
): string {
  // As in Dapr, which reads the same rows: in lower case, whatever was written.
  const word = strategy?.trim().toLowerCase() ?? ''
  switch (word) {
    case '':
    case 'appid':
      return names.appId + separator
    case 'name':
      return names.storeName + separator
    case 'namespace':
      return names.namespace === ''
        ? names.appId + separator
        : `${names.namespace}.${names.appId}${separator}`
    case 'none':
      return ''
    default:
      return word + separator
  }
}

/** An operation whose key stands behind `prefix`. */
export function withPrefix(operation: StateOperation, prefix: string): StateOperation {
  const { request } = operation
  return {
    operation: operation.operation,
    request: { ...request, key: prefix + request.key },
  } as StateOperation
}

/**
 * The key as the application knows it. A query may find rows that another prefix stands before: as in Dapr, what
 * follows the first separator is the key.
 */
function originalKey(key: string, prefix: string): string {
  if (key.startsWith(prefix)) return key.slice(prefix.length)
  return key.split(separator, 3)[1] ?? key
}

/** A store that sees every key behind `prefix`, and answers without it. */
export function withKeyPrefix(store: StateStore, prefix: string): StateStore {
  if (prefix === '') return store
  const add = <R extends { readonly key: string }>(request: R): R => ({
    ...request,
    key: prefix + request.key,
  })
  const strip = (key: string): string => (key.startsWith(prefix) ? key.slice(prefix.length) : key)
  const stripFailures = (failures: readonly StateBulkFailure[]): readonly StateBulkFailure[] =>
    failures.map((failure) => ({ key: strip(failure.key), error: failure.error }))

  const { bulkGet, bulkSet, bulkDelete, transact, query, keysLike, deleteWithPrefix, ping } = store
  return {
    capabilities: store.capabilities,
    maxTransactionOperations: store.maxTransactionOperations,
    get: (request, options) => store.get(add(request), options),
    set: (request, options) => store.set(add(request), options),
    delete: (request, options) => store.delete(add(request), options),
    ...(bulkGet && {
      bulkGet: async (requests, options) =>
        (await bulkGet.call(store, requests.map(add), options)).map((result) => ({
          ...result,
          key: strip(result.key),
        })),
    }),
    ...(bulkSet && {
      bulkSet: async (requests, options) =>
        stripFailures(await bulkSet.call(store, requests.map(add), options)),
    }),
    ...(bulkDelete && {
      bulkDelete: async (requests, options) =>
        stripFailures(await bulkDelete.call(store, requests.map(add), options)),
    }),
    ...(transact && {
      transact: (transaction, options) =>
        transact.call(
          store,
          {
            metadata: transaction.metadata,
            operations: transaction.operations.map((operation) => withPrefix(operation, prefix)),
          },
          options,
        ),
    }),
    ...(query && {
      query: async (request, metadata, options) => {
        const found = await query.call(store, request, metadata, options)
        return {
          ...found,
          results: found.results.map((result) => ({ ...result, key: originalKey(result.key, prefix) })),
        }
      },
    }),
    ...(keysLike && {
      keysLike: async (request, options) => {
        const literal = prefix.replaceAll(/[\\%_]/g, (character) => `\\${character}`)
        const found = await keysLike.call(store, { ...request, pattern: literal + request.pattern }, options)
        return { ...found, keys: found.keys.map(strip) }
      },
    }),
    ...(deleteWithPrefix && {
      deleteWithPrefix: (wanted, options) => deleteWithPrefix.call(store, prefix + wanted, options),
    }),
    ...(ping && { ping: (options) => ping.call(store, options) }),
    close: () => store.close(),
  }
}
