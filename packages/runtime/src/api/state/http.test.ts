import { recordingLogger } from '@outrigger/testkit'
import { ComponentError, type StateItem, type StateSetRequest, type StateStore } from '@outrigger/spec'
import type { Handler } from '@outrigger/wire'
import { expect, test } from 'vitest'
import { apiOf, ask } from '../../../test/support/fake-exchange.ts'
import { StateHandler } from './handler.ts'
import { stateRoutes } from './http.ts'

const logger = recordingLogger()
const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A store that keeps what it is told, and has besides what a test puts into it. */
class FakeStore implements StateStore {
  readonly capabilities = new Set(['etag'] as const)
  readonly items = new Map<string, StateItem>()
  readonly sets: StateSetRequest[] = []
  async get({ key }: { key: string }): Promise<StateItem | undefined> {
    return this.items.get(key)
  }
  async set(request: StateSetRequest): Promise<void> {
    this.sets.push(request)
    this.items.set(request.key, { value: request.value, etag: String(this.sets.length) })
  }
  async delete({ key }: { key: string }): Promise<void> {
    this.items.delete(key)
  }
  async close(): Promise<void> {}
}

function setUp(): { store: FakeStore; api: Handler } {
  const store = new FakeStore()
  const handler = new StateHandler(new Map([['store', { instance: store }]]), 'orders', logger)
  const api = apiOf(stateRoutes(handler))
  return { store, api }
}

const target = '/v1.0/state/store'
const save = (api: Handler, items: unknown) =>
  ask(api, { method: 'POST', target, body: JSON.stringify(items) })

test('a value comes back as it was written, digit for digit, with its ETag', async () => {
  const { api } = setUp()
  const body = '[{"key":"a b/c","value": {"n":12345678901234567890, "x":1.0}}]'
  expect((await ask(api, { method: 'PUT', target, body })).status).toBe(204)
  const answer = await ask(api, { target: `${target}/a+b%2Fc?consistency=strong` })
  expect([answer.status, answer.text]).toEqual([200, '{"n":12345678901234567890, "x":1.0}'])
  // An SDK looks for this spelling only.
  expect(answer.fields.flat()).toContain('Etag')
  expect([answer.fields.get('etag'), answer.fields.get('content-type')]).toEqual(['1', 'application/json'])
  expect((await ask(api, { target: `${target}/other` })).status).toBe(204)
})

test('a content type that cannot be sent back is not stored', async () => {
  const { api, store } = setUp()
  for (const contentType of ['text/plain\r\nset-cookie: a', `text/${'x'.repeat(1000)}`]) {
    const answer = await save(api, [{ key: 'k', value: 1, contentType }])
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      400,
      {
        errorCode: 'ERR_MALFORMED_REQUEST',
        message:
          'failed deserializing HTTP body: [0].contentType must be one line of at most 1000 characters',
      },
    ])
  }
  expect(store.sets).toEqual([])
})

test('what somebody else stored is sent as far as a header can hold it', async () => {
  const { api, store } = setUp()
  const value = { bytes: encode('x'), kind: 'binary' as const }
  store.items.set('broken', {
    value: { ...value, contentType: 'text/plain\nset-cookie: a' },
    metadata: { fine: 'ü', 'not a name': '1', broken: 'a\nb' },
    expiresAtMs: Date.UTC(2026, 0, 1),
  })
  const answer = await ask(api, { target: `${target}/broken` })
  expect([answer.status, [...answer.fields]]).toEqual([
    200,
    [
      ['content-type', 'application/json'],
      ['metadata.fine', Buffer.from('ü').toString('latin1')],
      ['metadata.ttlexpiretime', '2026-01-01T00:00:00.000Z'],
    ],
  ])
  store.items.set('named', { value: { ...value, contentType: 'text/weiß' } })
  expect((await ask(api, { target: `${target}/named` })).fields.get('content-type')).toBe('text/weiÃ\u009f')
})

test('items of a save say everything, and the query wins', async () => {
  const { api, store } = setUp()
  const item = {
    key: 'k',
    value: null,
    etag: '7',
    contentType: 'text/plain',
    metadata: { ttlInSeconds: '9', a: 'body' },
    options: { concurrency: 'first-write', consistency: 'eventual' },
  }
  const body = JSON.stringify([item])
  expect((await ask(api, { method: 'POST', target: `${target}?metadata.a=query`, body })).status).toBe(204)
  expect(store.sets).toEqual([
    {
      key: 'k',
      value: { bytes: encode('null'), kind: 'json', contentType: 'text/plain' },
      etag: '7',
      concurrency: 'first-write',
      consistency: 'eventual',
      ttlSeconds: 9,
      metadata: { ttlInSeconds: '9', a: 'query' },
    },
  ])
})

