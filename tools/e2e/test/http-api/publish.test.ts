import { describeWithService } from '@outrigger/services'
import { waitFor } from '@outrigger/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  App,
  call,
  component,
  endApps,
  endSidecars,
  startSidecar,
  type AppRequest,
  type HttpAnswer,
  type Sidecar,
  type Json,
} from '../../src/index.ts'

afterAll(async () => {
  await endSidecars()
  await endApps()
})

let app: App
let sidecar: Sidecar

beforeAll(async () => {
  app = await App.start({
    'GET /dapr/subscribe': [
      { pubsubname: 'pubsub', topic: 'orders', route: '/orders' },
      { pubsubname: 'pubsub', topic: 'a/b/c', route: '/slashes' },
      { pubsubname: 'pubsub', topic: 'raw', route: '/raw', metadata: { rawPayload: 'true' } },
      { pubsubname: 'pubsub', topic: 'reply', route: '/reply' },
      { pubsubname: 'pubsub', topic: 'dead', route: '/dead', deadLetterTopic: 'graveyard' },
      { pubsubname: 'pubsub', topic: 'graveyard', route: '/graveyard' },
      {
        pubsubname: 'pubsub',
        topic: 'bulk',
        route: '/bulk',
        bulkSubscribe: { enabled: true, maxMessagesCount: 10, maxAwaitDurationMs: 50 },
      },
    ],
    'POST /reply': (request) => {
      const { answers } = request.json().data as { answers: { status: number; body: string }[] }
      return answers[app.at('/reply').length - 1]!
    },
    'POST /dead': () => ({ status: 200, body: { status: 'DROP' } }),
    'POST /bulk': (request) => ({
      body: {
        statuses: request
          .json()
          .entries.map(({ entryId }: { entryId: string }) => ({ entryId, status: 'SUCCESS' })),
      },
    }),
    '*': () => ({ status: 200 }),
  })
  sidecar = await startSidecar({
    appId: 'shop',
    appPort: app.port,
    resources: [
      component('pubsub', 'pubsub.in-memory'),
      component('scoped', 'pubsub.in-memory', {
        metadata: {
          publishingScopes: 'shop=allowed',
          protectedTopics: 'secret',
          allowedTopics: 'allowed,other,secret',
        },
      }),
    ],
  })
})
beforeEach(() => void app.requests.splice(0))

const publish = (
  path: string,
  body?: string | object,
  headers: Record<string, string> = {},
  method = 'POST',
): Promise<HttpAnswer> => call(sidecar.httpPort, method, `/v1.0/publish/${path}`, body, headers)

async function delivered(path: string, count = 1): Promise<AppRequest> {
  return (await app.received(path, count)).at(-1)!
}

test.each(['POST', 'PUT'])('%s: 204, and the application gets a CloudEvent', async (method) => {
  const answer = await publish('pubsub/orders', { n: 1 }, {}, method)
  expect(answer).toMatchObject({ status: 204, text: '' })
  const request = await delivered('/orders')
  expect(request.method).toBe('POST')
  expect(request.headers['content-type']).toBe('application/cloudevents+json')
  expect(request.json()).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    specversion: '1.0',
    source: 'shop',
    type: 'com.dapr.event.sent',
    datacontenttype: 'application/json',
    data: { n: 1 },
    topic: 'orders',
    pubsubname: 'pubsub',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    traceid: expect.stringMatching(/^00-[0-9a-f]{32}-/),
    traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-/),
  })
})

test.each([
  ['text', 'text/plain', 'hello', { datacontenttype: 'text/plain', data: 'hello' }],
  ['XML', 'application/xml', '<a/>', { datacontenttype: 'application/xml', data: '<a/>' }],
  ['JSON text', 'application/json; charset=utf-8', '"x"', { data: 'x' }],
  [
    'bytes',
    'application/octet-stream',
    '\u0001\u0002',
    { datacontenttype: 'application/octet-stream', data_base64: 'AQI=' },
  ],
] as const)('%s', async (_name, type, body, expected) => {
  expect((await publish('pubsub/orders', body, { 'content-type': type })).status).toBe(204)
  expect((await delivered('/orders')).json()).toMatchObject(expected)
})

test('without a content type it is text', async () => {
  await publish('pubsub/orders', 'just text')
  expect((await delivered('/orders')).json()).toMatchObject({
    datacontenttype: 'text/plain',
    data: 'just text',
  })
})

test('big numbers are exact from end to end', async () => {
  const data = '{"big":12345678901234567890123,"exact":0.1000000000000000055511151231257827}'
  await publish('pubsub/orders', data, { 'content-type': 'application/json' })
  expect((await delivered('/orders')).body.toString()).toContain(`"data":${data}`)
  const event = `{"specversion":"1.0","id":"1","source":"s","type":"t","data":${data}}`
  await publish('pubsub/orders', event, { 'content-type': 'application/cloudevents+json' })
  expect((await delivered('/orders', 2)).body.toString()).toContain(`"data":${data}`)
})

