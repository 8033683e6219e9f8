import { StateOptions_StateConcurrency, StateOptions_StateConsistency } from '@outrigger/proto/common'
import type { StateItem as StateMessage, StateOptions } from '@outrigger/proto/common'
import type { Concurrency, Consistency, Metadata, StateItem } from '@outrigger/spec'
import { ApiError } from '../api-error.ts'
import { optionsOf, required, sendMetadata, type DaprHandlers } from '../grpc-call.ts'
import type { DeleteItem, SaveItem, StateHandler, TransactionItem } from './handler.ts'

type StateMethods =
  | 'getState'
  | 'getBulkState'
  | 'saveState'
  | 'deleteState'
  | 'deleteBulkState'
  | 'executeStateTransaction'

/** The state methods of the gRPC API. */
export function stateMethods(handler: StateHandler): Required<Pick<DaprHandlers, StateMethods>> {
  return {
    async getState({ storeName, key, consistency, metadata }, call) {
      const item = await handler.get(storeName, key, consistencyOf(consistency), metadata, optionsOf(call))
      if (item === undefined) return {}
      const answered = metadataOf(item)
      sendMetadata(call, answered)
      return { data: item.value.bytes, etag: item.etag ?? '', metadata: answered }
    },
    async getBulkState({ storeName, keys, parallelism, metadata }, call) {
      const results = await handler.getBulk(storeName, keys, parallelism, metadata, optionsOf(call))
      return {
        items: results.map(({ key, item, error }) => ({
          key,
          data: item?.value.bytes ?? new Uint8Array(0),
          etag: item?.etag ?? '',
          error: error?.message ?? '',
          metadata: item === undefined ? {} : metadataOf(item),
        })),
      }
    },
    async saveState({ storeName, states }, call) {
      await handler.save(storeName, states.map(saveItem), optionsOf(call))
      return {}
    },
    async deleteState({ storeName, key, etag, options, metadata }, call) {
      const item = { key, etag: etag?.value || undefined, metadata, ...optionsIn(options) }
      await handler.delete(storeName, item, optionsOf(call))
      return {}
    },
    async deleteBulkState({ storeName, states }, call) {
      await handler.deleteBulk(storeName, states.map(deleteItem), optionsOf(call))
      return {}
    },
    async executeStateTransaction({ storeName, operations, metadata }, call) {
      const items = operations.map(({ operationType, request }, index): TransactionItem => {
        const message = required(request, `operations[${index}].request`)
        if (operationType === 'upsert') return { operation: operationType, request: saveItem(message) }
        if (operationType === 'delete') return { operation: operationType, request: deleteItem(message) }
        throw new ApiError('STATE_OPERATION_NOT_SUPPORTED', `operation type ${operationType} not supported`)
      })
      await handler.transact(storeName, items, metadata, optionsOf(call))
      return {}
    },
  }
}

/** Those of its alpha version. */
export function stateAlphaMethods(handler: StateHandler): Required<Pick<DaprHandlers, 'queryStateAlpha1'>> {
  return {
    async queryStateAlpha1({ storeName, query, metadata }, call) {
      const found = await handler.query(storeName, query, metadata, optionsOf(call))
      return {
        results: found.results.map(({ key, item }) => ({
          key,
          data: item.value.bytes,
          etag: item.etag ?? '',
          error: '',
        })),
        token: found.token ?? '',
        metadata: { ...found.metadata },
      }
    },
  }
}

function metadataOf(item: StateItem): Record<string, string> {
  const metadata: Record<string, string> = { ...item.metadata }
  if (item.expiresAtMs !== undefined) metadata['ttlExpireTime'] = new Date(item.expiresAtMs).toISOString()
  return metadata
}

/** An item to be saved, of a message. */
export function saveItem(message: StateMessage): SaveItem {
  const contentType = message.metadata['contentType'] || undefined
  return { ...deleteItem(message), value: { bytes: message.value, kind: 'binary', contentType } }
}

function deleteItem({ key, etag, metadata, options }: StateMessage): DeleteItem {
  return { key, etag: etag?.value || undefined, metadata: metadata as Metadata, ...optionsIn(options) }
}

function optionsIn(options: StateOptions | undefined): Pick<SaveItem, 'concurrency' | 'consistency'> {
  if (options === undefined) return {}
  return { concurrency: concurrencyOf(options.concurrency), consistency: consistencyOf(options.consistency) }
}

function consistencyOf(value: StateOptions_StateConsistency): Consistency | undefined {
  if (value === StateOptions_StateConsistency.CONSISTENCY_STRONG) return 'strong'
  return value === StateOptions_StateConsistency.CONSISTENCY_EVENTUAL ? 'eventual' : undefined
}

function concurrencyOf(value: StateOptions_StateConcurrency): Concurrency | undefined {
  if (value === StateOptions_StateConcurrency.CONCURRENCY_FIRST_WRITE) return 'first-write'
  return value === StateOptions_StateConcurrency.CONCURRENCY_LAST_WRITE ? 'last-write' : undefined
}