test.each(['[]', 'null'])('a save of %s saves nothing', async (body) => {
  const { api, store } = setUp()
  expect((await ask(api, { method: 'POST', target, body })).status).toBe(204)
  expect(store.sets).toEqual([])
})

test.each([
  ['nothing', '', 'the body is empty'],
  ['no array', '{}', 'an array of items with "key" and "value" is expected'],
  ['an item that is no object', '[1]', '[0] must be an object with "key" and "value"'],
  ['a key that is no text', '[{"key":1}]', '[0].key must be a string'],
  ['options that are no object', '[{"key":"k","options":[]}]', '[0].options must be an object'],
  ['metadata that is no text', '[{"key":"k","metadata":{"a":1}}]', '[0].metadata.a must be a string'],
  ['no key', '[{"value":1}]', '"key" is a required field'],
  [
    'a consistency that there is not',
    '[{"key":"k","options":{"consistency":"some"}}]',
    'consistency must be strong',
  ],
  [
    'a TTL that is no number',
    '[{"key":"k","metadata":{"ttlInSeconds":"soon"}}]',
    'ttlInSeconds must be a whole number',
  ],
])('a save of %s is refused with 400', async (_, body, message) => {
  const { api, store } = setUp()
  const answer = await ask(api, { method: 'POST', target, body })
  expect([answer.status, JSON.parse(answer.text).errorCode]).toEqual([400, 'ERR_MALFORMED_REQUEST'])
  expect(JSON.parse(answer.text).message).toContain(message)
  expect(store.sets).toEqual([])
})

test('members may be written in upper or lower case, as serializers of C# do', async () => {
  const { api, store } = setUp()
  const body = `[{"Key":"k","VALUE":{"N":1.0,"Key":"mine"},"ETag":"7","ContentType":"text/plain",
    "Metadata":{"TTL":"stays"},"Options":{"Concurrency":"first-write","CONSISTENCY":"strong"}}]`
  expect((await ask(api, { method: 'POST', target, body })).status).toBe(204)
  expect(store.sets).toEqual([
    {
      key: 'k',
      value: { bytes: encode('{"N":1.0,"Key":"mine"}'), kind: 'json', contentType: 'text/plain' },
      etag: '7',
      concurrency: 'first-write',
      consistency: 'strong',
      metadata: { TTL: 'stays' },
    },
  ])
  const bulk = await ask(api, {
    method: 'POST',
    target: `${target}/bulk`,
    body: '{"Keys":["k"],"PARALLELISM":1,"Metadata":{"a":"b"}}',
  })
  expect([bulk.status, bulk.text]).toMatchObject([200, expect.stringContaining('{"N":1.0,"Key":"mine"}')])
})

test('of names that differ in case alone the last one counts, as in Dapr', async () => {
  const { api, store } = setUp()
  const body = '[{"key":"a","KEY":"b","Value":1,"value":2},{"KEY":"c","key":"d","value":1,"VALUE":2}]'
  expect((await ask(api, { method: 'POST', target, body })).status).toBe(204)
  const text = ({ key, value }: StateSetRequest): string[] => [key, Buffer.from(value.bytes).toString()]
  expect(store.sets.map(text)).toEqual([
    ['b', '2'],
    ['d', '2'],
  ])
})

test('a body over the limit names the flag', async () => {
  const { api } = setUp()
  const answer = await ask(api, { method: 'POST', target, body: '[                ]', maxBodyBytes: 10 })
  expect([answer.status, JSON.parse(answer.text).errorCode]).toEqual([400, 'ERR_BODY_READ'])
  expect(JSON.parse(answer.text).message).toContain('--max-body-size')
})

