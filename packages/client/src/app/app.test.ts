import { describe, expect, test } from 'vitest'
import { createApp, Reply, type App, type AppAnswer, type CreateAppOptions } from './index.ts'

const errors: { message: string; fields: object }[] = []
const logger = { error: (message: string, fields = {}) => void errors.push({ message, fields }) }
const appOf = (options: CreateAppOptions = {}): App => createApp({ env: {}, logger, ...options })

interface Sent {
  readonly headers?: Record<string, string>
  readonly body?: unknown
}

async function send(
  app: App,
  method: string,
  path: string,
  { headers = {}, body }: Sent = {},
): Promise<AppAnswer | undefined> {
  const [bare = '', query = ''] = path.split('?')
  const bytes =
    body instanceof Uint8Array
      ? body
      : new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body ?? ''))
  const all = new Map(Object.entries({ 'content-type': 'application/json', ...headers }))
  return app.handle({ method, path: bare, query, headers: all, body: bytes })
}

async function json(answer: Promise<AppAnswer | undefined>): Promise<unknown> {
  return JSON.parse(String((await answer)?.body))
}

const event = (data: unknown, id = '1') => ({ specversion: '1.0', id, type: 't', source: 's', data })
const bulk = (...entries: unknown[]) => ({
  id: 'b',
  type: 'com.dapr.event.sent.bulk',
  entries: entries.map((each, index) => ({
    entryId: `e${index}`,
    contentType: 'application/cloudevents+json',
    event: each,
  })),
})

describe('what the sidecar is told', () => {
  test('of subscriptions', async () => {
    const app = appOf()
    app.subscribe('bus', 'orders', () => undefined)
    app.subscribe('bus', 'a/b c', () => undefined, {
      rules: [{ match: 'event.type == "x"', handler: () => undefined }],
      deadLetterTopic: 'dead',
      metadata: { k: 'v' },
    })
    app.subscribe('bus', 'raw', () => undefined, { rawPayload: true, bulk: true, route: 'raw/in' })
    app.subscribeBulk('bus', 'many', () => undefined, { maxMessages: 5, maxAwaitMs: 100 })
    app.subscribe('bus', 'yaml', () => undefined, { declared: true, route: '/yaml' })
    expect(await json(send(app, 'GET', '/dapr/subscribe'))).toEqual([
      { pubsubname: 'bus', topic: 'orders', route: '/outrigger/bus/orders' },
      {
        pubsubname: 'bus',
        topic: 'a/b c',
        routes: {
          rules: [{ match: 'event.type == "x"', path: '/outrigger/bus/a-b-c' }],
          default: '/outrigger/bus/a-b-c/2',
        },
        metadata: { k: 'v' },
        deadLetterTopic: 'dead',
      },
      {
        pubsubname: 'bus',
        topic: 'raw',
        route: '/raw/in',
        metadata: { rawPayload: 'true' },
        bulkSubscribe: { enabled: true },
      },
      {
        pubsubname: 'bus',
        topic: 'many',
        route: '/outrigger/bus/many',
        bulkSubscribe: { enabled: true, maxMessagesCount: 5, maxAwaitDurationMs: 100 },
      },
    ])
    expect(app.has('POST', '/yaml')).toBe(true)
  })

  test('of its configuration', async () => {
    expect(await json(send(appOf(), 'GET', '/dapr/config'))).toEqual({ entities: [] })
    const app = appOf({ config: { entities: ['door'], actorIdleTimeout: '1h' } })
    expect(await json(send(app, 'GET', '/dapr/config'))).toEqual({
      entities: ['door'],
      actorIdleTimeout: '1h',
    })
  })

  test('names that cannot be served are refused, and so are two handlers of one thing', () => {
    const app = appOf()
    app.subscribe('bus', 'orders', () => undefined)
    expect(() => app.subscribe('bus', 'orders', () => undefined)).toThrow('use rules')
    expect(() => app.subscribe('', 'orders', () => undefined)).toThrow('names')
    expect(() => app.subscribe('bus', 'x', () => undefined, { route: '/a b' })).toThrow(
      'the route of topic x',
    )
    expect(() => app.binding('../up', () => undefined)).toThrow('the route of binding')
    expect(() => app.binding('dapr/subscribe', () => undefined)).not.toThrow()
    expect(() => app.method('dapr/subscribe', () => undefined, { methods: ['GET'] })).toThrow(
      'has a handler already',
    )
  })
})

