import { describeWithService } from '@outrigger/services'
import { waitFor } from '@outrigger/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { call, component, endSidecars, startSidecar, type HttpAnswer, type Sidecar } from '../../src/index.ts'

afterAll(endSidecars)

const errorInfo = (reason: string, metadata?: object): object => ({
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  domain: 'dapr.io',
  reason,
  ...(metadata && { metadata }),
})

function routes(resources: () => string, ofNonsense: 400 | 409): void {
  let sidecar: Sidecar
  const send = (
    method: string,
    path: string,
    body?: string | object,
    headers?: Record<string, string>,
  ): Promise<HttpAnswer> => call(sidecar.httpPort, method, `/v1.0/state/${path}`, body, headers)

  beforeAll(async () => {
    sidecar = await startSidecar({ appId: 'shop', resources: resources() })
    await send('POST', 'store', [
      { key: 'there', value: { a: 1 } },
      { key: 'other', value: 'text' },
    ])
  })

  test('GET: a value with its ETag, or 204 without anything', async () => {
    const found = await send('GET', 'store/there')
    expect(found).toMatchObject({ status: 200, text: '{"a":1}' })
    expect(found.headers['content-type']).toBe('application/json')
    expect(found.headers.etag).toMatch(/^\S+$/)
    const absent = await send('GET', 'store/absent')
    expect(absent).toMatchObject({ status: 204, text: '' })
    expect(absent.headers.etag).toBeUndefined()
    expect((await send('GET', 'store/there?consistency=strong')).status).toBe(200)
  })

  test.each(['POST', 'PUT'])('%s saves an array of items, with options', async (method) => {
    const items = [
      { key: `${method}1`, value: 1, options: { concurrency: 'last-write', consistency: 'strong' } },
      { key: `${method}2`, value: null },
      { key: `${method}3` },
    ]
    expect(await send(method, 'store', items)).toMatchObject({ status: 204, text: '' })
    expect((await send('GET', `store/${method}1`)).text).toBe('1')
    expect((await send('GET', `store/${method}2`)).text).toBe('null')
  })

  test('a save with a stale ETag: 409, others of the request are saved', async () => {
    const answer = await send('POST', 'store', [
      { key: 'there', value: 2, etag: '4711' },
      { key: 'beside', value: 3 },
    ])
    expect(answer.status).toBe(409)
    expect(answer.json).toMatchObject({
      errorCode: 'ERR_STATE_SAVE',
      message: expect.stringContaining('store'),
    })
    expect((await send('GET', 'store/there')).json).toEqual({ a: 1 })
    expect((await send('GET', 'store/beside')).json).toBe(3)
  })

  test('an ETag that the store could not have given', async () => {
    const options = { concurrency: 'first-write' }
    const saved = await send('POST', 'store', [{ key: 'there', value: 2, etag: 'nonsense!', options }])
    expect({ status: saved.status, errorCode: saved.json.errorCode }).toEqual({
      status: ofNonsense,
      errorCode: 'ERR_STATE_SAVE',
    })
    const deleted = await send('DELETE', 'store/there', undefined, { 'if-match': 'nonsense!' })
    expect({ status: deleted.status, errorCode: deleted.json.errorCode }).toEqual({
      status: ofNonsense,
      errorCode: 'ERR_STATE_DELETE',
    })
    expect((await send('GET', 'store/there')).json).toEqual({ a: 1 })
  })

  test('DELETE, If-Match: 204, and 409 for a stale one', async () => {
    await send('POST', 'store', [{ key: 'away', value: 1 }])
    const stale = await send('DELETE', 'store/away?concurrency=first-write', undefined, {
      'if-match': '4711',
    })
    expect(stale.status).toBe(409)
    expect(stale.json.errorCode).toBe('ERR_STATE_DELETE')
    const { etag } = (await send('GET', 'store/away')).headers
    expect((await send('DELETE', 'store/away', undefined, { 'if-match': etag! })).status).toBe(204)
    expect((await send('GET', 'store/away')).status).toBe(204)
    expect((await send('DELETE', 'store/away')).status).toBe(204)
  })

  test.each(['POST', 'PUT'])('%s bulk: one result for each key, in order', async (method) => {
    const answer = await send(method, 'store/bulk', { keys: ['other', 'absent', 'there'], parallelism: 2 })
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual([
      { key: 'other', data: 'text', etag: expect.any(String) },
      { key: 'absent' },
      { key: 'there', data: { a: 1 }, etag: expect.any(String) },
    ])
    expect((await send(method, 'store/bulk', { keys: [] })).text).toBe('[]')
  })

  test.each(['POST', 'PUT'])('%s transaction: upserts and deletes together', async (method) => {
    await send('POST', 'store', [{ key: 'tx-old', value: 1 }])
    const operations = [
      { operation: 'upsert', request: { key: 'tx-new', value: { n: 1 } } },
      { operation: 'delete', request: { key: 'tx-old' } },
    ]
    expect((await send(method, 'store/transaction', { operations, metadata: { any: 'thing' } })).status).toBe(
      204,
    )
    expect((await send('GET', 'store/tx-new')).json).toEqual({ n: 1 })
    expect((await send('GET', 'store/tx-old')).status).toBe(204)
    expect((await send(method, 'store/transaction', { operations: [] })).status).toBe(204)
  })

  test('a transaction that cannot be done does nothing', async () => {
    const operations = [
      { operation: 'upsert', request: { key: 'tx-half', value: 1 } },
      {
        operation: 'upsert',
        request: { key: 'there', value: 2, etag: '4711', options: { concurrency: 'first-write' } },
      },
    ]
    const answer = await send('POST', 'store/transaction', { operations })
    expect(answer.status).toBe(500)
    expect(answer.json.errorCode).toBe('ERR_STATE_TRANSACTION')
    expect((await send('GET', 'store/tx-half')).status).toBe(204)
  })

  test('TTL: of an item, of the request, never; the end is told and comes', async () => {
    await send('POST', 'store', [
      { key: 'ttl-short', value: 1, metadata: { ttlInSeconds: '1' } },
      { key: 'ttl-never', value: 1, metadata: { ttlInSeconds: '-1' } },
    ])
    await send('POST', 'store?metadata.ttlInSeconds=500', [{ key: 'ttl-query', value: 1 }])
    const query = await send('GET', 'store/ttl-query')
    const end = Date.parse(query.headers['metadata.ttlexpiretime'] as string)
    expect(end).toBeGreaterThan(Date.now() + 400_000)
    expect(end).toBeLessThanOrEqual(Date.now() + 501_000)
    await waitFor(async () => (await send('GET', 'store/ttl-short')).status === 204, { everyMs: 50 })
    const never = await send('GET', 'store/ttl-never')
    expect(never.status).toBe(200)
    expect(never.headers['metadata.ttlexpiretime']).toBeUndefined()
  })

  test.each([
    ['a slash', 'a%2Fb', 'a/b'],
    ['a space as plus', 'a+b', 'a b'],
    ['other letters', '%C3%BC%20%25', 'ü %'],
    ['a question mark', 'what%3F', 'what?'],
  ])('keys with %s', async (_name, escaped, key) => {
    await send('POST', 'store', [{ key, value: key }])
    expect((await send('GET', `store/${escaped}`)).json).toBe(key)
    expect((await send('POST', 'store/bulk', { keys: [key] })).json[0]).toMatchObject({ key, data: key })
    expect((await send('DELETE', `store/${escaped}`)).status).toBe(204)
    expect((await send('GET', `store/${escaped}`)).status).toBe(204)
  })

  test('numbers, spaces and escapes come out as they went in', async () => {
    const text =
      '{"big":12345678901234567890123,"small":1e-400,"exact":0.1000000000000000055511151231257827,"neg":-0,"u":"\\u00fc"}'
    await send('POST', 'store', `[{"key":"exact","value":${text}},{"key":"plain","value":9007199254740993}]`)
    expect((await send('GET', 'store/exact')).text).toBe(text)
    expect((await send('GET', 'store/plain')).text).toBe('9007199254740993')
    expect((await send('POST', 'store/bulk', { keys: ['exact'] })).text).toContain(`"data":${text}`)
    const operations = `[{"operation":"upsert","request":{"key":"exact2","value":${text}}}]`
    expect((await send('POST', 'store/transaction', `{"operations":${operations}}`)).status).toBe(204)
    expect((await send('GET', 'store/exact2')).text).toBe(text)
  })

  const malformed = { status: 400, errorCode: 'ERR_MALFORMED_REQUEST' }
  test.each([
    ['no JSON', 'POST', 'store', '[{', malformed],
    ['an empty body', 'POST', 'store', '', malformed],
    ['no array', 'POST', 'store', { key: 'k' }, malformed],
    ['an item that is none', 'POST', 'store', ['k'], malformed],
    ['no key', 'POST', 'store', [{ value: 1 }], malformed],
    ['a key with ||', 'POST', 'store', [{ key: 'a||b', value: 1 }], malformed],
    [
      'a TTL that is none',
      'POST',
      'store',
      [{ key: 'k', value: 1, metadata: { ttlInSeconds: 'soon' } }],
      malformed,
    ],
    [
      'a store that is not there',
      'POST',
      'nosuch',
      [{ key: 'k', value: 1 }],
      { status: 400, errorCode: 'ERR_STATE_STORE_NOT_FOUND' },
    ],
    [
      'get: a store that is not there',
      'GET',
      'nosuch/k',
      undefined,
      { status: 400, errorCode: 'ERR_STATE_STORE_NOT_FOUND' },
    ],
    ['get: a key with ||', 'GET', 'store/a%7C%7Cb', undefined, malformed],
    ['delete: a key with ||', 'DELETE', 'store/a%7C%7Cb', undefined, malformed],
    [
      'delete: a store that is not there',
      'DELETE',
      'nosuch/k',
      undefined,
      { status: 400, errorCode: 'ERR_STATE_STORE_NOT_FOUND' },
    ],
    ['bulk: no JSON', 'POST', 'store/bulk', 'x', malformed],
    ['bulk: keys that are none', 'POST', 'store/bulk', { keys: [1] }, malformed],
    [
      'bulk: a store that is not there',
      'POST',
      'nosuch/bulk',
      { keys: [] },
      { status: 400, errorCode: 'ERR_STATE_STORE_NOT_FOUND' },
    ],
    ['transaction: no JSON', 'POST', 'store/transaction', '{', malformed],
    [
      'transaction: an operation that is none',
      'POST',
      'store/transaction',
      { operations: [{ operation: 'burn', request: { key: 'k' } }] },
      { status: 400, errorCode: 'ERR_NOT_SUPPORTED_STATE_OPERATION' },
    ],
    [
      'transaction: a key with ||',
      'POST',
      'store/transaction',
      { operations: [{ operation: 'upsert', request: { key: 'a||b', value: 1 } }] },
      malformed,
    ],
    [
      'transaction: a store that is not there',
      'POST',
      'nosuch/transaction',
      { operations: [] },
      { status: 400, errorCode: 'ERR_STATE_STORE_NOT_FOUND' },
    ],
  ] as const)('refused: %s', async (_name, method, path, body, expected) => {
    const answer = await send(method, path, body as string)
    expect({ status: answer.status, errorCode: answer.json.errorCode }).toEqual(expected)
    expect(answer.json.message).toMatch(/\S/)
    expect(answer.headers['content-type']).toBe('application/json')
  })

  test('errors with details have the shapes of google.rpc', async () => {
    expect((await send('GET', 'nosuch/k')).json).toEqual({
      errorCode: 'ERR_STATE_STORE_NOT_FOUND',
      message: 'state store nosuch is not found',
      details: [errorInfo('DAPR_STATE_NOT_FOUND', { appID: 'shop' })],
    })
    const illegal = (await send('GET', 'store/a%7C%7Cb')).json
    expect(illegal).toMatchObject({
      errorCode: 'ERR_MALFORMED_REQUEST',
      message: "input key/keyPrefix 'a||b' can't contain '||'",
    })
    expect(illegal.details).toEqual([
      errorInfo('DAPR_STATE_ILLEGAL_KEY'),
      {
        '@type': 'type.googleapis.com/google.rpc.ResourceInfo',
        resource_name: 'store',
        resource_type: 'state',
      },
      {
        '@type': 'type.googleapis.com/google.rpc.BadRequest',
        field_violations: [{ field: 'a||b', description: "input key/keyPrefix 'a||b' can't contain '||'" }],
      },
    ])
  })
}