test('bulk answers in the order of the keys, with values as they were written and base64 of what is not JSON', async () => {
  const { api, store } = setUp()
  await save(api, [{ key: 'a', value: { n: 1 } }])
  store.items.set('b', { value: { bytes: Uint8Array.of(1, 2), kind: 'binary' } })
  const body = '{"keys":["b","none","a"]}'
  const answer = await ask(api, { method: 'POST', target: `${target}/bulk`, body })
  expect([answer.status, answer.text]).toEqual([
    200,
    '[{"key":"b","data":"AQI="},{"key":"none"},{"key":"a","data":{"n":1},"etag":"1"}]',
  ])
})

test('a store that is not there is said to be so before the body is read', async () => {
  const { api } = setUp()
  const answer = await ask(api, { method: 'POST', target: '/v1.0/state/other', body: '{' })
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
    400,
    { errorCode: 'ERR_STATE_STORE_NOT_FOUND', message: 'state store other is not found' },
  ])
  const transaction = await ask(api, { method: 'POST', target: `${target}/transaction`, body: '{' })
  expect([transaction.status, JSON.parse(transaction.text)]).toMatchObject([
    500,
    { errorCode: 'ERR_STATE_STORE_NOT_SUPPORTED' },
  ])
})

test('a query is answered with values as they are stored', async () => {
  const asked: unknown[] = []
  const { store, api } = setUp()
  const query: NonNullable<StateStore['query']> = async (document, metadata) => {
    asked.push(document, metadata)
    if (document.page?.token === '9') return { results: [] }
    return {
      results: [
        { key: 'a', item: { value: { bytes: encode('{"n":1.0}'), kind: 'json' }, etag: '1' } },
        { key: 'b', item: { value: { bytes: encode('12345678901234567890'), kind: 'json' } } },
      ],
      token: '2',
      metadata: { took: '1' },
    }
  }
  Object.assign(store, { query })
  const alpha = '/v1.0-alpha1/state/store/query'
  const document = { filter: { EQ: { n: 1 } }, sort: [{ key: 'n', order: 'DESC' }], page: { limit: 2 } }
  const answer = await ask(api, {
    method: 'POST',
    target: `${alpha}?metadata.queryIndexName=x`,
    body: JSON.stringify(document),
  })
  expect([answer.status, answer.text]).toEqual([
    200,
    '{"results":[{"key":"a","data":{"n":1.0},"etag":"1"},{"key":"b","data":12345678901234567890}],"token":"2","metadata":{"took":"1"}}',
  ])
  expect(asked).toEqual([document, { queryIndexName: 'x' }])
  const none = await ask(api, { method: 'PUT', target: alpha, body: '{"page":{"token":"9"}}' })
  expect([none.status, none.text]).toEqual([204, ''])
})

test.each([
  ['', 400, 'ERR_STATE_QUERY', 'failed to parse JSON query body'],
  ['{"filter":{"EQ":{}}}', 400, 'ERR_STATE_QUERY', 'filter.EQ must contain a single key/value pair'],
  ['{"filter":{"EQ":{"odd":1}}}', 400, 'ERR_STATE_QUERY', 'no such index'],
  ['{"filter":{"EQ":{"away":1}}}', 500, 'ERR_STATE_QUERY', 'no answer'],
])('the query %j fails with %i %s', async (body, status, errorCode, message) => {
  const { store, api } = setUp()
  const query: NonNullable<StateStore['query']> = async ({ filter }) => {
    const [key] = Object.keys((filter as { EQ: object }).EQ)
    if (key === 'odd') throw new ComponentError('INVALID_ARGUMENT', 'no such index')
    throw new ComponentError('UNAVAILABLE', 'no answer')
  }
  Object.assign(store, { query })
  const answer = await ask(api, { method: 'POST', target: '/v1.0-alpha1/state/store/query', body })
  const error = JSON.parse(answer.text) as { message: string; details: { reason?: string }[] }
  expect([answer.status, error]).toMatchObject([status, { errorCode }])
  expect(error.message).toContain(message)
  expect(error.details[0]).toMatchObject({ reason: 'DAPR_STATE_QUERY_FAILED' })
})

test('a store without queries says so', async () => {
  const { api } = setUp()
  const answer = await ask(api, { method: 'POST', target: '/v1.0-alpha1/state/store/query', body: '{}' })
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
    500,
    {
      errorCode: 'ERR_STATE_STORE_NOT_SUPPORTED',
      message: 'state store does not support querying',
      details: [{ reason: 'DAPR_STATE_QUERYING_NOT_SUPPORTED' }, { resource_name: 'store' }],
    },
  ])
})
