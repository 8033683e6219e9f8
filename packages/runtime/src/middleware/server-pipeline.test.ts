import { recordingLogger } from '@outrigger/testkit'
import type { HttpMiddleware } from '@outrigger/spec'
import { Fields, WireError, type ServerRequest, type ServerResponse } from '@outrigger/wire'
import { describe, expect, test } from 'vitest'
import { apiOf, ask, bodyOf, type Asked } from '../../test/support/fake-exchange.ts'
import { middleware, source, tracer, upper } from '../../test/support/middleware.ts'
import { ApiError } from '../api/api-error.ts'
import type { HttpRoute } from '../server/router.ts'
import { createServerPipeline } from './server-pipeline.ts'

const route = (path: string, handle: HttpRoute['handle'], methods = ['GET', 'POST']): HttpRoute => ({
  name: path,
  methods,
  path,
  handle,
})

function setUp(handlers: readonly HttpMiddleware[], ...routes: HttpRoute[]) {
  const logger = recordingLogger()
  const api = apiOf(routes, { pipeline: createServerPipeline(handlers), logger })
  return { logger, ask: (asked: Partial<Asked> = {}) => ask(api, { target: '/v1.0/x', ...asked }) }
}

const ok = route('v1.0/x', ({ request, response }) => {
  response.send(200, ['x-seen', request.fields.getAll('x-in').join()], 'ok')
})
const echo = route('v1.0/x', async ({ request, response }) => {
  response.send(200, [], await request.body.bytes())
})

test('no handlers are no pipeline', () => expect(createServerPipeline([])).toBeUndefined())

test('requests pass in order, and their answers in reverse', async () => {
  const log: string[] = []
  const at = setUp([tracer('a', log), tracer('b', log), tracer('c', log)], ok)
  const answer = await at.ask()
  expect(log).toEqual(['> a', '> b', '> c', '< c', '< b', '< a'])
  expect([answer.status, answer.text, answer.fields.get('x-seen')]).toEqual([200, 'ok', 'a,b,c'])
  expect(answer.fields.getAll('x-out')).toEqual(['c', 'b', 'a'])
})

test('a middleware that answers keeps the request from everything behind it', async () => {
  const log: string[] = []
  const refuse = middleware(async (request) => request.respond(403, { 'x-why': 'no' }, 'no'))
  const never = route('v1.0/x', () => expect.unreachable())
  const answer = await setUp([tracer('a', log), refuse, tracer('b', log)], never).ask()
  expect([answer.status, answer.text, answer.fields.get('x-why')]).toEqual([403, 'no', 'no'])
  expect(log).toEqual(['> a', '< a'])
})

test('method, path and query that were changed decide about the route', async () => {
  const alias = middleware((request, next) => {
    request.method = 'POST'
    request.path = '/v1.0/y/a%2Fb/'
    request.query = 'k=v'
    return next(request)
  })
  const y = route(
    'v1.0/y/:key',
    (call) => call.response.send(200, [], `${call.params.join()} ${call.query('k')}`),
    ['POST'],
  )
  expect((await setUp([alias], ok, y).ask()).text).toBe('a/b v')
})

test.each([
  ['/v1.0//x', '/v1.0/x'],
  ['/v1.0/./a/../x', '/v1.0/x'],
  ['/v1.0/x/', '/v1.0/x/'],
  ['/v1.0/%2e%2e/x', '/v1.0/%2e%2e/x'],
])('of the path %s it decides about what is served: %s', async (target, seen) => {
  const paths: string[] = []
  const look = middleware((request, next) => {
    paths.push(request.path)
    return next(request)
  })
  await setUp([look], ok).ask({ target })
  expect(paths).toEqual([seen])
})

test('a route that needs no token does not become one that does', async () => {
  const open = { ...route('v1.0/open', ({ response }) => response.send(204)), open: true }
  const alias = middleware((request, next) => {
    if (request.query === 'other') request.path = '/v1.0/x'
    return next(request)
  })
  const api = apiOf([ok, open], { pipeline: createServerPipeline([alias]), apiToken: 'secret' })
  const status = async (target: string, fields: string[] = []) => (await ask(api, { target, fields })).status
  expect(await status('/v1.0/open')).toBe(204)
  expect(await status('/v1.0/open?other')).toBe(401)
  expect(await status('/v1.0/open?other', ['dapr-api-token', 'secret'])).toBe(200)
  expect(await status('/v1.0/x')).toBe(401)
})

