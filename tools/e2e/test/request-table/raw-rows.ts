import { errorTable, type ErrorId } from '@outrigger/runtime'
import type { Place } from './operations.ts'

/** Requests that only HTTP can make: malformed ones, and routes that answer with no more than a status. */
export interface RawRow {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly at?: Place
  /** Of a success; or the row of the error table. */
  readonly status?: number
  readonly fails?: ErrorId
  /** The whole body of the answer. */
  readonly answer?: string
  readonly differs?: string
}

type Outcome = Pick<RawRow, 'status' | 'fails'>
type More = Pick<RawRow, 'at' | 'headers' | 'answer' | 'differs'>

const request =
  (method: string) =>
  (
    name: string,
    path: string,
    body: string | undefined,
    outcome: number | ErrorId,
    more: More = {},
  ): RawRow => ({
    name,
    method,
    path,
    ...(body === undefined ? {} : { body }),
    ...((typeof outcome === 'number' ? { status: outcome } : { fails: outcome }) as Outcome),
    ...more,
  })
const post = request('POST')
const put = request('PUT')
const get = (name: string, path: string, outcome: number | ErrorId, more: More = {}): RawRow =>
  request('GET')(name, path, undefined, outcome, more)

const malformed = 'MALFORMED_REQUEST'
const state = '/v1.0/state/memory'

const transaction = (operations: string, operation: string): string =>
  `{"${operations}":[{"Operation":"${operation}","REQUEST":{"Key":"told","Value":7}}]}`