test('a CloudEvent goes through as it is, with what is missing', async () => {
  const event = {
    specversion: '1.0',
    id: 'mine',
    source: 'me',
    type: 'my.type',
    subject: 'sub',
    mine: 'ext',
    data: { n: 1 },
  }
  await publish('pubsub/orders', JSON.stringify(event), { 'content-type': 'application/cloudevents+json' })
  expect((await delivered('/orders')).json()).toMatchObject({
    ...event,
    topic: 'orders',
    pubsubname: 'pubsub',
  })
})

test('metadata overrides members of the envelope', async () => {
  await publish(
    'pubsub/orders?metadata.cloudevent.id=my-id&metadata.cloudevent.type=my.type&metadata.cloudevent.source=me',
    { n: 1 },
  )
  expect((await delivered('/orders')).json()).toMatchObject({ id: 'my-id', type: 'my.type', source: 'me' })
})

test('topics may have slashes, escaped or not', async () => {
  expect((await publish('pubsub/a/b/c', { n: 1 })).status).toBe(204)
  expect((await delivered('/slashes')).json()).toMatchObject({ topic: 'a/b/c', data: { n: 1 } })
  expect((await publish('pubsub/a%2Fb%2Fc', { n: 2 })).status).toBe(204)
  expect((await delivered('/slashes', 2)).json()).toMatchObject({ topic: 'a/b/c', data: { n: 2 } })
})

test('a raw payload has no envelope', async () => {
  await publish('pubsub/raw?metadata.rawPayload=true', 'raw bytes', { 'content-type': 'text/plain' })
  const request = await delivered('/raw')
  expect(Buffer.from(request.json().data_base64, 'base64').toString()).toBe('raw bytes')
})

describe('what the application answers', () => {
  const ok = { status: 200, body: '' }
  test.each([
    ['an empty 200: done', [ok], 1],
    ['SUCCESS: done', [{ status: 200, body: '{"status":"SUCCESS"}' }], 1],
    ['an unreadable body: done', [{ status: 200, body: '<html>' }], 1],
    ['DROP: done', [{ status: 200, body: '{"status":"DROP"}' }], 1],
    ['404: dropped', [{ status: 404, body: '' }], 1],
    ['RETRY: again', [{ status: 200, body: '{"status":"RETRY"}' }, ok], 2],
    ['an unknown status: again', [{ status: 200, body: '{"status":"PERHAPS"}' }, ok], 2],
    ['500: again', [{ status: 500, body: 'oh' }, { status: 503, body: '' }, ok], 3],
  ])('%s', async (_name, answers, times) => {
    await publish('pubsub/reply', { answers })
    await app.received('/reply', times)
    // A message of another topic that comes back shows that nothing more is on its way here.
    await publish('pubsub/orders', { marker: true })
    await app.received('/orders')
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(app.at('/reply')).toHaveLength(times)
  })
})

test('what is dropped goes to the dead letter topic', async () => {
  await publish('pubsub/dead', { n: 1 })
  expect((await delivered('/graveyard')).json()).toMatchObject({ data: { n: 1 } })
})

describe('bulk', () => {
  const entry = (entryId: string, event: unknown, contentType = 'application/json'): object => ({
    entryId,
    event,
    contentType,
  })

  test.each(['v1.0', 'v1.0-alpha1'])(
    '%s: publishes, and the application gets envelopes together',
    async (version) => {
      const entries = [
        entry('1', { n: 1 }),
        entry('2', 'text', 'text/plain'),
        entry('3', 'AQI=', 'application/octet-stream'),
      ]
      const answer = await call(sidecar.httpPort, 'POST', `/${version}/publish/bulk/pubsub/bulk`, entries)
      expect(answer.status).toBe(204)
      const events = (): Json[] =>
        app.at('/bulk').flatMap((request) => request.json().entries.map((item: Json) => item.event))
      await waitFor(() => events().length >= 3)
      expect(events().map(({ data, data_base64 }) => data ?? data_base64)).toEqual(
        expect.arrayContaining([{ n: 1 }, 'text', 'AQI=']),
      )
      expect(app.at('/bulk')[0]!.json()).toMatchObject({
        topic: 'bulk',
        pubsubname: 'pubsub',
        type: 'com.dapr.event.sent.bulk',
      })
    },
  )

  test.each([
    ['no JSON', '[{', 'UNMARSHAL'],
    ['no array', { entryId: '1' }, 'UNMARSHAL'],
    ['an entry without entryId', [{ event: 1, contentType: 'application/json' }], 'MARSHAL'],
    ['an entryId twice', [entry('1', 1), entry('1', 2)], 'MARSHAL'],
    ['bytes that are not base64', [entry('1', '***', 'application/octet-stream')], 'UNMARSHAL'],
  ])('refused: %s', async (_name, body, what) => {
    const answer = await publish('bulk/pubsub/bulk', body)
    expect(answer.status).toBe(400)
    expect(answer.json).toMatchObject({
      errorCode: 'ERR_PUBSUB_EVENTS_SER',
      details: [
        { reason: `DAPR_PUBSUB_${what}_EVENTS` },
        { resource_name: 'pubsub', resource_type: 'pubsub' },
      ],
    })
    expect(app.requests).toEqual([])
  })

  test('a broker that is not there', async () => {
    expect(await publish('bulk/nosuch/bulk', [entry('1', 1)])).toMatchObject({
      status: 404,
      json: { errorCode: 'ERR_PUBSUB_NOT_FOUND' },
    })
  })
})

