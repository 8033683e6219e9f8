import type { BindingData, StateItem as StoredItem, StateValue } from '@outrigger/spec'
import { noMetadata, type CallOptions } from '../call.ts'
import { clientError, closed } from '../error.ts'
import { responseOf } from '../http/streams.ts'
import { remembering } from '../remembering.ts'
import { readMetadata } from '../sections/metadata.ts'
import { StateItem, type StateRemoval, type StateWrite } from '../sections/state.ts'
import type { Transport } from '../transport.ts'
import { ConfigurationSubscription, readItems, type ConfigurationItems } from '../updates.ts'
import { bytesOf, utf8 } from '../values.ts'
import { runtimeError } from './errors.ts'
import type { InProcessRuntime } from './runtime.ts'

type Api = InProcessRuntime['api']

/** Calls the operations of a runtime of this process. `maxBodyBytes`: of an answer that comes as a stream and is held whole. */
export function inProcessTransport(runtime: InProcessRuntime, maxBodyBytes: number): Transport {
  let open = true

  async function run<T>(work: (api: Api) => Promise<T> | T, options: CallOptions): Promise<T> {
    if (!open) throw closed()
    const { signal } = options
    try {
      signal?.throwIfAborted()
      return await work(apiOf(runtime))
    } catch (error) {
      throw runtimeError(error, signal)
    }
  }

  async function* stream(
    work: (api: Api, data: AsyncIterable<Uint8Array>) => Promise<AsyncIterable<Uint8Array>>,
    data: AsyncIterable<Uint8Array>,
    options: CallOptions,
  ): AsyncGenerator<Uint8Array, void> {
    // What the source fails with is told as it is.
    const source = remembering(data)
    try {
      yield* await run((api) => work(api, source.data), options)
    } catch (error) {
      throw source.failure() ?? runtimeError(error, options.signal)
    }
  }

  return {
    name: 'in-process',
    state: {
      async get(store, key, options) {
        // Written out: this is where a microsecond counts.
        if (!open) throw closed()
        try {
          options.signal?.throwIfAborted()
          const { consistency, metadata = noMetadata } = options
          const item = await apiOf(runtime).state.get(store, key, consistency, metadata, options)
          return item === undefined ? undefined : itemOf(key, item)
        } catch (error) {
          throw runtimeError(error, options.signal)
        }
      },
      async getBulk(store, keys, options) {
        const { parallelism, metadata = noMetadata } = options
        const results = await run(
          ({ state }) => state.getBulk(store, keys, parallelism, metadata, options),
          options,
        )
        return results.map(({ key, item, error }) => ({
          key,
          item: item === undefined ? undefined : itemOf(key, item),
          error: error?.message,
        }))
      },
      save(store, writes, options) {
        const { metadata } = options
        const items = writes.map((write) => {
          const item = saveOf(write)
          return metadata === undefined ? item : { ...item, metadata: { ...metadata, ...item.metadata } }
        })
        return run(({ state }) => state.save(store, items, options), options)
      },
      delete: (store, removal, options) => run(({ state }) => state.delete(store, removal, options), options),
      transact(store, changes, options) {
        const items = changes.map(({ operation, request }) =>
          operation === 'upsert'
            ? { operation, request: saveOf(request as StateWrite) }
            : { operation, request },
        )
        return run(
          ({ state }) => state.transact(store, items, options.metadata ?? noMetadata, options),
          options,
        )
      },
      async query(store, query, options) {
        const found = await run(
          ({ state }) => state.query(store, query, options.metadata ?? noMetadata, options),
          options,
        )
        return {
          results: found.results.map(({ key, item }) => itemOf(key, item)),
          token: found.token || undefined,
        }
      },
    },
    pubsub: {
      publish: (pubsubName, topic, message, options) =>
        run(({ publish }) => publish.publish({ pubsubName, topic, ...message }, options), options),
      async publishBulk(pubsubName, topic, entries, options) {
        const request = { pubsubName, topic, entries, metadata: options.metadata ?? noMetadata }
        const failures = await run(({ publish }) => publish.publishBulk(request, options), options)
        return { failed: failures.map(({ entryId, error }) => ({ entryId, error: error.message })) }
      },
    },
    bindings: {
      async invoke(name, operation, payload, options) {
        const data = payload === undefined ? new Uint8Array(0) : bytesOf(payload)
        const request = { name, operation, data, metadata: options.metadata ?? noMetadata }
        return run(async ({ bindings }) => {
          const answer = await bindings.invoke(request, options)
          return {
            bytes: await whole(answer.data, maxBodyBytes),
            metadata: Object.entries(answer.metadata ?? {}),
          }
        }, options)
      },
    },
    secrets: {
      get: (store, name, options) =>
        run(({ secrets }) => secrets.get(store, name, options.metadata ?? noMetadata, options), options),
      getBulk: (store, options) =>
        run(({ secrets }) => secrets.getBulk(store, options.metadata ?? noMetadata, options), options),
    },
    configuration: {
      async get(store, keys, options) {
        return readItems(
          await run(
            ({ configuration }) => configuration.get(store, keys, options.metadata ?? noMetadata, options),
            options,
          ),
        )
      },
      subscribe: (store, keys, options) =>
        run(({ configuration }) => subscribe(configuration, store, keys, options), options),
    },
    lock: {
      tryLock: (storeName, { resourceId, owner, expirySeconds }, options) =>
        run(
          ({ lock }) =>
            lock.tryLock(
              { storeName, resourceId, lockOwner: owner, expiryInSeconds: expirySeconds },
              options,
            ),
          options,
        ),
      unlock: (storeName, { resourceId, owner }, options) =>
        run(({ lock }) => lock.unlock({ storeName, resourceId, lockOwner: owner }, options), options),
    },
    crypto: {
      encrypt: (componentName, data, options) =>
        stream(
          ({ crypto }, source) => crypto.encrypt({ ...options, componentName, data: source }, options),
          data,
          options,
        ),
      decrypt: (componentName, data, options) =>
        stream(
          ({ crypto }, source) =>
            crypto.decrypt({ componentName, keyName: options.keyName, data: source }, options),
          data,
          options,
        ),
    },
    invoke: {
      invoke: ({ appId, method, path, fields, body, maxBodyBytes: limit }, options) =>
        run(async ({ invoke }) => {
          const { signal, traceparent, tracestate, baggage } = options
          const trace = Object.entries({ traceparent, tracestate, baggage })
          const all = [
            ...fields,
            ...trace.flatMap(([name, value]) => (value === undefined ? [] : [name, value])),
          ]
          const answer = await invoke.invoke(appId, {
            method,
            path,
            fields: all,
            ...(body !== undefined && { body: typeof body === 'string' ? utf8(body) : body }),
            ...(signal !== undefined && { signal }),
          })
          answer.body.limit = limit ?? maxBodyBytes
          return responseOf(answer, (error) => runtimeError(error, signal))
        }, options),
    },
    metadata: {
      get: async (options) => readMetadata(await run(({ metadata }) => metadata.get(), options)),
      set: (key, value, options) => run(({ metadata }) => metadata.set(key, value), options),
    },
    health: (outbound, options) =>
      run(() => {
        const missing = runtime.unready.filter((name) => !outbound || name === 'outbound')
        if (missing.length > 0) throw new Error(`not ready: ${missing.join(', ')}`)
      }, options),
    async shutdown(_force, options) {
      await run(() => runtime.stop(), options)
    },
    close() {
      open = false
    },
  }
}