test('a connection that is handed over gets no answer, and passes the middleware', async () => {
  const { request, accepted } = upgradable()
  const log: string[] = []
  const pipeline = createServerPipeline([tracer('a', log)])!
  const sent: unknown[] = []
  const response = {
    started: false,
    send: (...all: unknown[]) => void sent.push(all),
  } as never as ServerResponse
  await pipeline.serve(request, response, async (passed) => {
    await passed.upgrade!.accept('websocket', ['x-a', 'b'])
  })
  expect([accepted, sent, log]).toEqual([[['websocket', ['x-a', 'b']]], [], ['> a', '< a']])
})

test('fields after the body pass as well', async () => {
  const { request } = upgradable()
  const trailers: unknown[] = []
  const response = {
    started: false,
    start: () => ({
      write: () => undefined,
      end: (fields?: Fields) => trailers.push([...(fields ?? [])]),
      abort: () => {},
    }),
  } as never as ServerResponse
  await createServerPipeline([tracer('a', [])])!.serve(request, response, async (_, captured) => {
    const writer = captured.start(200)
    await writer.write('a')
    writer.end(['x-sum', '1'])
  })
  expect(trailers).toEqual([[['x-sum', '1']]])
})

/** A request that may become another protocol. */
function upgradable() {
  const accepted: unknown[] = []
  const request: ServerRequest = {
    method: 'GET',
    path: '/',
    query: '',
    scheme: 'http',
    authority: '',
    fields: new Fields(),
    body: bodyOf(''),
    trailers: undefined,
    remoteAddress: '',
    signal: new AbortController().signal,
    upgrade: {
      protocols: ['websocket'],
      accept: async (...all) => {
        accepted.push(all)
        return {} as never
      },
    },
  }
  return { request, accepted }
}

describe('bodies', () => {
  test('of requests are replaced by bytes, text or a stream of the former one', async () => {
    const replace = (
      body: (former: AsyncIterable<Uint8Array>) => Uint8Array | string | AsyncIterable<Uint8Array>,
    ) =>
      middleware((request, next) => {
        request.replaceBody(body(request.body))
        return next(request)
      })
    const asked = { method: 'POST', body: 'abc', fields: ['content-length', '3'] }
    expect((await setUp([replace(() => Buffer.from('xyz'))], echo).ask(asked)).text).toBe('xyz')
    expect((await setUp([replace(() => 'text')], echo).ask(asked)).text).toBe('text')
    expect((await setUp([replace(upper)], echo).ask(asked)).text).toBe('ABC')
    expect((await setUp([replace(upper), replace(upper)], echo).ask(asked)).text).toBe('ABC')
  })

  test('of answers are read while they are made, chunk by chunk', async () => {
    const log: string[] = []
    const stream = route('v1.0/x', async ({ response }) => {
      const writer = response.start(200, ['content-length', '3'])
      for (const chunk of ['a', 'b', 'c']) {
        log.push(`write ${chunk}`)
        await writer.write(chunk)
      }
      writer.end()
    })
    const watch = middleware(async (request, next) => {
      const response = await next(request)
      log.push('head')
      response.replaceBody(
        (async function* (body) {
          for await (const chunk of body) {
            log.push(`read ${Buffer.from(chunk).toString()}`)
            yield chunk
          }
        })(response.body),
      )
      return response
    })
    const answer = await setUp([watch], stream).ask()
    expect([answer.text, answer.complete, answer.fields.has('content-length')]).toEqual(['abc', true, false])
    expect(log.filter((line) => line !== 'head')).toEqual([
      'write a',
      'read a',
      'write b',
      'read b',
      'write c',
      'read c',
    ])
    expect(log.indexOf('head')).toBeLessThan(log.indexOf('write b'))
  })

  test('that nobody asks for are not read', async () => {
    const chunks = source(['a'])
    const body = Object.assign(bodyOf(''), { length: undefined }, chunks.stream)
    const request: ServerRequest = {
      method: 'POST',
      path: '/',
      query: '',
      scheme: 'http',
      authority: '',
      fields: new Fields(),
      body: Object.assign(body, { [Symbol.asyncIterator]: () => chunks.stream }),
      trailers: undefined,
      remoteAddress: '',
      signal: new AbortController().signal,
    }
    const sent: number[] = []
    const response = { started: false, send: (status: number) => void sent.push(status) } as ServerResponse
    const pipeline = createServerPipeline([middleware((each, next) => next(each))])!
    await pipeline.serve(request, response, (_, captured) => captured.send(204))
    expect([sent, chunks.pulled]).toEqual([[204], 0])
  })

  test('past the limit are the mistake of the caller', async () => {
    const read = middleware(async (request, next) => {
      await request.body.bytes()
      return next(request)
    })
    const answer = await setUp([read], ok).ask({ method: 'POST', body: 'abcdef', maxBodyBytes: 5 })
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('--max-body-size')])
  })

  test('of answers that nobody wants end their route', async () => {
    const ended = Promise.withResolvers<unknown>()
    const stream = route('v1.0/x', async ({ response }) => {
      const writer = response.start(200)
      try {
        for (;;) await writer.write('more')
      } catch (error) {
        ended.resolve(error)
        throw error
      }
    })
    const other = middleware(async (request, next) => {
      await next(request)
      return request.respond(200, {}, 'other')
    })
    expect((await setUp([other], stream).ask()).text).toBe('other')
    expect(await ended.promise).toMatchObject({ code: 'ABORTED' })
  })
})

