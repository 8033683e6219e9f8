import type { Secret } from '@outrigger/spec'
import type { BindingsPort } from '../sections/bindings.ts'
import type { LockPort } from '../sections/lock.ts'
import { unlockResult } from '../sections/lock.ts'
import { readMetadata, type MetadataPort } from '../sections/metadata.ts'
import { eventJson, type PubSubPort } from '../sections/pubsub.ts'
import type { SecretsPort } from '../sections/secrets.ts'
import { isOutriggerError } from '../error.ts'
import { isRecord, jsonTextOf, parseJson, textOf } from '../values.ts'
import type { HttpCaller } from './caller.ts'
import { answerError } from './answer-error.ts'
import { segment, withQuery } from './path.ts'

const jsonFields = ['content-type', 'application/json']
const mostErrorBytes = 1024 * 1024

export function httpPubSub(caller: HttpCaller): PubSubPort {
  return {
    async publish(pubsub, topic, { data, contentType, metadata }, options) {
      const path = withQuery(`/v1.0/publish/${segment(pubsub)}/${segment(topic)}`, metadata)
      await caller.call({ method: 'POST', path, fields: ['content-type', contentType], body: data }, options)
    },
    async publishBulk(pubsub, topic, entries, options) {
      const path = withQuery(
        `/v1.0-alpha1/publish/bulk/${segment(pubsub)}/${segment(topic)}`,
        options.metadata,
      )
      const parts = entries.map((entry) => {
        const { entryId, contentType, metadata } = entry
        const about = JSON.stringify({ entryId, contentType, metadata })
        return `${about.slice(0, -1)},"event":${eventJson(entry)}}`
      })
      const request = { method: 'POST', path, fields: jsonFields, body: `[${parts.join(',')}]` } as const
      const response = await caller.open(request, options)
      const bytes = await caller.read(response, options, mostErrorBytes)
      if (response.status >= 200 && response.status < 300) return { failed: [] }
      const failed = failedEntries(bytes)
      if (failed === undefined) throw answerError(response.status, bytes)
      return { failed }
    },
  }
}

/** Some entries failed: that is an answer, although its status is that of an error. */
function failedEntries(body: Uint8Array): { entryId: string; error: string }[] | undefined {
  let document: unknown
  try {
    document = parseJson(textOf(body), 'the answer to a bulk request')
  } catch (error) {
    if (isOutriggerError(error)) return undefined
    throw error
  }
  const list = isRecord(document) ? document['failedEntries'] : undefined
  if (!Array.isArray(list) || list.length === 0) return undefined
  return list
    .filter(isRecord)
    .map(({ entryId, error }) => ({ entryId: String(entryId ?? ''), error: String(error ?? '') }))
}

export function httpBindings(caller: HttpCaller): BindingsPort {
  return {
    async invoke(name, operation, data, options) {
      const about = JSON.stringify({ operation, metadata: options.metadata ?? {} })
      const text = data === undefined ? '' : `,"data":${jsonTextOf(data, 'the data')}`
      const body = `${about.slice(0, -1)}${text}}`
      const request = {
        method: 'POST',
        path: `/v1.0/bindings/${segment(name)}`,
        fields: jsonFields,
        body,
      } as const
      const { fields, bytes } = await caller.call(request, options)
      const metadata = Array.from(fields)
        .filter(([field]) => field.startsWith('metadata.'))
        .map(([field, value]) => [field.slice('metadata.'.length), value] as const)
      return { bytes, metadata }
    },
  }
}

export function httpSecrets(caller: HttpCaller): SecretsPort {
  const get = async (path: string, options: Parameters<SecretsPort['getBulk']>[1]): Promise<unknown> =>
    (await caller.json({ method: 'GET', path: withQuery(path, options.metadata) }, options)) ?? {}
  return {
    async get(store, name, options) {
      return (await get(`/v1.0/secrets/${segment(store)}/${segment(name)}`, options)) as Secret
    },
    async getBulk(store, options) {
      return (await get(`/v1.0/secrets/${segment(store)}/bulk`, options)) as Readonly<Record<string, Secret>>
    },
  }
}

export function httpLock(caller: HttpCaller): LockPort {
  const post = (path: string, body: object, options: Parameters<LockPort['unlock']>[2]): Promise<unknown> =>
    caller.json({ method: 'POST', path, fields: jsonFields, body: JSON.stringify(body) }, options)
  return {
    async tryLock(store, { resourceId, owner, expirySeconds }, options) {
      const request = { resourceId, lockOwner: owner, expiryInSeconds: expirySeconds }
      const answer = await post(`/v1.0-alpha1/lock/${segment(store)}`, request, options)
      return isRecord(answer) && answer['success'] === true
    },
    async unlock(store, { resourceId, owner }, options) {
      const answer = await post(
        `/v1.0-alpha1/unlock/${segment(store)}`,
        { resourceId, lockOwner: owner },
        options,
      )
      // A status of 0 may be left out.
      return unlockResult(Number((isRecord(answer) ? answer['status'] : undefined) ?? 0))
    },
  }
}

export function httpMetadata(caller: HttpCaller): MetadataPort {
  return {
    async get(options) {
      return readMetadata(await caller.json({ method: 'GET', path: '/v1.0/metadata' }, options))
    },
    async set(key, value, options) {
      await caller.call({ method: 'PUT', path: `/v1.0/metadata/${segment(key)}`, body: value }, options)
    },
  }
}
