import { recordingLogger, virtualClock } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { apiOf, ask } from '../../test/support/fake-exchange.ts'
import { ApiError } from '../api/api-error.ts'
import { cleanPath } from './clean-path.ts'
import { Cors } from './cors.ts'
import type { HttpRoute } from './router.ts'

const route = (handle: HttpRoute['handle'], path = 'v1.0/x'): HttpRoute => ({
  name: 'GetX',
  methods: ['GET'],
  path,
  handle,
})
const ok = route((call) => call.response.send(200, ['content-type', 'text/plain'], 'ok'))
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

test.each([
  ['/', '/'],
  ['/a/b/', '/a/b'],
  ['//a///b', '/a/b'],
  ['/a/./b/../c', '/a/c'],
  ['/../../a', '/a'],
  ['/a/..b/.c', '/a/..b/.c'],
])('the path %s is %s', (path, clean) => expect(cleanPath(path)).toBe(clean))

test('the trace context that came goes back', async () => {
  const fields = ['traceparent', traceparent, 'tracestate', 'a=b']
  const answer = await ask(apiOf([ok]), { target: '/v1.0/x', fields })
  expect([...answer.fields]).toEqual([
    ['content-type', 'text/plain'],
    ['traceparent', traceparent],
    ['tracestate', 'a=b'],
  ])
  const long = await ask(apiOf([ok]), {
    target: '/v1.0/x',
    fields: ['traceparent', traceparent, 'tracestate', 'x'.repeat(9000)],
  })
  expect(long.fields.get('tracestate')).toBeUndefined()
})

test('a trace context that is none does not go back', async () => {
  const answer = await ask(apiOf([ok]), { target: '/v1.0/x', fields: ['traceparent', 'nonsense'] })
  expect([answer.status, answer.fields.has('traceparent')]).toEqual([200, false])
})

test.each([
  ['/v1.0/y/100%', '%25'],
  ['/v1.0/y/%zz', '%25'],
  ['/v1.0/y/%e4', 'UTF-8'],
  ['/anything/%', '%25'],
])('a path that cannot be read is refused: %s', async (target, says) => {
  const named = { ...route((call) => call.response.send(204), 'v1.0/y/:key') }
  const answer = await ask(apiOf([named]), { target })
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
    400,
    { errorCode: 'ERR_MALFORMED_REQUEST', message: expect.stringContaining(says) },
  ])
})

test('a path that goes on may have letters that are no UTF-8', async () => {
  const api = apiOf([{ ...route((call) => call.response.send(204), 'v1.0/z/*'), passesOn: true }])
  expect((await ask(api, { target: '/v1.0/z/%e4' })).status).toBe(204)
  expect((await ask(api, { target: '/v1.0/z/%' })).status).toBe(400)
})

test('baggage that is none is refused', async () => {
  const answer = await ask(apiOf([ok]), { target: '/v1.0/x', fields: ['baggage', 'a=1,b'] })
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
    400,
    { errorCode: 'ERR_MALFORMED_REQUEST', message: expect.stringContaining('invalid baggage header') },
  ])
  const good = await ask(apiOf([ok]), { target: '/v1.0/x', fields: ['baggage', 'a=1', 'baggage', 'b=2'] })
  expect([good.status, good.fields.get('baggage')]).toEqual([200, 'a=1,b=2'])
})

test.each(['at once', 'later'])('errors of the table are shown, thrown %s', async (when) => {
  const error = new ApiError('OVERLOADED', 'too much', { metadata: { a: '1' } })
  const api = apiOf([
    route(() => {
      if (when === 'at once') throw error
      return Promise.reject(error)
    }),
  ])
  const answer = await ask(api, { target: '/v1.0/x' })
  expect([answer.status, answer.text]).toEqual([503, '{"errorCode":"ERR_OVERLOADED","message":"too much"}'])
  expect([answer.fields.get('retry-after'), answer.fields.get('metadata.a')]).toEqual(['1', '1'])
})

test('an error that nobody foresaw says nothing but where to look', async () => {
  const logger = recordingLogger()
  const api = apiOf([route(() => Promise.reject(new Error('password=sesame')))], { logger })
  const answer = await ask(api, { target: '/v1.0/x' })
  expect([answer.status, answer.text]).toEqual([
    500,
    '{"errorCode":"ERROR","message":"an unexpected error; the log of the sidecar has it"}',
  ])
  expect(logger.messages('error')).toEqual(['a request failed for a reason that nobody foresaw'])
})

test('a failure after the answer began adds nothing to it', async () => {
  const api = apiOf([
    route(async (call) => {
      void call.response.start(200).write('half')
      throw new Error('gone')
    }),
  ])
  const answer = await ask(api, { target: '/v1.0/x' })
  expect([answer.status, answer.text, answer.complete]).toEqual([200, 'half', false])
})