/** It has none before it is started. */
function apiOf(runtime: InProcessRuntime): Api {
  try {
    return runtime.api
  } catch (error) {
    throw clientError('ERR_CLIENT_UNAVAILABLE', error instanceof Error ? error.message : String(error), error)
  }
}

function itemOf(key: string, { value, etag, expiresAtMs }: StoredItem): StateItem {
  return new StateItem(key, value.bytes, etag, expiresAtMs === undefined ? undefined : new Date(expiresAtMs))
}

function saveOf(write: StateWrite): StateRemoval & { readonly value: StateValue } {
  const { value, contentType, ...rest } = write
  return { ...rest, value: { bytes: bytesOf(value), kind: 'json' in value ? 'json' : 'binary', contentType } }
}

async function whole(data: BindingData | undefined, limit: number): Promise<Uint8Array> {
  if (data === undefined) return new Uint8Array(0)
  if (data instanceof Uint8Array) return data
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of data) {
    size += chunk.length
    if (size > limit) {
      const problem = `the answer is larger than ${limit} bytes; raise the limit with maxBodyBytes`
      throw clientError('ERR_CLIENT_TOO_LARGE', problem)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

async function subscribe(
  configuration: Api['configuration'],
  store: string,
  keys: readonly string[],
  options: CallOptions,
): Promise<ConfigurationSubscription> {
  // Changes may be told before the id is known.
  const early: ConfigurationItems[] = []
  let take = (changes: ConfigurationItems): void => void early.push(changes)
  const { id, ended } = await configuration.subscribe(
    store,
    keys,
    options.metadata ?? noMetadata,
    (_id, changes) => take(readItems(changes)),
    options,
  )
  const subscription = new ConfigurationSubscription(id, () => {
    try {
      configuration.unsubscribe(store, id)
    } catch {
      // It is over already.
    }
  })
  for (const changes of early) subscription.push(changes)
  take = (changes) => subscription.push(changes)
  void ended.then(() =>
    subscription.end(clientError('ERR_CLIENT_UNAVAILABLE', 'the runtime ended the subscription')),
  )
  return subscription
}
