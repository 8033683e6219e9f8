import { callsOf, type CallsOf } from '@outrigger/proto/call'
import { StateOptions_StateConcurrency as Concurrency } from '@outrigger/proto/common'
import { Dapr } from '@outrigger/proto/runtime'
import { detailsOf } from '@outrigger/proto/status'
import { GrpcChannel, grpcStatusName, isGrpcError } from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import { byKey, componentsOf, schemeOf, valuesOf } from './http-driver.ts'
import type { Driver, DriverOptions, Failure, Item, Operation } from './operations.ts'
import { plainAnswer, subtleOverGrpc } from './subtle.ts'

type Calls = CallsOf<typeof Dapr>

const otherNames: Partial<Record<keyof Calls, keyof Calls>> = {
  getConfiguration: 'getConfigurationAlpha1',
  subscribeConfiguration: 'subscribeConfigurationAlpha1',
  unsubscribeConfiguration: 'unsubscribeConfigurationAlpha1',
  bulkPublishEventAlpha1: 'bulkPublishEvent',
}

/** Speaks the gRPC API at a port. */
export function grpcDriver(port: number, options: DriverOptions = {}): Driver & { close(): void } {
  const client = createHttp2Client()
  const named = callsOf(Dapr, new GrpcChannel({ origin: `http://127.0.0.1:${port}`, client }))
  const calls = new Proxy(named, {
    get(target, property: keyof Calls) {
      const name = options.otherNames === true ? (otherNames[property] ?? property) : property
      options.called?.add(name)
      return target[name]
    },
  })
  return {
    face: 'gRPC',
    async run(operation) {
      try {
        return { value: await call(calls, operation) }
      } catch (error) {
        if (!isGrpcError(error)) throw error
        const { reason, resource, violations, help } = detailsOf(error)
        const details = [
          ...(reason === undefined ? [] : ['ErrorInfo']),
          ...(resource === undefined ? [] : ['ResourceInfo']),
          ...(violations === undefined ? [] : ['BadRequest']),
          ...(help === undefined ? [] : ['Help']),
        ].sort()
        const failure: Failure = {
          grpc: grpcStatusName(error.code),
          message: error.message,
          ...(reason === undefined ? {} : { reason }),
          ...(details.length === 0 ? {} : { details }),
        }
        return { failure }
      }
    },
    close: () => client.close(),
  }
}