describe('messages', () => {
  test.each([
    [() => undefined, 'SUCCESS'],
    [() => 'SUCCESS', 'SUCCESS'],
    [async () => 'RETRY', 'RETRY'],
    [async () => 'DROP', 'DROP'],
    [() => ({ a: 1 }) as never, 'SUCCESS'],
    [() => Promise.reject(new Error('no')), 'RETRY'],
  ])('a handler %s is answered with %s', async (handler, status) => {
    const app = appOf()
    app.subscribe('bus', 'orders', handler as () => undefined)
    expect(await json(send(app, 'POST', '/outrigger/bus/orders', { body: event(1) }))).toEqual({ status })
  })

  test('what cannot be read is dropped and logged', async () => {
    const app = appOf()
    app.subscribe('bus', 'orders', () => undefined)
    errors.length = 0
    const headers = { 'content-type': 'application/cloudevents+json' }
    expect(await json(send(app, 'POST', '/outrigger/bus/orders', { headers, body: '{' }))).toEqual({
      status: 'DROP',
    })
    expect(errors).toHaveLength(1)
  })

  test('many go one after the other to a handler of one, each with its own outcome', async () => {
    const app = appOf()
    const order: unknown[] = []
    app.subscribe<number>(
      'bus',
      'orders',
      async ({ data, metadata }) => {
        order.push(data, metadata)
        if (data === 2) throw new Error('no')
        return data === 3 ? 'DROP' : undefined
      },
      { bulk: true },
    )
    const body = bulk(event(1), event(2), event(3))
    Object.assign(body.entries[0]!, { metadata: { key: 'k' } })
    expect(await json(send(app, 'POST', '/outrigger/bus/orders', { body }))).toEqual({
      statuses: [
        { entryId: 'e0', status: 'SUCCESS' },
        { entryId: 'e1', status: 'RETRY' },
        { entryId: 'e2', status: 'DROP' },
      ],
    })
    expect(order).toEqual([1, { key: 'k' }, 2, {}, 3, {}])
  })

  test('many at once: one status for all, or one for each', async () => {
    const app = appOf()
    app.subscribeBulk('bus', 'all', () => 'RETRY')
    app.subscribeBulk('bus', 'some', ([first]) => new Map([[first!.entryId, 'DROP' as const]]))
    app.subscribeBulk('bus', 'fails', () => {
      throw new Error('no')
    })
    app.subscribeBulk<Uint8Array>(
      'bus',
      'raw',
      (entries) => {
        expect(entries.map(({ event: { data } }) => Buffer.from(data).toString())).toEqual(['hi'])
      },
      { rawPayload: true },
    )
    const statuses = async (topic: string, body: unknown): Promise<unknown[]> =>
      (
        (await json(send(app, 'POST', `/outrigger/bus/${topic}`, { body }))) as {
          statuses: { status: string }[]
        }
      ).statuses.map(({ status }) => status)
    const two = bulk(event(1), event(2))
    expect(await statuses('all', two)).toEqual(['RETRY', 'RETRY'])
    expect(await statuses('some', two)).toEqual(['DROP', 'RETRY'])
    expect(await statuses('fails', two)).toEqual(['RETRY', 'RETRY'])
    expect(await statuses('all', bulk())).toEqual([])
    // What cannot be read does not keep the others from being handled.
    expect(await statuses('raw', bulk('aGk=', '%'))).toEqual(['SUCCESS', 'DROP'])
  })

  test('too many are refused as a whole', async () => {
    const app = appOf()
    app.subscribeBulk('bus', 'all', () => undefined)
    const body = bulk(...Array.from({ length: 10_001 }, () => 1))
    expect((await send(app, 'POST', '/outrigger/bus/all', { body }))?.status).toBe(400)
  })
})