describe('errors', () => {
  test('of a middleware are an error of the server, whose reason is in the log alone', async () => {
    const broken = middleware(() => Promise.reject(new Error('the password is x')))
    const at = setUp([broken], ok)
    const answer = await at.ask()
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([500, { errorCode: 'ERROR' }])
    expect(answer.text).not.toContain('password')
    expect(at.logger.records).toMatchObject([{ level: 'error' }])
  })

  test('that are thrown at once count the same', async () => {
    const broken = middleware(() => {
      throw new Error('x')
    })
    expect((await setUp([broken], ok).ask()).status).toBe(500)
  })

  test('of a route are an answer to a middleware, as they are to the caller', async () => {
    const seen: number[] = []
    const look = middleware(async (request, next) => {
      const response = await next(request)
      seen.push(response.status)
      return response
    })
    const failing = route('v1.0/x', () => {
      throw new ApiError('OVERLOADED', 'too much')
    })
    const answer = await setUp([look], failing).ask()
    expect([answer.status, seen, answer.fields.get('retry-after')]).toEqual([503, [503], '1'])
  })

  test('behind the head break the answer off', async () => {
    const breaking = route('v1.0/x', async ({ response }) => {
      await response.start(200).write('some')
      throw new WireError('RESET', 'gone')
    })
    const answer = await setUp([middleware((request, next) => next(request))], breaking).ask()
    expect([answer.status, answer.text, answer.complete]).toEqual([200, 'some', false])
  })

  test.each([
    ['twice', middleware(async (request, next) => (await next(request), next(request)))],
    ['with another request', middleware((request, next) => next({ ...request }))],
  ])('next cannot be called %s', async (_, handler) => {
    const at = setUp([handler], ok)
    expect((await at.ask()).status).toBe(500)
    expect(at.logger.records).toMatchObject([{ level: 'error' }])
  })
})

test('a stream that a middleware sends itself is sent as it comes, and closed when it breaks', async () => {
  const chunks = source(['a', 'b'])
  const own = middleware(async (request) => request.respond(200, {}, chunks.stream))
  expect(await setUp([own], ok).ask()).toMatchObject({ status: 200, text: 'ab', complete: true })
  expect(chunks).toMatchObject({ pulled: 2, closed: true })
  const broken = middleware(async (request) =>
    request.respond(
      200,
      {},
      (async function* () {
        yield Buffer.from('a')
        throw new Error('x')
      })(),
    ),
  )
  expect(await setUp([broken], ok).ask()).toMatchObject({ status: 200, text: 'a', complete: false })
})
