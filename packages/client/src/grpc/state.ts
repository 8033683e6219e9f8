import { StateOptions_StateConcurrency, StateOptions_StateConsistency } from '@outrigger/proto/common'
import type { Concurrency, Consistency } from '@outrigger/spec'
import { dateOf } from '../http/state.ts'
import { StateItem, type StatePort, type StateRemoval, type StateWrite } from '../sections/state.ts'
import { bytesOf } from '../values.ts'
import type { GrpcCaller } from './caller.ts'

export function grpcState(caller: GrpcCaller): StatePort {
  return {
    async get(storeName, key, options) {
      const request = {
        storeName,
        key,
        consistency: consistencyOf(options.consistency),
        metadata: { ...options.metadata },
      }
      const { data, etag, metadata } = await caller.call(
        (dapr, rest) => dapr.getState(request, rest),
        options,
      )
      return itemOf(key, data, etag, metadata)
    },
    async getBulk(storeName, keys, options) {
      const { parallelism = 0, metadata } = options
      const request = { storeName, keys: [...keys], parallelism, metadata: { ...metadata } }
      const { items } = await caller.call((dapr, rest) => dapr.getBulkState(request, rest), options)
      return items.map(({ key, data, etag, error, metadata: answered }) => ({
        key,
        item: error === '' ? itemOf(key, data, etag, answered) : undefined,
        error: error === '' ? undefined : error,
      }))
    },
    async save(storeName, writes, options) {
      const states = writes.map((write) => {
        const message = writeOf(write)
        return { ...message, metadata: { ...options.metadata, ...message.metadata } }
      })
      await caller.call((dapr, rest) => dapr.saveState({ storeName, states }, rest), options)
    },
    async delete(storeName, removal, options) {
      await caller.call((dapr, rest) => dapr.deleteState({ storeName, ...removalOf(removal) }, rest), options)
    },
    async transact(storeName, changes, options) {
      const operations = changes.map(({ operation, request }) => ({
        operationType: operation,
        request: operation === 'upsert' ? writeOf(request as StateWrite) : removalOf(request),
      }))
      const request = { storeName, operations, metadata: { ...options.metadata } }
      await caller.call((dapr, rest) => dapr.executeStateTransaction(request, rest), options)
    },
    async query(storeName, query, options) {
      const request = { storeName, query, metadata: { ...options.metadata } }
      const { results, token } = await caller.call(
        (dapr, rest) => dapr.queryStateAlpha1(request, rest),
        options,
      )
      return {
        results: results.map(({ key, data, etag }) => new StateItem(key, data, etag || undefined)),
        token: token || undefined,
      }
    },
  }
}

/** What is empty and has no ETag is not there. */
function itemOf(
  key: string,
  data: Uint8Array,
  etag: string,
  metadata: Readonly<Record<string, string>>,
): StateItem | undefined {
  if (data.length === 0 && etag === '') return undefined
  return new StateItem(key, data, etag || undefined, dateOf(metadata['ttlExpireTime']))
}

function writeOf(write: StateWrite) {
  const { contentType, metadata } = write
  return {
    ...removalOf(write),
    value: bytesOf(write.value),
    metadata: contentType === undefined ? { ...metadata } : { ...metadata, contentType },
  }
}

function removalOf({ key, etag, concurrency, consistency, metadata }: StateRemoval) {
  return {
    key,
    ...(etag !== undefined && { etag: { value: etag } }),
    options: { concurrency: concurrencyOf(concurrency), consistency: consistencyOf(consistency) },
    metadata: { ...metadata },
  }
}

function concurrencyOf(value: Concurrency | undefined): StateOptions_StateConcurrency {
  if (value === 'first-write') return StateOptions_StateConcurrency.CONCURRENCY_FIRST_WRITE
  if (value === 'last-write') return StateOptions_StateConcurrency.CONCURRENCY_LAST_WRITE
  return StateOptions_StateConcurrency.CONCURRENCY_UNSPECIFIED
}

function consistencyOf(value: Consistency | undefined): StateOptions_StateConsistency {
  if (value === 'strong') return StateOptions_StateConsistency.CONSISTENCY_STRONG
  if (value === 'eventual') return StateOptions_StateConsistency.CONSISTENCY_EVENTUAL
  return StateOptions_StateConsistency.CONSISTENCY_UNSPECIFIED
}
