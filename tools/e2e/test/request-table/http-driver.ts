import type { Answer, Driver, DriverOptions, Failure, Item, Operation, Texts } from './operations.ts'
import { plainAnswer } from './subtle.ts'

interface Call {
  readonly method: string
  readonly path: string
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array
  /** Of an answer that is no failure. */
  readonly read?: (response: Response, body: Buffer) => unknown
}

/** The same request by the other method or version that its route has, where it has one. */
function otherwise(call: Call): Call {
  const path = call.path
    .replace('/v1.0/configuration/', '/v1.0-alpha1/configuration/')
    .replace('/v1.0-alpha1/publish/bulk/', '/v1.0/publish/bulk/')
  const onlyPost = /^\/v1\.0-alpha1\/(?:lock|unlock|subtlecrypto)\//.test(path)
  return { ...call, path, method: call.method === 'POST' && !onlyPost ? 'PUT' : call.method }
}

const json = { 'content-type': 'application/json' }
const part = encodeURIComponent
const nothing = (): null => null
const parsed = (_: Response, body: Buffer): unknown =>
  body.length === 0 ? null : JSON.parse(body.toString())

/** Speaks the HTTP API at `url`. */
export function httpDriver(url: string, { otherNames = false, called }: DriverOptions = {}): Driver {
  const send = async (call: Call): Promise<Answer> => {
    const { method, path, headers, body, read = parsed } = otherNames ? otherwise(call) : call
    called?.add(`${method} ${path}`)
    const response = await fetch(url + path, {
      method,
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body: body as string }),
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    if (response.ok) return { value: read(response, bytes) }
    return answerOf(response.status, bytes)
  }
  return {
    face: 'HTTP',
    async run(operation) {
      const call = callOf(operation)
      if (call !== undefined) return send(call)
      if (operation.op === 'followConfiguration') {
        const { store, keys } = operation
        const path = `/v1.0/configuration/${part(store)}`
        const query = keys.map((key) => `key=${part(key)}`).join('&')
        const begun = await send({ method: 'GET', path: `${path}/subscribe?${query}` })
        if (!('value' in begun)) return begun
        return send({ method: 'GET', path: `${path}/${(begun.value as { id: string }).id}/unsubscribe` })
      }
      if (operation.op !== 'roundTrip') return undefined
      const { provider, key, algorithm, data } = operation
      const sealed = await send({ ...encryption(provider, key, algorithm, data), read: (_, body) => body })
      if (!('value' in sealed)) return sealed
      return send(decryption(provider, sealed.value as Buffer))
    },
  }
}

function callOf(it: Operation): Call | undefined {
  switch (it.op) {
    case 'getState':
      return {
        method: 'GET',
        path: `/v1.0/state/${part(it.store)}/${part(it.key)}${it.consistency === undefined ? '' : `?consistency=${it.consistency}`}`,
        read: (response, body) =>
          response.status === 204 ? null : { data: body.toString(), etag: response.headers.has('etag') },
      }
    case 'saveState':
      return {
        method: 'POST',
        path: `/v1.0/state/${part(it.store)}`,
        headers: json,
        body: `[${it.items.map(itemJson).join(',')}]`,
        read: nothing,
      }
    case 'deleteState':
      return {
        method: 'DELETE',
        path: `/v1.0/state/${part(it.store)}/${part(it.key)}${it.concurrency === undefined ? '' : `?concurrency=${it.concurrency}`}`,
        ...(it.etag === undefined ? {} : { headers: { 'if-match': it.etag } }),
        read: nothing,
      }
    case 'getBulkState':
      return {
        method: 'POST',
        path: `/v1.0/state/${part(it.store)}/bulk`,
        headers: json,
        body: JSON.stringify({ keys: it.keys, parallelism: it.parallelism }),
        read: (_, body) =>
          (JSON.parse(body.toString()) as Record<string, unknown>[])
            .map(({ key, data, error }) => ({ key, data: data ?? null, failed: error !== undefined }))
            .sort(byKey),
      }
    case 'transact':
      return {
        method: 'POST',
        path: `/v1.0/state/${part(it.store)}/transaction`,
        headers: json,
        body: `{"operations":[${it.operations.map(({ operation, item }) => `{"operation":${JSON.stringify(operation)},"request":${itemJson(item)}}`).join(',')}]}`,
        read: nothing,
      }
    case 'queryState':
      return {
        method: 'POST',
        path: `/v1.0-alpha1/state/${part(it.store)}/query`,
        headers: json,
        body: it.query,
      }
    case 'publish':
      // A path has no place for an empty name.
      if (it.pubsub === '' || it.topic === '') return undefined
      return {
        method: 'POST',
        path: `/v1.0/publish/${part(it.pubsub)}/${it.topic}${query(it.metadata)}`,
        headers: { 'content-type': it.contentType },
        body: it.data,
        read: nothing,
      }
    case 'publishBulk':
      return {
        method: 'POST',
        path: `/v1.0-alpha1/publish/bulk/${part(it.pubsub)}/${it.topic}`,
        headers: json,
        body: `[${it.entries.map(({ entryId, data, contentType }) => `{"entryId":${JSON.stringify(entryId)},"contentType":${JSON.stringify(contentType)},"event":${data}}`).join(',')}]`,
        read: () => ({ failed: [] }),
      }
    case 'invokeBinding':
      return {
        method: 'POST',
        path: `/v1.0/bindings/${part(it.name)}`,
        headers: json,
        body: JSON.stringify({ operation: it.operation, data: it.data, metadata: it.metadata }),
        read: (_, body) => body.toString(),
      }
    case 'getSecret':
      return { method: 'GET', path: `/v1.0/secrets/${part(it.store)}/${part(it.key)}` }
    case 'getBulkSecret':
      return { method: 'GET', path: `/v1.0/secrets/${part(it.store)}/bulk` }
    case 'getConfiguration':
      return {
        method: 'GET',
        path: `/v1.0/configuration/${part(it.store)}?${it.keys.map((key) => `key=${part(key)}`).join('&')}`,
        read: (_, body) => valuesOf(body.length === 0 ? {} : (JSON.parse(body.toString()) as object)),
      }
    case 'unsubscribeConfiguration':
      return { method: 'GET', path: `/v1.0/configuration/${part(it.store)}/${it.id}/unsubscribe` }
    case 'tryLock':
      return {
        method: 'POST',
        path: `/v1.0-alpha1/lock/${part(it.store)}`,
        headers: json,
        body: JSON.stringify({ resourceId: it.resource, lockOwner: it.owner, expiryInSeconds: it.expiry }),
        read: (_, body) => (JSON.parse(body.toString()) as { success?: boolean }).success ?? false,
      }
    case 'unlock':
      return {
        method: 'POST',
        path: `/v1.0-alpha1/unlock/${part(it.store)}`,
        headers: json,
        body: JSON.stringify({ resourceId: it.resource, lockOwner: it.owner }),
        read: (_, body) => (JSON.parse(body.toString()) as { status?: number }).status ?? 0,
      }
    case 'encrypt':
      return { ...encryption(it.provider, it.key, it.algorithm, it.data), read: schemeOf }
    case 'decrypt':
      return decryption(it.provider, Buffer.from(it.data))
    case 'subtle':
      return {
        method: 'POST',
        path: `/v1.0-alpha1/subtlecrypto/${part(it.provider)}/${it.method.toLowerCase()}`,
        headers: json,
        body: JSON.stringify(it.message),
        read: (_, body) => plainAnswer(JSON.parse(body.toString()) as object),
      }
    case 'setMetadata':
      return { method: 'PUT', path: `/v1.0/metadata/${part(it.key)}`, body: it.value, read: nothing }
    case 'getMetadata':
      return {
        method: 'GET',
        path: '/v1.0/metadata',
        read: (_, body) => {
          const { components, extended } = JSON.parse(body.toString()) as Described
          return { components: componentsOf(components ?? []), mood: extended?.['mood'] }
        },
      }
    default:
      return undefined
  }
}

