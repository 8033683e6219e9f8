import type { StateBulkFailure, StateBulkGetResult, StateStore } from '@outrigger/spec'
import { Guard } from './guard.ts'
import { guardItems } from './guard-items.ts'
import type { Policy } from '../resiliency/policy.ts'

const keyOf = ({ key }: { readonly key: string }): string => key
const failure = ({ key }: { readonly key: string }, error: Error): StateBulkFailure => ({ key, error })

/** A store whose operations are made as a policy says. Of bulk operations only the keys that failed are tried again. */
export function guardedState(store: StateStore, policy: Policy): StateStore {
  const guard = new Guard(policy)
  const { bulkGet, bulkSet, bulkDelete, transact, query, keysLike, deleteWithPrefix, ping } = store
  return {
    capabilities: store.capabilities,
    maxTransactionOperations: store.maxTransactionOperations,
    get: (request, options) => guard.run(options, (own) => store.get(request, own)),
    set: (request, options) => guard.run(options, (own) => store.set(request, own)),
    delete: (request, options) => guard.run(options, (own) => store.delete(request, own)),
    ...(bulkGet && {
      bulkGet: async (requests, options) => {
        const found = new Map<string, StateBulkGetResult>()
        const failures = await guardItems<(typeof requests)[number], StateBulkGetResult & { error: Error }>(
          guard,
          options,
          {
            requests,
            idOf: keyOf,
            idOfFailure: keyOf,
            failure,
            call: async (some, own) => {
              const results = await bulkGet.call(store, some, own)
              for (const result of results) if (result.error === undefined) found.set(result.key, result)
              return results.filter((result) => result.error !== undefined) as (StateBulkGetResult & {
                error: Error
              })[]
            },
          },
        )
        for (const failed of failures) found.set(failed.key, failed)
        return requests.map(({ key }) => found.get(key) ?? { key })
      },
    }),
    ...(bulkSet && {
      bulkSet: (requests, options) =>
        guardItems(guard, options, {
          requests,
          idOf: keyOf,
          idOfFailure: keyOf,
          failure,
          call: (some, own) => bulkSet.call(store, some, own),
        }),
    }),
    ...(bulkDelete && {
      bulkDelete: (requests, options) =>
        guardItems(guard, options, {
          requests,
          idOf: keyOf,
          idOfFailure: keyOf,
          failure,
          call: (some, own) => bulkDelete.call(store, some, own),
        }),
    }),
    ...(transact && {
      transact: (transaction, options) => guard.run(options, (own) => transact.call(store, transaction, own)),
    }),
    ...(query && {
      query: (request, metadata, options) =>
        guard.run(options, (own) => query.call(store, request, metadata, own)),
    }),
    ...(keysLike && {
      keysLike: (request, options) => guard.run(options, (own) => keysLike.call(store, request, own)),
    }),
    ...(deleteWithPrefix && {
      deleteWithPrefix: (prefix, options) =>
        guard.run(options, (own) => deleteWithPrefix.call(store, prefix, own)),
    }),
    ...(ping && { ping: (options) => ping.call(store, options) }),
    close: () => store.close(),
  }
}