async function call(dapr: Calls, it: Operation): Promise<unknown> {
  switch (it.op) {
    case 'getState': {
      const { data, etag } = await dapr.getState({ storeName: it.store, key: it.key })
      return data.length === 0 && etag === '' ? null : { data: text(data), etag: etag !== '' }
    }
    case 'saveState':
      await dapr.saveState({ storeName: it.store, states: it.items.map(stateItem) })
      return null
    case 'deleteState':
      await dapr.deleteState({
        storeName: it.store,
        key: it.key,
        ...(it.etag === undefined ? {} : { etag: { value: it.etag } }),
        options: { concurrency: concurrencyOf(it.concurrency) },
      })
      return null
    case 'deleteBulkState':
      await dapr.deleteBulkState({ storeName: it.store, states: it.items.map(stateItem) })
      return null
    case 'getBulkState': {
      const { items } = await dapr.getBulkState({
        storeName: it.store,
        keys: [...it.keys],
        parallelism: it.parallelism ?? 0,
      })
      return items
        .map(({ key, data, error }) => ({
          key,
          data: data.length === 0 ? null : (JSON.parse(text(data)) as unknown),
          failed: error !== '',
        }))
        .sort(byKey)
    }
    case 'transact':
      await dapr.executeStateTransaction({
        storeName: it.store,
        operations: it.operations.map(({ operation, item }) => ({
          operationType: operation,
          request: stateItem(item),
        })),
      })
      return null
    case 'queryState':
      await dapr.queryStateAlpha1({ storeName: it.store, query: it.query })
      return null
    case 'publish':
      await dapr.publishEvent({
        pubsubName: it.pubsub,
        topic: it.topic,
        data: bytes(it.data),
        dataContentType: it.contentType,
        metadata: { ...it.metadata },
      })
      return null
    case 'publishBulk': {
      const { failedEntries } = await dapr.bulkPublishEventAlpha1({
        pubsubName: it.pubsub,
        topic: it.topic,
        entries: it.entries.map(({ entryId, data, contentType }) => ({
          entryId,
          event: bytes(data),
          contentType,
        })),
      })
      return { failed: failedEntries.map(({ entryId }) => entryId).sort() }
    }
    case 'invokeBinding': {
      const { data } = await dapr.invokeBinding({
        name: it.name,
        operation: it.operation,
        // Over HTTP the same text stands in JSON.
        data: bytes(JSON.stringify(it.data)),
        metadata: { ...it.metadata },
      })
      return text(data)
    }
    case 'getSecret':
      return (await dapr.getSecret({ storeName: it.store, key: it.key })).data
    case 'getBulkSecret': {
      const { data } = await dapr.getBulkSecret({ storeName: it.store })
      return Object.fromEntries(Object.entries(data).map(([name, { secrets }]) => [name, secrets]))
    }
    case 'getConfiguration':
      return valuesOf((await dapr.getConfiguration({ storeName: it.store, keys: [...it.keys] })).items)
    case 'followConfiguration': {
      const request = { storeName: it.store, keys: [...it.keys] }
      for await (const { id } of dapr.subscribeConfiguration(request))
        return await unsubscribe(dapr, it.store, id)
      throw new Error('the stream ended without a word')
    }
    case 'unsubscribeConfiguration':
      return unsubscribe(dapr, it.store, it.id)
    case 'subtle':
      return plainAnswer(await subtleOverGrpc(dapr, it))
    case 'subscribeTopic': {
      const value = { pubsubName: it.pubsub, topic: it.topic }
      const first = { subscribeTopicEventsRequestType: { case: 'initialRequest' as const, value } }
      const forever = Promise.withResolvers<void>()
      const requests = (async function* () {
        yield first
        await forever.promise
      })()
      try {
        for await (const _ of dapr.subscribeTopicEventsAlpha1(requests)) return null
      } finally {
        forever.resolve()
      }
      throw new Error('the stream ended without a word')
    }
    case 'tryLock':
      return (
        await dapr.tryLockAlpha1({
          storeName: it.store,
          resourceId: it.resource,
          lockOwner: it.owner,
          expiryInSeconds: it.expiry,
        })
      ).success
    case 'unlock':
      return Number(
        (await dapr.unlockAlpha1({ storeName: it.store, resourceId: it.resource, lockOwner: it.owner }))
          .status,
      )
    case 'encrypt':
      return schemeOf(undefined, await encrypt(dapr, it.provider, it.key, it.algorithm, it.data))
    case 'decrypt':
      return text(await decrypt(dapr, it.provider, bytes(it.data)))
    case 'roundTrip':
      return text(
        await decrypt(dapr, it.provider, await encrypt(dapr, it.provider, it.key, it.algorithm, it.data)),
      )
    case 'setMetadata':
      await dapr.setMetadata({ key: it.key, value: it.value })
      return null
    case 'getMetadata': {
      const { registeredComponents, extendedMetadata } = await dapr.getMetadata({})
      return { components: componentsOf(registeredComponents), mood: extendedMetadata['mood'] }
    }
  }
}

async function unsubscribe(dapr: Calls, storeName: string, id: string): Promise<object> {
  return { ok: (await dapr.unsubscribeConfiguration({ storeName, id })).ok }
}

async function encrypt(
  dapr: Calls,
  componentName: string,
  keyName: string,
  keyWrapAlgorithm: string,
  data: string,
): Promise<Uint8Array> {
  const options = { componentName, keyName, keyWrapAlgorithm }
  const parts: Uint8Array[] = []
  for await (const { payload } of dapr.encryptAlpha1(one({ options, payload: { data: bytes(data) } })))
    parts.push(payload?.data ?? new Uint8Array(0))
  return Buffer.concat(parts)
}

async function decrypt(dapr: Calls, componentName: string, data: Uint8Array): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const { payload } of dapr.decryptAlpha1(one({ options: { componentName }, payload: { data } })))
    parts.push(payload?.data ?? new Uint8Array(0))
  return Buffer.concat(parts)
}

async function* one<T>(message: T): AsyncGenerator<T> {
  yield message
}

function stateItem({ key, value, etag, concurrency, metadata }: Item) {
  return {
    key,
    value: bytes(value ?? ''),
    metadata: { ...metadata },
    ...(etag === undefined ? {} : { etag: { value: etag } }),
    options: { concurrency: concurrencyOf(concurrency) },
  }
}

function concurrencyOf(name: string | undefined): Concurrency {
  if (name === 'first-write') return Concurrency.CONCURRENCY_FIRST_WRITE
  if (name === 'last-write') return Concurrency.CONCURRENCY_LAST_WRITE
  return Concurrency.CONCURRENCY_UNSPECIFIED
}

const bytes = (value: string): Uint8Array => Buffer.from(value)
const text = (value: Uint8Array): string => Buffer.from(value).toString()
