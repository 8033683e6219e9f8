import { StateItem, type StatePort, type StateRemoval, type StateWrite } from '../sections/state.ts'
import { isRecord, jsonTextOf, parseJson, textOf, utf8 } from '../values.ts'
import type { HttpCaller } from './caller.ts'
import { elementsOf, membersOf, type Members } from './json-text.ts'
import { segment, withQuery } from './path.ts'

const jsonFields = ['content-type', 'application/json']

/** The state routes. Values go and come as the JSON text that they are. */
export function httpState(caller: HttpCaller): StatePort {
  const post = (path: string, body: string) => ({ method: 'POST' as const, path, fields: jsonFields, body })
  return {
    async get(store, key, options) {
      const { consistency, metadata } = options
      const path = withQuery(`/v1.0/state/${segment(store)}/${segment(key)}`, metadata, { consistency })
      const { status, fields, bytes } = await caller.call({ method: 'GET', path }, options)
      if (status === 204) return undefined
      return new StateItem(
        key,
        bytes,
        fields.get('etag') || undefined,
        dateOf(fields.get('metadata.ttlexpiretime')),
      )
    },
    async getBulk(store, keys, options) {
      const { parallelism, metadata } = options
      const body = JSON.stringify({ keys, parallelism, metadata })
      const { bytes } = await caller.call(post(`/v1.0/state/${segment(store)}/bulk`, body), options)
      return listIn(textOf(bytes)).map((members) => {
        const item = itemOf(members)
        const error = stringIn(members, 'error')
        return {
          key: item?.key ?? stringIn(members, 'key') ?? '',
          item,
          error: error === '' ? undefined : error,
        }
      })
    },
    async save(store, writes, options) {
      const body = `[${writes.map((write) => itemJson(write, jsonTextOf(write.value, `the value of ${write.key}`))).join(',')}]`
      await caller.call(post(withQuery(`/v1.0/state/${segment(store)}`, options.metadata), body), options)
    },
    async delete(store, removal, options) {
      const { key, etag, concurrency, consistency, metadata } = removal
      const path = withQuery(`/v1.0/state/${segment(store)}/${segment(key)}`, metadata, {
        concurrency,
        consistency,
      })
      const fields = etag === undefined ? [] : ['if-match', etag]
      await caller.call({ method: 'DELETE', path, fields }, options)
    },
    async transact(store, changes, options) {
      const operations = changes.map(({ operation, request }) => {
        const value =
          operation === 'upsert'
            ? jsonTextOf((request as StateWrite).value, `the value of ${request.key}`)
            : undefined
        return `{"operation":"${operation}","request":${itemJson(request, value)}}`
      })
      const metadata = JSON.stringify(options.metadata ?? {})
      const body = `{"operations":[${operations.join(',')}],"metadata":${metadata}}`
      await caller.call(post(`/v1.0/state/${segment(store)}/transaction`, body), options)
    },
    async query(store, query, options) {
      const path = withQuery(`/v1.0-alpha1/state/${segment(store)}/query`, options.metadata)
      const { bytes } = await caller.call(post(path, query), options)
      if (bytes.length === 0) return { results: [], token: undefined }
      const text = textOf(bytes)
      parseJson(text, 'the answer to a query')
      const members = membersOf(text)
      const results = listIn(members.get('results') ?? '[]').flatMap((each) => itemOf(each) ?? [])
      return { results, token: stringIn(members, 'token') || undefined }
    },
  }
}

function itemJson(item: StateRemoval & Partial<StateWrite>, value: string | undefined): string {
  const { key, etag, metadata, contentType, concurrency, consistency } = item
  const options =
    concurrency === undefined && consistency === undefined ? undefined : { concurrency, consistency }
  const rest = JSON.stringify({ key, etag, metadata, contentType, options })
  return value === undefined ? rest : `${rest.slice(0, -1)},"value":${value}}`
}

function listIn(text: string): Members[] {
  parseJson(text, 'a list of values')
  return elementsOf(text).map(membersOf)
}

/** `undefined` where there is no value, only a key. */
function itemOf(members: Members): StateItem | undefined {
  const data = members.get('data')
  if (data === undefined) return undefined
  const metadata: unknown = JSON.parse(members.get('metadata') ?? 'null')
  const expires = isRecord(metadata) ? metadata['ttlExpireTime'] : undefined
  const expiresAt = typeof expires === 'string' ? dateOf(expires) : undefined
  return new StateItem(
    stringIn(members, 'key') ?? '',
    utf8(data),
    stringIn(members, 'etag') || undefined,
    expiresAt,
  )
}

function stringIn(members: Members, name: string): string | undefined {
  const value: unknown = JSON.parse(members.get(name) ?? 'null')
  return typeof value === 'string' ? value : undefined
}

/** `undefined` for what is no date. */
export function dateOf(text: string | undefined): Date | undefined {
  const date = text === undefined || text === '' ? undefined : new Date(text)
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date
}
