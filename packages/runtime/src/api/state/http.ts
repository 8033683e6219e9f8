import type { Concurrency, Consistency, Metadata, StateItem, StateValue } from '@outrigger/spec'
import { asField, isFieldValue, metadataFields } from '../../app/fields.ts'
import { membersOf, namesOf } from '../../app/members.ts'
import type { HttpCall } from '../../server/http-call.ts'
import type { HttpRoute } from '../../server/router.ts'
import { isRecord, malformed, metadataIn, readBody, readJson, textIn } from '../json-body.ts'
import { rawElements, rawMember } from '../raw-json.ts'
import { ApiError } from '../api-error.ts'
import type { DeleteItem, SaveItem, StateHandler, TransactionItem } from './handler.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const writes = ['POST', 'PUT']
const jsonType = ['content-type', 'application/json']
const itemNames = namesOf('key', 'value', 'etag', 'metadata', 'options', 'contentType')
const optionNames = namesOf('concurrency', 'consistency', 'retryPolicy')
const bulkNames = namesOf('keys', 'parallelism', 'metadata')
const transactionNames = namesOf('operations', 'metadata')
const operationNames = namesOf('operation', 'request')
/** It is stored with each value and sent back as a header. */
const longestContentType = 1000

/** The state routes of the HTTP API. */
export function stateRoutes(handler: StateHandler): HttpRoute[] {
  return [
    {
      name: 'GetState',
      methods: ['GET'],
      path: 'v1.0/state/:store/:key',
      async handle(call) {
        const [store, key] = call.params as [string, string]
        const item = await handler.get(
          store,
          key,
          consistencyIn(call.query('consistency')),
          call.metadata,
          call,
        )
        if (item === undefined) call.response.send(204)
        else call.response.send(200, itemFields(item), item.value.bytes)
      },
    },
    {
      name: 'SaveState',
      methods: writes,
      path: 'v1.0/state/:store',
      async handle(call) {
        const store = call.params[0]!
        handler.checkStore(store)
        const { text, value } = await readJson(call)
        // So programs in Go write a list that is empty.
        if (value === null) return call.response.send(204)
        if (!Array.isArray(value)) throw malformed('an array of items with "key" and "value" is expected')
        const starts = rawElements(text)
        const fromQuery = call.metadata
        const items = value.map((item, index) =>
          saveItem(item, text, starts[index]!, `[${index}]`, fromQuery),
        )
        await handler.save(store, items, call)
        call.response.send(204)
      },
    },
    {
      name: 'DeleteState',
      methods: ['DELETE'],
      path: 'v1.0/state/:store/:key',
      async handle(call) {
        const [store, key] = call.params as [string, string]
        const item: DeleteItem = {
          key,
          etag: call.request.fields.get('if-match') || undefined,
          concurrency: concurrencyIn(call.query('concurrency')),
          consistency: consistencyIn(call.query('consistency')),
          metadata: call.metadata,
        }
        await handler.delete(store, item, call)
        call.response.send(204)
      },
    },
    {
      name: 'GetBulkState',
      methods: writes,
      path: 'v1.0/state/:store/bulk',
      handle: (call) => getBulk(handler, call),
    },
    {
      name: 'ExecuteStateTransaction',
      methods: writes,
      path: 'v1.0/state/:store/transaction',
      async handle(call) {
        const store = call.params[0]!
        handler.transactionalStore(store)
        const { text, value } = await readJson(call)
        if (!isRecord(value)) throw malformed('an object with "operations" is expected')
        const body = membersOf(value, transactionNames)
        const operations = body['operations'] ?? []
        if (!Array.isArray(operations)) throw malformed('"operations" must be an array')
        const fromQuery = call.metadata
        const span = rawMember(text, 'operations')
        const starts = span === undefined ? [] : rawElements(text, span.start)
        const items = operations.map((item, index) =>
          transactionItem(item, text, starts[index]!, index, fromQuery),
        )
        const metadata = { ...metadataIn(body['metadata'], 'metadata'), ...fromQuery }
        await handler.transact(store, items, metadata, call)
        call.response.send(204)
      },
    },
    {
      name: 'QueryStateAlpha1',
      methods: writes,
      path: 'v1.0-alpha1/state/:store/query',
      handle: (call) => query(handler, call),
    },
  ]
}

async function query(handler: StateHandler, call: HttpCall): Promise<void> {
  const store = call.params[0]!
  handler.checkStore(store)
  const document = decoder.decode(await readBody(call))
  const { results, token, metadata } = await handler.query(store, document, call.metadata, call)
  if (results.length === 0) {
    call.response.send(204)
    return
  }
  const items = results.map(({ key, item }) => {
    const etag = item.etag === undefined ? '' : `,"etag":${JSON.stringify(item.etag)}`
    return `{"key":${JSON.stringify(key)},"data":${bulkData(item)}${etag}}`
  })
  const members = [`"results":[${items.join(',')}]`]
  if (token !== undefined) members.push(`"token":${JSON.stringify(token)}`)
  if (metadata !== undefined) members.push(`"metadata":${JSON.stringify(metadata)}`)
  call.response.send(200, jsonType, `{${members.join(',')}}`)
}