test('calls are logged, by their name where addresses are private, without a token or a query', async () => {
  const logger = recordingLogger()
  const clock = virtualClock()
  const slow = route(async (call) => {
    await clock.advance(25)
    call.response.send(200, [], 'grüße')
  })
  const health: HttpRoute = {
    ...route((call) => call.response.send(204), 'v1.0/healthz'),
    name: 'Healthz',
    open: true,
  }
  const fields = ['user-agent', 'curl', 'dapr-api-token', 'sesame']
  for (const obfuscateUrls of [false, true]) {
    const logCalls = { obfuscateUrls, omitHealthChecks: obfuscateUrls }
    const api = apiOf([slow, health], { logger, clock, logCalls, apiToken: 'sesame' })
    await ask(api, { target: '/v1.0/x?secret=1', fields })
    await ask(api, { target: '/v1.0/healthz', fields })
  }
  const api = apiOf([{ ...slow, path: 'v1.0/invoke/*' }], {
    logger,
    clock,
    logCalls: { obfuscateUrls: false, omitHealthChecks: false },
  })
  await ask(api, { target: '/v1.0/invoke/https://user:sesame@host/a%40b/method/c@d' })
  await ask(api, { target: '/v1.0/invoke/https%3A%2F%2Fuser:sesame%40host/method/x' })
  const { records } = logger
  expect(records.every(({ message }) => message === 'HTTP API Called')).toBe(true)
  expect(records.map((record) => record.fields)).toEqual([
    { method: 'GET /v1.0/x', useragent: 'curl', duration: 25, code: 200, size: 7 },
    { method: 'GET /v1.0/healthz', useragent: 'curl', duration: 0, code: 204, size: 0 },
    { method: 'GetX', useragent: 'curl', duration: 25, code: 200, size: 7 },
    {
      method: 'GET /v1.0/invoke/https://host/a%40b/method/c@d',
      useragent: '',
      duration: 25,
      code: 200,
      size: 7,
    },
    {
      method: 'GET /v1.0/invoke/https%3A%2F%2Fhost/method/x',
      useragent: '',
      duration: 25,
      code: 200,
      size: 7,
    },
  ])
})

test.each([
  ['http://shop.example.com', true],
  ['http://a.b.Example.com', true],
  ['HTTP://OTHER.example', true],
  ['http://example.com', false],
  ['https://shop.example.com', false],
  ['http://shop.example.com.evil.example', false],
  ['null', false],
])('one star in an origin, and no case: %s', async (origin, allowed) => {
  const api = apiOf([ok], { cors: new Cors(['http://*.example.com', 'http://Other.example']) })
  const answer = await ask(api, { target: '/v1.0/x', fields: ['origin', origin] })
  expect(answer.fields.get('access-control-allow-origin')).toBe(allowed ? origin : undefined)
})

test('origins that are allowed may read answers and ask beforehand, without a token', async () => {
  const cors = new Cors(['http://here'])
  const api = apiOf([ok], { cors, apiToken: 'sesame' })
  const preflight = (origin: string) =>
    ask(api, {
      method: 'OPTIONS',
      target: '/v1.0/x',
      fields: [
        'origin',
        origin,
        'access-control-request-method',
        'GET',
        'access-control-request-headers',
        'x-a',
      ],
    })
  const allowed = await preflight('http://here')
  expect([allowed.status, allowed.fields.get('access-control-allow-origin')]).toEqual([204, 'http://here'])
  expect([allowed.fields.get('access-control-allow-headers'), allowed.fields.get('vary')]).toEqual([
    'x-a',
    'origin',
  ])
  expect((await preflight('http://there')).status).toBe(403)
  const read = (origin: string) =>
    ask(api, { target: '/v1.0/x', fields: ['origin', origin, 'dapr-api-token', 'sesame'] })
  expect((await read('http://here')).fields.get('access-control-allow-origin')).toBe('http://here')
  expect((await read('http://there')).fields.has('access-control-allow-origin')).toBe(false)
  const refused = await ask(api, { target: '/v1.0/x', fields: ['origin', 'http://here'] })
  expect([refused.status, refused.fields.get('access-control-allow-origin')]).toEqual([401, 'http://here'])
  const anybody = await ask(apiOf([ok], { cors: new Cors(['*']) }), {
    target: '/v1.0/x',
    fields: ['origin', 'http://there'],
  })
  expect(anybody.fields.get('access-control-allow-origin')).toBe('*')
})

test('an answer that names an origin itself names the one that was allowed, and once', async () => {
  const own = ['Access-Control-Allow-Origin', '*', 'Vary', 'accept']
  const api = apiOf([route((call) => call.response.send(200, own, 'ok'))], {
    cors: new Cors(['http://here']),
  })
  const { fields } = await ask(api, { target: '/v1.0/x', fields: ['origin', 'http://here'] })
  expect(fields.getAll('access-control-allow-origin')).toEqual(['http://here'])
  expect(fields.getAll('vary')).toEqual(['accept', 'origin'])
})

test('while there is no room, only what takes none is answered', async () => {
  const overload = { over: false }
  const light = { ...route((call) => call.response.send(200), 'v1.0/light'), light: true }
  const api = apiOf([ok, light], { overload })
  expect((await ask(api, { target: '/v1.0/x' })).status).toBe(200)
  overload.over = true
  const answer = await ask(api, { target: '/v1.0/x' })
  expect([answer.status, answer.fields.get('retry-after')]).toEqual([503, '1'])
  expect(JSON.parse(answer.text)).toMatchObject({ errorCode: 'ERR_OVERLOADED' })
  expect((await ask(api, { target: '/v1.0/light' })).status).toBe(200)
  overload.over = false
  expect((await ask(api, { target: '/v1.0/x' })).status).toBe(200)
})