describe('state.in-memory', () => routes(() => component('store', 'state.in-memory'), 409))
describe('state.sqlite', () =>
  routes(() => component('store', 'state.sqlite', { metadata: { connectionString: 's.db' } }), 409))
describeWithService('redis', 'state.redis', (get) =>
  // Its ETags are numbers, so that it can tell.
  routes(
    () => component('store', 'state.redis', { metadata: { redisHost: `127.0.0.1:${get().port}` } }),
    400,
  ),
)

describe('where things are missing', () => {
  let sidecar: Sidecar
  beforeAll(async () => {
    sidecar = await startSidecar({ appId: 'shop', resources: '' })
  })

  test.each([
    ['GET', 'store/k'],
    ['POST', 'store'],
    ['DELETE', 'store/k'],
    ['POST', 'store/bulk'],
    ['POST', 'store/transaction'],
  ])('%s %s without any store: 500 ERR_STATE_STORE_NOT_CONFIGURED', async (method, path) => {
    const answer = await call(
      sidecar.httpPort,
      method,
      `/v1.0/state/${path}`,
      method === 'POST' ? [] : undefined,
    )
    expect(answer.status).toBe(500)
    expect(answer.json).toEqual({
      errorCode: 'ERR_STATE_STORE_NOT_CONFIGURED',
      message: 'state store store is not configured',
      details: [errorInfo('DAPR_STATE_NOT_CONFIGURED', { appID: 'shop' })],
    })
  })
})