describe('refused', () => {
  test.each([
    ['a broker that is not there', 'nosuch/orders', 404, 'ERR_PUBSUB_NOT_FOUND', 'DAPR_PUBSUB_NOT_FOUND'],
    ['a topic out of scope', 'scoped/other', 403, 'ERR_PUBSUB_FORBIDDEN', 'DAPR_PUBSUB_FORBIDDEN'],
    ['a protected topic', 'scoped/secret', 403, 'ERR_PUBSUB_FORBIDDEN', 'DAPR_PUBSUB_FORBIDDEN'],
    [
      'a topic that is not among the allowed',
      'scoped/unknown',
      403,
      'ERR_PUBSUB_FORBIDDEN',
      'DAPR_PUBSUB_FORBIDDEN',
    ],
    [
      'a TTL that is none',
      'pubsub/orders?metadata.ttlInSeconds=soon',
      400,
      'ERR_PUBSUB_REQUEST_METADATA',
      'DAPR_PUBSUB_METADATA_DESERIALIZATION',
    ],
  ])('%s', async (_name, path, status, errorCode, reason) => {
    const answer = await publish(path, { n: 1 })
    expect(answer.status).toBe(status)
    expect(answer.json).toMatchObject({
      errorCode,
      message: expect.stringMatching(/\S/),
      details: expect.arrayContaining([
        expect.objectContaining({
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          domain: 'dapr.io',
          reason,
        }),
      ]),
    })
  })

  test('a rawPayload that is neither true nor false', async () => {
    const answer = await publish('pubsub/orders?metadata.rawPayload=perhaps', 'x')
    expect(answer).toMatchObject({ status: 400, json: { errorCode: 'ERR_PUBSUB_REQUEST_METADATA' } })
    expect(answer.json.message).toContain('perhaps')
  })

  test('no topic: the slash at the end is taken away, and then it is no route', async () => {
    expect(await publish('pubsub/', 'x')).toMatchObject({
      status: 404,
      json: { errorCode: 'ERR_DIRECT_INVOKE' },
    })
  })

  test('a topic in scope is served', async () => {
    expect((await publish('scoped/allowed', { n: 1 })).status).toBe(204)
  })

  test('a CloudEvent that is none', async () => {
    const answer = await publish('pubsub/orders', 'no event', {
      'content-type': 'application/cloudevents+json',
    })
    expect(answer.status).toBe(500)
    expect(answer.json).toMatchObject({
      errorCode: 'ERR_PUBSUB_CLOUD_EVENTS_SER',
      details: [{ reason: 'DAPR_PUBSUB_CLOUD_EVENT_CREATION' }, {}],
    })
  })

  test('without any broker: 404 ERR_PUBSUB_NOT_FOUND, as with one', async () => {
    const bare = await startSidecar({ resources: '' })
    const answer = await call(bare.httpPort, 'POST', '/v1.0/publish/pubsub/orders', { n: 1 })
    expect(answer).toMatchObject({ status: 404, json: { errorCode: 'ERR_PUBSUB_NOT_FOUND' } })
    await bare.dispose()
  })
})

describeWithService('redis', 'a broker that fails', (get) => {
  test('500 ERR_PUBSUB_PUBLISH_MESSAGE, of a bulk request with every entry', async () => {
    const own = await startSidecar({
      resources: component('pubsub', 'pubsub.redis', {
        metadata: {
          redisHost: `127.0.0.1:${get().port}`,
          redisMaxRetries: 0,
          dialTimeout: '1s',
          readTimeout: '1s',
        },
      }),
    })
    await get().kill()
    const one = await call(own.httpPort, 'POST', '/v1.0/publish/pubsub/orders', { n: 1 })
    expect(one).toMatchObject({ status: 500, json: { errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE' } })
    expect(one.json.details[0].reason).toBe('DAPR_PUBSUB_PUBLISH_MESSAGE')
    const entries = ['a', 'b'].map((entryId) => ({ entryId, event: 1, contentType: 'application/json' }))
    const bulk = await call(own.httpPort, 'POST', '/v1.0/publish/bulk/pubsub/orders', entries)
    expect(bulk.status).toBe(500)
    expect(bulk.json).toEqual({
      errorCode: 'ERR_PUBSUB_PUBLISH_MESSAGE',
      failedEntries: ['a', 'b'].map((entryId) => ({ entryId, error: expect.stringMatching(/\S/) })),
    })
    await get().restart()
    await waitFor(
      async () => (await call(own.httpPort, 'POST', '/v1.0/publish/pubsub/orders', { n: 1 })).status === 204,
    )
  })
})
