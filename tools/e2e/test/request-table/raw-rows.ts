/** Requests that only HTTP can make: malformed ones, and routes that answer with no more than a status. */
export interface RawRow {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly status: number
  readonly errorCode?: string
  readonly differs?: string
}

const post = (name: string, path: string, body: string, status: number, errorCode?: string): RawRow => ({
  name,
  method: 'POST',
  path,
  body,
  status,
  ...(errorCode === undefined ? {} : { errorCode }),
})
const get = (name: string, path: string, status: number, errorCode?: string): RawRow => ({
  name,
  method: 'GET',
  path,
  status,
  ...(errorCode === undefined ? {} : { errorCode }),
})

const malformed = 'ERR_MALFORMED_REQUEST'

export const rawRows: readonly RawRow[] = [
  post('saving what is no JSON', '/v1.0/state/memory', '{', 400, malformed),
  post('saving what is no list', '/v1.0/state/memory', '{"key":"a"}', 400, malformed),
  post('saving without a key', '/v1.0/state/memory', '[{"value":1}]', 400, malformed),
  post('several: no JSON', '/v1.0/state/memory/bulk', '{', 400, malformed),
  post('a transaction that is no JSON', '/v1.0/state/memory/transaction', '{', 400, malformed),
  post('a binding request that is no JSON', '/v1.0/bindings/files', '{', 400, malformed),
  post('a lock request that is no JSON', '/v1.0-alpha1/lock/locks', '{', 400, malformed),
  post('an unlock request that is no JSON', '/v1.0-alpha1/unlock/locks', '{', 400, malformed),
  post(
    'bulk publishing what is no JSON',
    '/v1.0-alpha1/publish/bulk/bus/orders',
    '{',
    400,
    'ERR_PUBSUB_EVENTS_SER',
  ),
  get(
    'configuration that cannot be followed without an application',
    '/v1.0/configuration/settings/subscribe?key=a',
    500,
    'ERR_APP_CHANNEL_NIL',
  ),
  get('a path that there is not', '/v1.0/nothing', 404, 'ERR_DIRECT_INVOKE'),
  get('another method than there is', '/v1.0/publish/bus/orders', 404, 'ERR_DIRECT_INVOKE'),
  get('an invocation without an application', '/v1.0/invoke', 404, 'ERR_DIRECT_INVOKE'),
  get('health of the outbound side', '/v1.0/healthz/outbound', 204),
  get('health', '/v1.0/healthz', 204),
  get('health of another application', '/v1.0/healthz?appid=other', 500, 'ERR_HEALTH_APPID_NOT_MATCH'),
  get('metadata', '/v1.0/metadata', 200),
  post('publishing to no topic', '/v1.0/publish/bus/', '1', 404, 'ERR_DIRECT_INVOKE'),
  {
    name: 'a state key that is escaped',
    method: 'GET',
    path: '/v1.0/state/memory/a%2Fb%20c',
    status: 204,
  },
  { name: 'PUT in place of POST', method: 'PUT', path: '/v1.0/state/memory', body: '[]', status: 204 },
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
  if (response.status === row.status && errorCode === row.errorCode) return undefined
  return `expected ${row.status} ${row.errorCode ?? ''}, got ${response.status} ${text.slice(0, 300)}`
}