test('bindings say that they are wanted, answer with JSON, and fail with 500', async () => {
  const app = appOf()
  app.binding('tick', ({ data, metadata }) => ({ got: data, at: metadata.get('readtimeutc') }))
  app.binding('quiet', () => undefined, { route: '/other' })
  app.binding('bad', () => {
    throw new Error('a secret reason')
  })
  expect((await send(app, 'OPTIONS', '/tick'))?.status).toBe(204)
  expect(await send(app, 'OPTIONS', '/quiet')).toBeUndefined()
  expect((await send(app, 'POST', '/other', { body: 1 }))?.status).toBe(204)
  expect(await json(send(app, 'POST', '/tick', { headers: { readtimeutc: 'now' }, body: { a: 1 } }))).toEqual(
    { got: { a: 1 }, at: 'now' },
  )
  expect(
    await json(send(app, 'POST', '/tick', { headers: { 'content-type': 'text/plain' }, body: 'x' })),
  ).toEqual({ got: 'x' })
  const failed = await send(app, 'POST', '/bad', { body: 1 })
  expect(failed).toMatchObject({ status: 500 })
  expect(String(failed!.body)).not.toContain('secret')
})

test('methods answer JSON, replies and nothing', async () => {
  const app = appOf()
  app.method('sum', (call) => ({
    sum: Number(call.query.get('a')) + call.json<{ b: number }>()!.b,
    by: call.callerAppId,
  }))
  app.method('made', () => new Reply({ status: 201, headers: { location: '/x' }, body: 'done' }), {
    methods: ['put'],
  })
  app.method('none', () => undefined)
  expect(
    await json(send(app, 'POST', '/sum?a=1', { headers: { 'dapr-caller-app-id': 'me' }, body: { b: 2 } })),
  ).toEqual({ sum: 3, by: 'me' })
  expect(await send(app, 'PUT', '/made')).toEqual({ status: 201, headers: { location: '/x' }, body: 'done' })
  expect((await send(app, 'GET', '/none'))?.status).toBe(204)
  expect(await send(app, 'DELETE', '/none')).toBeUndefined()
})

test('changes of configuration are told by key, to whom they concern, and what fails hinders nobody', async () => {
  const app = appOf()
  const seen: unknown[] = []
  app.configuration('settings', () => {
    throw new Error('no')
  })
  const end = app.configuration('settings', (changes, id) => void seen.push([changes, id]))
  app.onConfiguration('other', () => seen.push('never'))
  const body = { id: '7', items: { 'a/b': { value: '1' }, c: {} } }
  errors.length = 0
  expect((await send(app, 'POST', '/configuration/settings/a/b', { body }))?.status).toBe(204)
  expect(seen).toEqual([[{ 'a/b': { value: '1', version: '', metadata: {} } }, '7']])
  expect(errors).toHaveLength(1)
  end()
  await send(app, 'POST', '/configuration/settings/c', { body })
  expect(seen).toHaveLength(1)
  for (const bad of ['{', '[]', '{"id":1,"items":{}}', '{"id":"1"}'])
    expect((await send(app, 'POST', '/configuration/settings/c', { body: bad }))?.status).toBe(400)
  expect((await send(app, 'POST', '/configuration/settings', { body }))?.status).toBe(400)
})

test('a token is demanded of everybody, from options or from the environment', async () => {
  const given = appOf({ apiToken: 'sesame' })
  const fromEnv = appOf({ env: { APP_API_TOKEN: 'sesame' } })
  for (const app of [given, fromEnv]) {
    app.subscribe('bus', 'orders', () => undefined)
    for (const path of ['/dapr/subscribe', '/dapr/config']) {
      expect((await send(app, 'GET', path))?.status).toBe(401)
      expect((await send(app, 'GET', path, { headers: { 'dapr-api-token': 'barley' } }))?.status).toBe(401)
      expect((await send(app, 'GET', path, { headers: { 'dapr-api-token': 'sesame' } }))?.status).toBe(200)
    }
    expect((await send(app, 'POST', '/outrigger/bus/orders', { body: event(1) }))?.status).toBe(401)
  }
})

test('a body has a largest size', async () => {
  const app = appOf({ maxBodyBytes: 10 })
  app.binding('in', () => undefined)
  expect((await send(app, 'POST', '/in', { body: 'x'.repeat(10) }))?.status).toBe(204)
  expect((await send(app, 'POST', '/in', { body: 'x'.repeat(11) }))?.status).toBe(413)
})