export const rawRows: readonly RawRow[] = [
  post('saving what is no JSON', state, '{', malformed),
  post('saving what is no list', state, '{"key":"a"}', malformed),
  post('saving without a key', state, '[{"value":1}]', malformed),
  post('several: no JSON', `${state}/bulk`, '{', malformed),
  post('a transaction that is no JSON', `${state}/transaction`, '{', malformed),
  post('a binding request that is no JSON', '/v1.0/bindings/files', '{', malformed),
  post('a lock request that is no JSON', '/v1.0-alpha1/lock/locks', '{', malformed),
  post('an unlock request that is no JSON', '/v1.0-alpha1/unlock/locks', '{', malformed),
  post('bulk publishing what is no JSON', '/v1.0-alpha1/publish/bulk/bus/orders', '{', 'PUBSUB_EVENTS'),
  post('an operation with a key that is no JSON', '/v1.0-alpha1/subtlecrypto/keys/sign', '{', malformed, {
    differs: 'The subtle cryptography routes work',
  }),
  post(
    'a format of a key that there is not',
    '/v1.0-alpha1/subtlecrypto/keys/getkey',
    '{"format":7}',
    'BAD_REQUEST',
    {
      differs: 'The subtle cryptography routes work',
    },
  ),
  get(
    'configuration that cannot be followed without an application',
    '/v1.0/configuration/settings/subscribe?key=a',
    'APP_CHANNEL_NIL',
  ),
  get('a path that there is not', '/v1.0/nothing', 'DIRECT_INVOKE_NO_APP_ID'),
  get('another method than there is', '/v1.0/publish/bus/orders', 'DIRECT_INVOKE_NO_APP_ID'),
  get('an invocation without an application', '/v1.0/invoke', 'DIRECT_INVOKE_NO_APP_ID'),
  get('health of the outbound side', '/v1.0/healthz/outbound', 204),
  get('health', '/v1.0/healthz', 204),
  get('health with an application', '/v1.0/healthz', 204, { at: 'served' }),

  get('health of another application', '/v1.0/healthz?appid=other', 'HEALTH_APPID_NOT_MATCH'),
  get('health while the application is awaited', '/v1.0/healthz', 'HEALTH_NOT_READY', { at: 'waiting' }),
  get('health of the outbound side while the application is awaited', '/v1.0/healthz/outbound', 204, {
    at: 'waiting',
  }),
  get('metadata', '/v1.0/metadata', 200),
  put("metadata of one's own", '/v1.0/metadata/raw', 'any text', 204),
  post('publishing to no topic', '/v1.0/publish/bus/', '1', 'DIRECT_INVOKE_NO_APP_ID'),
  post('baggage that is none', '/v1.0/publish/bus/orders', '1', malformed, {
    headers: { baggage: '=;=' },
    differs: '`baggage` that is none',
  }),
  get('a consistency that there is not', `${state}/a?consistency=odd`, malformed, {
    differs: '`consistency` and `concurrency` that are neither',
  }),
  request('DELETE')('a concurrency that there is not', `${state}/a?concurrency=odd`, undefined, malformed, {
    differs: '`consistency` and `concurrency` that are neither',
  }),
  put('bulk publishing with PUT', '/v1.0-alpha1/publish/bulk/bus/orders', '[]', 204),
  post('bulk publishing, stable', '/v1.0/publish/bulk/bus/orders', '[]', 204, {
    differs: '`/v1.0/publish/bulk/` publishes in bulk',
  }),
  get('a state key that is escaped', `${state}/a%2Fb%20c`, 204),
  put('PUT in place of POST', state, '[]', 204),

  // Serializers of C# write names like this, and Dapr takes them.
  post('saving with other letters', state, '[{"Key":"cased","VALUE":{"Key":1}}]', 204),
  get('what was saved with other letters', `${state}/cased`, 200, { answer: '{"Key":1}' }),
  post('saving under two names of one member', state, '[{"KEY":"no","key":"two","Value":1,"value":2}]', 204),
  get('the last of two names', `${state}/two`, 200, { answer: '2' }),
  get('the first of two names', `${state}/no`, 204),
  post('a transaction with other letters', `${state}/transaction`, transaction('Operations', 'upsert'), 204),
  get('what a transaction with other letters saved', `${state}/told`, 200, { answer: '7' }),
  post(
    'a transaction with other letters in the name of its operation',
    `${state}/transaction`,
    transaction('operations', 'Upsert'),
    'STATE_OPERATION_NOT_SUPPORTED',
  ),
  post('several with other letters', `${state}/bulk`, '{"Keys":[],"PARALLELISM":1}', 200),
  post(
    'a binding with other letters',
    '/v1.0/bindings/files',
    '{"Operation":"create","Data":"cased","METADATA":{"fileName":"cased"}}',
    200,
  ),
  post(
    'what a binding with other letters wrote',
    '/v1.0/bindings/files',
    '{"operation":"get","metadata":{"fileName":"cased"}}',
    200,
    { answer: 'cased' },
  ),
  post(
    'bulk publishing with other letters',
    '/v1.0-alpha1/publish/bulk/bus/orders',
    '[{"EntryID":"1","Event":{"n":1},"CONTENTTYPE":"application/json","Metadata":{}}]',
    204,
  ),

  // Messages of protobuf in JSON have two names for a member, and no others.
  post(
    'a lock by the names of the protocol',
    '/v1.0-alpha1/lock/locks',
    '{"resource_id":"named","lock_owner":"me","expiry_in_seconds":1}',
    200,
  ),
  post(
    'a lock with other letters',
    '/v1.0-alpha1/lock/locks',
    '{"ResourceId":"named","LockOwner":"me","ExpiryInSeconds":1}',
    malformed,
  ),
]

export async function problemOfRaw(row: RawRow, url: string): Promise<string | undefined> {
  const response = await fetch(url + row.path, {
    method: row.method,
    ...(row.body === undefined ? {} : { body: row.body }),
    headers: { ...(row.body === undefined ? {} : { 'content-type': 'application/json' }), ...row.headers },
  })
  const text = await response.text()
  let errorCode: string | undefined
  try {
    errorCode = (JSON.parse(text) as { errorCode?: string }).errorCode
  } catch {
    // Not every answer is JSON.
  }
  const expected = row.fails === undefined ? undefined : errorTable[row.fails]
  const [status, code] = [expected?.http ?? row.status, expected?.code]
  if (response.status === status && errorCode === code && (row.answer ?? text) === text) return undefined
  return `expected ${status} ${code ?? ''} ${row.answer ?? ''}, got ${response.status} ${text.slice(0, 300)}`
}