describeWithService('redis', 'a store that fails', (get) => {
  test('500 of each operation, until it works again', async () => {
    const sidecar = await startSidecar({
      resources: component('store', 'state.redis', {
        metadata: {
          redisHost: `127.0.0.1:${get().port}`,
          redisMaxRetries: 0,
          dialTimeout: '1s',
          readTimeout: '1s',
        },
      }),
    })
    await get().kill()
    const expected = [
      ['GET', 'store/k', undefined, 'ERR_STATE_GET'],
      ['POST', 'store', [{ key: 'k', value: 1 }], 'ERR_STATE_SAVE'],
      ['DELETE', 'store/k', undefined, 'ERR_STATE_DELETE'],
      [
        'POST',
        'store/transaction',
        { operations: [{ operation: 'delete', request: { key: 'k' } }] },
        'ERR_STATE_TRANSACTION',
      ],
    ] as const
    for (const [method, path, body, errorCode] of expected) {
      const answer = await call(sidecar.httpPort, method, `/v1.0/state/${path}`, body)
      expect({ status: answer.status, errorCode: answer.json.errorCode }).toEqual({ status: 500, errorCode })
    }
    const bulk = await call(sidecar.httpPort, 'POST', '/v1.0/state/store/bulk', { keys: ['k'] })
    // Dapr answers with the error in each entry, or for all when the store reads in bulk.
    expect(bulk.text).toMatch(/ERR_STATE_BULK_GET|"error"/)
    await get().restart()
    await waitFor(async () => (await call(sidecar.httpPort, 'GET', '/v1.0/state/store/k')).status === 204, {
      what: 'the store works again',
    })
  })
})

describe('key prefixes, as the store has them', () => {
  test.each([
    [undefined, 'shop||k'],
    ['appid', 'shop||k'],
    ['name', 'store||k'],
    ['namespace', 'prod.shop||k'],
    ['none', 'k'],
    ['mine', 'mine||k'],
  ] as const)('%s: %s', async (strategy, expected) => {
    const { DatabaseSync } = await import('node:sqlite')
    const sidecar = await startSidecar({
      appId: 'shop',
      env: { NAMESPACE: 'prod' },
      resources: component('store', 'state.sqlite', {
        metadata: { connectionString: 'state.db', ...(strategy !== undefined && { keyPrefix: strategy }) },
      }),
    })
    expect((await call(sidecar.httpPort, 'POST', '/v1.0/state/store', [{ key: 'k', value: 1 }])).status).toBe(
      204,
    )
    const database = new DatabaseSync(`${sidecar.folder}/state.db`)
    const keys = database
      .prepare('SELECT key FROM state')
      .all()
      .map((row) => row['key'])
    database.close()
    expect(keys).toEqual([expected])
    expect((await call(sidecar.httpPort, 'GET', '/v1.0/state/store/k')).json).toBe(1)
    await sidecar.dispose()
  })
})