async function getBulk(handler: StateHandler, call: HttpCall): Promise<void> {
  const store = call.params[0]!
  handler.checkStore(store)
  const { value } = await readJson(call)
  if (!isRecord(value)) throw malformed('an object with "keys" is expected')
  const body = membersOf(value, bulkNames)
  const keys = body['keys'] ?? []
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) {
    throw malformed('"keys" must be an array of strings')
  }
  const parallelism = body['parallelism'] ?? undefined
  if (parallelism !== undefined && typeof parallelism !== 'number')
    throw malformed('"parallelism" must be a number')
  const metadata = { ...metadataIn(body['metadata'], 'metadata'), ...call.metadata }
  const results = await handler.getBulk(store, keys as string[], parallelism, metadata, call)
  // Put together as text, so that stored JSON comes out as it went in.
  const parts = results.map(({ key, item, error }) => {
    const members = [`"key":${JSON.stringify(key)}`]
    if (error !== undefined) members.push(`"error":${JSON.stringify(error.message)}`)
    else if (item !== undefined) {
      members.push(`"data":${bulkData(item)}`)
      if (item.etag !== undefined) members.push(`"etag":${JSON.stringify(item.etag)}`)
      const responseMetadata = itemMetadata(item)
      if (responseMetadata !== undefined) members.push(`"metadata":${JSON.stringify(responseMetadata)}`)
    }
    return `{${members.join(',')}}`
  })
  call.response.send(200, jsonType, `[${parts.join(',')}]`)
}

/** JSON stands as it is, whichever API saved it; what is not JSON comes as base64 text. */
function bulkData({ value }: StateItem): string {
  if (value.bytes.length === 0) return 'null'
  const text = decoder.decode(value.bytes)
  if (value.kind === 'json') return text
  try {
    JSON.parse(text)
    return text
  } catch {
    return JSON.stringify(Buffer.from(value.bytes).toString('base64'))
  }
}

function itemMetadata(item: StateItem): Metadata | undefined {
  if (item.expiresAtMs === undefined) return item.metadata
  return { ...item.metadata, ttlExpireTime: new Date(item.expiresAtMs).toISOString() }
}

function itemFields(item: StateItem): readonly string[] {
  const { value, etag } = item
  const fields = ['content-type', contentTypeOf(value)]
  // Dapr's spelling: there are SDKs that know no other.
  if (etag !== undefined) fields.push('Etag', etag)
  if (item.metadata !== undefined || item.expiresAtMs !== undefined) {
    metadataFields('metadata.', itemMetadata(item)!, fields)
  }
  return fields
}

function contentTypeOf({ contentType }: StateValue): string {
  // Others may have written it.
  if (contentType !== undefined && isFieldValue(contentType)) return asField(contentType)
  // As in Dapr: what came without a type is called JSON, and clients of both APIs share values.
  return 'application/json'
}

function contentTypeIn(value: unknown, where: string): string | undefined {
  const text = textIn(value, where)
  if (text === undefined || (text.length <= longestContentType && isFieldValue(text))) return text
  throw malformed(`${where} must be one line of at most ${longestContentType} characters`)
}

/** An item to be saved, of JSON `text` in which it begins at `start`. @throws ApiError MALFORMED_REQUEST */
export function saveItem(
  item: unknown,
  text: string,
  start: number,
  where: string,
  fromQuery: Metadata,
): SaveItem {
  if (!isRecord(item)) throw malformed(`${where} must be an object with "key" and "value"`)
  const span = rawMember(text, 'value', start)
  const raw = span === undefined ? 'null' : text.slice(span.start, span.end)
  const { key, etag, metadata, options: given, contentType } = membersOf(item, itemNames)
  if (given !== undefined && given !== null && !isRecord(given))
    throw malformed(`${where}.options must be an object`)
  const options = given && membersOf(given, optionNames)
  return {
    key: textIn(key, `${where}.key`) ?? '',
    value: {
      bytes: encoder.encode(raw),
      kind: 'json',
      contentType: contentTypeIn(contentType, `${where}.contentType`),
    },
    etag: textIn(etag, `${where}.etag`),
    metadata: { ...metadataIn(metadata, `${where}.metadata`), ...fromQuery },
    concurrency: concurrencyIn(textIn(options?.['concurrency'], `${where}.options.concurrency`)),
    consistency: consistencyIn(textIn(options?.['consistency'], `${where}.options.consistency`)),
    ...(options?.['retryPolicy'] !== undefined && { retryPolicy: options['retryPolicy'] }),
  }
}

function transactionItem(
  item: unknown,
  text: string,
  start: number,
  index: number,
  fromQuery: Metadata,
): TransactionItem {
  const where = `operations[${index}]`
  if (!isRecord(item)) throw malformed(`${where} must be an object with "operation" and "request"`)
  const { operation, request } = membersOf(item, operationNames)
  if (operation !== 'upsert' && operation !== 'delete') {
    throw new ApiError('STATE_OPERATION_NOT_SUPPORTED', `operation type ${String(operation)} not supported`)
  }
  if (!isRecord(request)) throw malformed(`${where}.request must be an object with "key"`)
  const span = rawMember(text, 'request', start)!
  const save = saveItem(request, text, span.start, `${where}.request`, fromQuery)
  if (operation === 'upsert') return { operation, request: save }
  const { value: _, ...rest } = save
  return { operation, request: rest }
}

function consistencyIn(text: string | undefined): Consistency | undefined {
  if (text === undefined || text === 'strong' || text === 'eventual') return text
  throw new ApiError(
    'MALFORMED_REQUEST',
    `consistency must be strong or eventual, got ${JSON.stringify(text)}`,
  )
}

function concurrencyIn(text: string | undefined): Concurrency | undefined {
  if (text === undefined || text === 'first-write' || text === 'last-write') return text
  throw new ApiError(
    'MALFORMED_REQUEST',
    `concurrency must be first-write or last-write, got ${JSON.stringify(text)}`,
  )
}
