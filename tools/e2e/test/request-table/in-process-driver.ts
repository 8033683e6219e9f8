import { ApiError, type Runtime, type RuntimeApi } from '@outrigger/runtime'
import { byKey, componentsOf, schemeOf } from './http-driver.ts'
import type { Driver, Item, Operation } from './operations.ts'
import { plainAnswer, subtleInProcess } from './subtle.ts'

/** Calls the operations of a runtime of this process. */
export function inProcessDriver({ api }: Runtime): Driver {
  return {
    face: 'in-process',
    async run(operation) {
      try {
        return { value: await call(api, operation) }
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        // Over the wire it is an answer.
        if (error.id === 'CONFIGURATION_UNSUBSCRIBE') return { value: { ok: false } }
        return { failure: { id: error.id, message: error.message } }
      }
    },
  }
}

async function call(api: RuntimeApi, it: Operation): Promise<unknown> {
  switch (it.op) {
    case 'getState': {
      const consistency = it.consistency as 'strong' | undefined
      const item = await api.state.get(it.store, it.key, consistency, {}, {})
      return item === undefined ? null : { data: text(item.value.bytes), etag: item.etag !== undefined }
    }
    case 'saveState':
      await api.state.save(it.store, it.items.map(saveItem), {})
      return null
    case 'deleteState':
      await api.state.delete(
        it.store,
        { key: it.key, etag: it.etag, concurrency: it.concurrency as Item['concurrency'] },
        {},
      )
      return null
    case 'deleteBulkState':
      await api.state.deleteBulk(it.store, it.items, {})
      return null
    case 'getBulkState':
      return (await api.state.getBulk(it.store, it.keys, it.parallelism, {}, {}))
        .map((result) => ({
          key: result.key,
          data:
            'item' in result && result.item !== undefined
              ? (JSON.parse(text(result.item.value.bytes)) as unknown)
              : null,
          failed: 'error' in result && result.error !== undefined,
        }))
        .sort(byKey)
    case 'transact':
      await api.state.transact(
        it.store,
        it.operations.map(({ operation, item }) => ({ operation, request: saveItem(item) })),
        {},
        {},
      )
      return null
    case 'queryState':
      await api.state.query(it.store, it.query, {}, {})
      return null
    case 'publish':
      await api.publish.publish(
        {
          pubsubName: it.pubsub,
          topic: it.topic,
          data: bytes(it.data),
          contentType: it.contentType,
          metadata: it.metadata ?? {},
        },
        {},
      )
      return null
    case 'publishBulk': {
      const failures = await api.publish.publishBulk(
        {
          pubsubName: it.pubsub,
          topic: it.topic,
          entries: it.entries.map(({ data, ...rest }) => ({ ...rest, data: bytes(data) })),
          metadata: {},
        },
        {},
      )
      return { failed: failures.map(({ entryId }) => entryId).sort() }
    }
    case 'invokeBinding': {
      const data = bytes(JSON.stringify(it.data))
      const answer = await api.bindings.invoke(
        { name: it.name, operation: it.operation, data, metadata: it.metadata ?? {} },
        {},
      )
      return answer.data === undefined ? '' : text(await whole(answer.data))
    }
    case 'getSecret':
      return api.secrets.get(it.store, it.key, {}, {})
    case 'getBulkSecret':
      return api.secrets.getBulk(it.store, {}, {})
    case 'getConfiguration': {
      const items = await api.configuration.get(it.store, it.keys, {}, {})
      return Object.fromEntries(Object.entries(items).map(([key, { value }]) => [key, value]))
    }
    case 'tryLock':
      return api.lock.tryLock(
        {
          storeName: it.store,
          resourceId: it.resource,
          lockOwner: it.owner,
          expiryInSeconds: it.expiry,
        },
        {},
      )
    case 'unlock': {
      const status = await api.lock.unlock(
        { storeName: it.store, resourceId: it.resource, lockOwner: it.owner },
        {},
      )
      return ['success', 'lock-does-not-exist', 'lock-belongs-to-others'].indexOf(status)
    }
    case 'encrypt':
      return schemeOf(undefined, await encrypt(api, it.provider, it.key, it.algorithm, it.data))
    case 'decrypt':
      return text(await decrypt(api, it.provider, bytes(it.data)))
    case 'roundTrip':
      return text(
        await decrypt(api, it.provider, await encrypt(api, it.provider, it.key, it.algorithm, it.data)),
      )
    case 'setMetadata':
      api.metadata.set(it.key, it.value)
      return null
    case 'getMetadata': {
      const { components, extended } = api.metadata.describe()
      return { components: componentsOf(components), mood: extended['mood'] }
    }
    case 'followConfiguration': {
      const { id } = await api.configuration.subscribe(it.store, it.keys, {}, async () => {}, {})
      api.configuration.unsubscribe(it.store, id)
      return { ok: true }
    }
    case 'unsubscribeConfiguration':
      api.configuration.unsubscribe(it.store, it.id)
      return { ok: true }
    case 'subtle':
      return plainAnswer(await subtleInProcess(api, it))
    case 'subscribeTopic': {
      const running = await api.publish.subscribe(
        { pubsubName: it.pubsub, topic: it.topic },
        async () => undefined,
      )
      await running.close()
      return null
    }
  }
}

async function encrypt(
  api: RuntimeApi,
  componentName: string,
  keyName: string,
  keyWrapAlgorithm: string,
  data: string,
): Promise<Uint8Array> {
  return whole(
    await api.crypto.encrypt({ componentName, keyName, keyWrapAlgorithm, data: one(bytes(data)) }, {}),
  )
}

async function decrypt(api: RuntimeApi, componentName: string, data: Uint8Array): Promise<Uint8Array> {
  return whole(await api.crypto.decrypt({ componentName, data: one(data) }, {}))
}

async function whole(data: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (data instanceof Uint8Array) return data
  const parts: Uint8Array[] = []
  for await (const part of data) parts.push(part)
  return Buffer.concat(parts)
}

async function* one<T>(value: T): AsyncGenerator<T> {
  yield value
}

function saveItem({ key, value, etag, concurrency, metadata }: Item) {
  return { key, value: { bytes: bytes(value ?? ''), kind: 'json' as const }, etag, concurrency, metadata }
}

const bytes = (value: string): Uint8Array => Buffer.from(value)
const text = (value: Uint8Array): string => Buffer.from(value).toString()