function encryption(provider: string, key: string, algorithm: string, data: string): Call {
  return {
    method: 'PUT',
    path: `/v1.0-alpha1/crypto/${part(provider)}/encrypt`,
    headers: {
      'content-type': 'application/octet-stream',
      ...(key === '' ? {} : { 'dapr-key-name': key }),
      ...(algorithm === '' ? {} : { 'dapr-key-wrap-algorithm': algorithm }),
    },
    body: data,
  }
}

function decryption(provider: string, data: Uint8Array): Call {
  return {
    method: 'PUT',
    path: `/v1.0-alpha1/crypto/${part(provider)}/decrypt`,
    headers: { 'content-type': 'application/octet-stream' },
    body: data,
    read: (_, body) => body.toString(),
  }
}

export const schemeOf = (_: unknown, body: Uint8Array): string =>
  Buffer.from(body).toString('latin1').split('\n', 1)[0]!

interface Described {
  readonly components?: readonly Listed[]
  readonly extended?: Texts
}

export interface Listed {
  readonly name: string
  readonly type: string
  readonly version: string
}

export function componentsOf(list: readonly Listed[]): unknown[] {
  return list.map(({ name, type, version }) => ({ name, type, version })).sort(byName)
}

const byName = (a: { name: string }, b: { name: string }): number => a.name.localeCompare(b.name)
export const byKey = (a: { key?: unknown }, b: { key?: unknown }): number =>
  String(a.key).localeCompare(String(b.key))

/** Configuration values by key, without versions. */
export function valuesOf(items: object): Texts {
  return Object.fromEntries(
    Object.entries(items).map(([key, item]) => [key, (item as { value?: string }).value ?? '']),
  )
}

function query(metadata: Texts | undefined): string {
  const pairs = Object.entries(metadata ?? {}).map(([key, value]) => `metadata.${part(key)}=${part(value)}`)
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

function itemJson({ key, value, etag, concurrency, metadata }: Item): string {
  const rest = { key, etag, metadata, options: concurrency === undefined ? undefined : { concurrency } }
  const text = JSON.stringify(rest)
  return value === undefined ? text : `${text.slice(0, -1)},"value":${value}}`
}

/** A failure, unless its body says what became of the parts of a request. */
function answerOf(status: number, body: Buffer): Answer {
  const failure = failureOf(status, body)
  if (status !== 500 || failure.message === body.toString()) return { failure }
  const { ok, failedEntries } = JSON.parse(body.toString()) as {
    ok?: boolean
    failedEntries?: { entryId: string }[]
  }
  if (ok !== undefined) return { value: { ok } }
  if (failedEntries === undefined || failure.errorCode !== 'ERR_PUBSUB_PUBLISH_MESSAGE') return { failure }
  return { value: { failed: failedEntries.map(({ entryId }) => entryId).sort() } }
}

function failureOf(status: number, body: Buffer): Failure {
  try {
    const { errorCode, message, details } = JSON.parse(body.toString()) as {
      errorCode?: string
      message?: string
      details?: { '@type': string; reason?: string }[]
    }
    const reason = details?.find((one) => one.reason !== undefined)?.reason
    return {
      status,
      message: message ?? '',
      ...(errorCode === undefined ? {} : { errorCode }),
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined
        ? {}
        : { details: details.map((one) => one['@type'].split('.').at(-1)!).sort() }),
    }
  } catch {
    return { status, message: body.toString() }
  }
}
