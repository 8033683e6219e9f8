import { membersOf, namesOf } from '../../app/members.ts'
import type { HttpCall } from '../../server/http-call.ts'
import type { HttpRoute } from '../../server/router.ts'
import type { BulkPublishInputEntry } from '../../pubsub/types.ts'
import { isRecord, metadataIn, readBody } from '../json-body.ts'
import { rawElements, rawMember } from '../raw-json.ts'
import { errorTable } from '../errors.ts'
import { ApiError } from '../api-error.ts'
import type { PublishHandler, SoleBroker } from './handler.ts'

const writes = ['POST', 'PUT']
const jsonType = ['content-type', 'application/json']
const encoder = new TextEncoder()
const decoder = new TextDecoder()
const entryNames = namesOf('entryId', 'event', 'contentType', 'metadata')
/** Entries of one bulk request. */
const mostEntries = 10_000

/** The publish routes of the HTTP API. */
export function publishRoutes(handler: PublishHandler): HttpRoute[] {
  return [
    ...(handler.soleBroker === undefined ? [] : [earlyRoute(handler, handler.soleBroker)]),
    {
      name: 'PublishEvent',
      methods: writes,
      path: 'v1.0/publish/:pubsub/*',
      async handle(call) {
        const [pubsubName, topic] = call.params as [string, string]
        const data = await readBody(call)
        const contentType = call.request.fields.get('content-type')
        await handler.publish({ pubsubName, topic, data, contentType, metadata: call.metadata }, call)
        call.response.send(204)
      },
    },
    ...['v1.0', 'v1.0-alpha1'].map((version) => ({
      name: 'BulkPublishEvent',
      methods: writes,
      path: `${version}/publish/bulk/:pubsub/*`,
      handle: (call: HttpCall) => bulk(handler, call),
    })),
  ]
}

/** Early versions had one broker, and so no name for it. */
function earlyRoute(handler: PublishHandler, { pubsubName }: SoleBroker): HttpRoute {
  return {
    name: 'PublishEvent',
    methods: writes,
    path: 'v1.0/publish/:topic',
    async handle(call) {
      const topic = call.params[0]!
      if (pubsubName === undefined) {
        const text = `publishing to topic ${topic} needs a pubsub name: /v1.0/publish/PUBSUB/${topic}; there is not just one pubsub`
        throw new ApiError('PUBSUB_NAME_EMPTY', text)
      }
      const data = await readBody(call)
      const contentType = call.request.fields.get('content-type')
      await handler.publish({ pubsubName, topic, data, contentType, metadata: call.metadata }, call)
      call.response.send(204)
    },
  }
}

async function bulk(handler: PublishHandler, call: HttpCall): Promise<void> {
  const [pubsubName, topic] = call.params as [string, string]
  const names = { pubsubName, topic }
  const text = decoder.decode(await readBody(call))
  const entries = readEntries(text, (problem) => handler.eventsError(names, problem))
  const failures = await handler.publishBulk({ ...names, entries, metadata: call.metadata }, call)
  if (failures.length === 0) {
    call.response.send(204)
    return
  }
  const answer = {
    failedEntries: failures.map(({ entryId, error }) => ({ entryId, error: error.message })),
    errorCode: errorTable.PUBSUB_PUBLISH.code,
  }
  call.response.send(500, jsonType, JSON.stringify(answer))
}

function readEntries(text: string, problem: (text: string) => Error): BulkPublishInputEntry[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw problem((error as Error).message)
  }
  if (!Array.isArray(parsed)) throw problem('an array of entries is expected')
  if (parsed.length > mostEntries)
    throw problem(`${parsed.length} entries; at most ${mostEntries} are allowed`)
  const starts = rawElements(text)
  return parsed.map((entry: unknown, index) => {
    if (!isRecord(entry)) throw problem(`entry ${index} must be an object`)
    // Dapr's own client for Node.js writes entryID.
    const { entryId, event, contentType, metadata } = membersOf(entry, entryNames)
    if (entryId !== undefined && typeof entryId !== 'string')
      throw problem(`entryId of entry ${index} must be a string`)
    if (typeof contentType !== 'string' || contentType === '')
      throw problem(`contentType of entry ${index} must be a string, such as application/json`)
    const span = rawMember(text, 'event', starts[index])
    if (span === undefined) throw problem(`event of entry ${index} is missing`)
    const raw = text.slice(span.start, span.end)
    const mismatch = (wanted: string): Error =>
      problem(`mismatch between contentType and event of entry ${index}: ${contentType} takes ${wanted}`)
    return {
      entryId: entryId ?? '',
      data: eventData(event, raw, contentType, mismatch),
      contentType,
      metadata: metadataIn(metadata, `metadata of entry ${index}`),
    }
  })
}

/** JSON stays as it was written; text is taken out of its quotes; what is binary comes as base64. */
function eventData(
  event: unknown,
  raw: string,
  contentType: string,
  mismatch: (wanted: string) => Error,
): Uint8Array {
  const type = contentType.split(';', 1)[0]!.trim().toLowerCase()
  if (type === 'application/json' || type.endsWith('+json')) return encoder.encode(raw)
  const isText = type.startsWith('text/') || type === 'application/xml' || type.endsWith('+xml')
  if (typeof event !== 'string') throw mismatch(isText ? 'text' : 'base64 text')
  if (isText) return encoder.encode(event)
  if (!/^[A-Za-z0-9+/\s]*={0,2}$/.test(event)) throw mismatch('base64 text')
  return new Uint8Array(Buffer.from(event, 'base64'))
}
