import type { HttpMiddleware } from '@outrigger/spec'
import { Fields, WireError, type Body } from '@outrigger/wire'
import { expect, test } from 'vitest'
import { bodyOf } from '../../test/support/fake-exchange.ts'
import { FakeApp } from '../../test/support/fake-app.ts'
import { middleware, source, tracer, upper } from '../../test/support/middleware.ts'
import type { HttpAppChannel } from '../app/channel.ts'
import { withAppPipeline } from './app-pipeline.ts'

/** Tells whether the answer was read or cancelled. */
function watched(text: string) {
  const body = bodyOf(text)
  const state = { cancelled: 0 }
  const own = Object.assign(body, { cancel: () => void state.cancelled++ }) as Body
  const channel: HttpAppChannel = {
    kind: 'http',
    address: 'https://127.0.0.1:6000',
    call: async () => ({ status: 200, fields: new Fields(['content-length', '3']), body: own }),
    close() {},
  }
  return Object.assign(state, { channel })
}

test('without handlers the channel is what it was', () => {
  const app = new FakeApp()
  expect(withAppPipeline(app, [])).toBe(app)
})

test('calls pass in order and their answers in reverse; what was changed arrives', async () => {
  const app = new FakeApp()
  app.handle = ({ fields }) => ({ status: 201, body: 'ok', fields: ['x-seen', fields.getAll('x-in').join()] })
  const log: string[] = []
  const change = middleware((request, next) => {
    request.method = 'PUT'
    request.path = '/b'
    request.query += '&y=2'
    return next(request)
  })
  const channel = withAppPipeline(app, [tracer('a', log), change, tracer('b', log)])
  const answer = await channel.call({ method: 'POST', path: '/a?x=1?', body: Buffer.from('hi') })
  expect(app.calls).toMatchObject([{ method: 'PUT', path: '/b?x=1?&y=2', body: 'hi' }])
  expect([answer.status, answer.fields.get('x-seen'), answer.fields.getAll('x-out')]).toEqual([
    201,
    'a,b',
    ['b', 'a'],
  ])
  expect(Buffer.from(await answer.body.bytes()).toString()).toBe('ok')
  expect(log).toEqual(['> a', '> b', '< b', '< a'])
})

test('a middleware knows whom the call is for', async () => {
  const { channel } = watched('abc')
  const seen: unknown[] = []
  const look = middleware((request, next) => {
    seen.push([request.scheme, request.authority, request.remoteAddress, request.signal.aborted])
    return next(request)
  })
  await withAppPipeline(channel, [look]).call({ method: 'GET', path: '/' })
  await withAppPipeline(channel, [look]).call({ method: 'GET', path: '/', fields: ['host', 'shop'] })
  expect(seen).toEqual([
    ['https', '127.0.0.1:6000', '', false],
    ['https', 'shop', '', false],
  ])
})

test('health probes go past it', async () => {
  const app = new FakeApp()
  const channel = withAppPipeline(app, [middleware(() => expect.unreachable())])
  await channel.call({ method: 'GET', path: '/healthz', unlimited: true })
  expect(app.calls).toHaveLength(1)
})

test('errors of the channel pass as they are', async () => {
  const app = new FakeApp()
  app.down = true
  const channel = withAppPipeline(app, [middleware((request, next) => next(request))])
  await expect(channel.call({ method: 'GET', path: '/' })).rejects.toMatchObject({ code: 'CONNECT' })
})

test('a place that was waited for is left when the call does not come to the application', async () => {
  const left: string[] = []
  const place = (name: string) => ({ leave: () => void left.push(name) })
  const ask = (name: string, handle: HttpMiddleware['handle']) =>
    withAppPipeline(new FakeApp(), [middleware(handle)]).call({
      method: 'GET',
      path: '/',
      place: place(name),
    })
  await ask('answered', async (request) => request.respond(403))
  await expect(ask('thrown', () => Promise.reject(new Error('x')))).rejects.toThrow('x')
  // The channel itself leaves this one, and this channel has no places.
  await ask('passed', (request, next) => next(request))
  expect(left).toEqual(['answered', 'thrown'])
})

test('a body is replaced, of what is asked and of what is answered', async () => {
  const both = middleware(async (request, next) => {
    request.replaceBody(await request.body.bytes().then((bytes) => `${Buffer.from(bytes).toString()}!`))
    const response = await next(request)
    response.replaceBody(upper(response.body))
    return response
  })
  const app = new FakeApp()
  app.handle = ({ body }) => ({ body: `got ${body}`, fields: ['content-length', '6'] })
  const answer = await withAppPipeline(app, [both]).call({
    method: 'POST',
    path: '/',
    body: source(['a', 'b']).stream,
  })
  expect(app.calls).toMatchObject([{ body: 'ab!' }])
  expect(answer.fields.has('content-length')).toBe(false)
  expect(Buffer.from(await answer.body.bytes()).toString()).toBe('GOT AB!')
})

test('a stream is not read before the application reads it', async () => {
  const chunks = source(['a', 'b'])
  let pulledBefore = -1
  const channel: HttpAppChannel = {
    ...watched('').channel,
    async call({ body }) {
      pulledBefore = chunks.pulled
      for await (const chunk of body as AsyncIterable<Uint8Array>) void chunk
      return { status: 200, fields: new Fields(), body: bodyOf('') }
    },
  }
  const pass = middleware((request, next) => {
    request.replaceBody(upper(request.body))
    return next(request)
  })
  await withAppPipeline(channel, [pass]).call({ method: 'POST', path: '/', body: chunks.stream })
  expect([pulledBefore, chunks.pulled]).toEqual([0, 2])
})

test('the answer of the application is given up when nobody wants it', async () => {
  const other = middleware(async (request, next) => {
    await next(request)
    return request.respond(200, {}, 'other')
  })
  const replaced = watched('abc')
  await withAppPipeline(replaced.channel, [other]).call({ method: 'GET', path: '/' })
  expect(replaced.cancelled).toBe(1)

  const failing = watched('abc')
  const fail = middleware(async (request, next) => {
    await next(request)
    throw new WireError('RESET', 'x')
  })
  await expect(withAppPipeline(failing.channel, [fail]).call({ method: 'GET', path: '/' })).rejects.toThrow(
    'x',
  )
  expect(failing.cancelled).toBe(1)

  const stream = middleware(async (request, next) => {
    const response = await next(request)
    response.replaceBody(upper(response.body))
    return response
  })
  const cancelled = watched('abc')
  const answer = await withAppPipeline(cancelled.channel, [stream]).call({ method: 'GET', path: '/' })
  expect(cancelled.cancelled).toBe(0)
  answer.body.cancel()
  expect(cancelled.cancelled).toBeGreaterThan(0)
  expect(() => answer.body[Symbol.asyncIterator]()).toThrow('given up')

  const untouched = watched('abc')
  const plain = await withAppPipeline(untouched.channel, [middleware((request, next) => next(request))]).call(
    {
      method: 'GET',
      path: '/',
    },
  )
  expect([untouched.cancelled, plain.fields.get('content-length')]).toEqual([0, '3'])
})
