import { seededRandom } from '@outrigger/testkit'
import { Fields, WireError, type Body, type Handler } from '@outrigger/wire'
import { expect, test } from 'vitest'
import { apiOf, ask, bodyOf } from '../../../test/support/fake-exchange.ts'
import type { AppRequest, AppResponse, HttpAppChannel } from '../../app/channel.ts'
import { AppBusyError } from '../../app/channel.ts'
import { isTraceparent } from '../../telemetry/trace-context.ts'
import { InvokeHandler } from './handler.ts'
import { invokeRoutes } from './http.ts'

function setUp(
  call: HttpAppChannel['call'] | undefined,
  healthy = true,
): { api: Handler; asked: AppRequest[] } {
  const asked: AppRequest[] = []
  const channel: HttpAppChannel | undefined = call && {
    kind: 'http',
    address: 'http://app',
    call: (request) => {
      asked.push(request)
      return call(request)
    },
    close() {},
  }
  const handler = new InvokeHandler({
    appId: 'shop',
    namespace: 'prod',
    channel,
    appHealthy: () => healthy,
    maxBodyBytes: 1000,
    random: seededRandom(1),
  })
  const { routes, fallback } = invokeRoutes(handler)
  return { api: apiOf(routes, { fallback }), asked }
}

const answering =
  (status = 200, fields: string[] = [], body: Body = bodyOf('hello')) =>
  async (): Promise<AppResponse> => ({ status, fields: new Fields(fields), body })

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const trace = ['traceparent', traceparent]

test.each([
  ['the path', '/v1.0/invoke/shop/method/a/b%2Fc?d=e', [], '/a/b%2Fc?d=e'],
  ['a path without a method', '/v1.0/invoke/shop/method', [], '/'],
  ['a path without a method and a query', '/v1.0/invoke/shop/method/?d=e', [], '/?d=e'],
  ['the application with its namespace', '/v1.0/invoke/shop.prod/method/a', [], '/a'],
  ['a query without a method', '/v1.0/invoke/shop/method?d=e', [], '/?d=e'],
  ['a header', '/a/b?d=e', ['dapr-app-id', 'shop'], '/a/b?d=e'],
  ['basic credentials', '/a', ['authorization', `Basic ${btoa('dapr-app-id:shop')}`], '/a'],
])('%s names what is called', async (_, target, fields, path) => {
  const { api, asked } = setUp(answering(418, ['x-a', '1']))
  const answer = await ask(api, {
    method: 'PATCH',
    target,
    fields: [...fields, 'x-b', '2', 'host', 'sidecar', 'dapr-caller-app-id', 'forged', ...trace],
  })
  expect([answer.status, answer.fields.get('x-a'), answer.text]).toEqual([418, '1', 'hello'])
  expect(asked).toMatchObject([{ method: 'PATCH', path }])
  expect([...Fields.from(asked[0]!.fields!)]).toEqual([
    ['x-b', '2'],
    ['traceparent', traceparent],
    ['dapr-caller-app-id', 'shop'],
    ['dapr-caller-namespace', 'prod'],
    ['dapr-callee-app-id', 'shop'],
  ])
})

test('nobody takes the names of caller and callee away, nor gives the token away that is meant for the sidecar', async () => {
  const { api, asked } = setUp(answering())
  const named = 'x-mine, Dapr-Caller-App-Id, dapr-caller-namespace, dapr-callee-app-id'
  const fields = ['connection', named, 'x-mine', '1', 'dapr-api-token', 'secret', 'x-other', '2', ...trace]
  await ask(api, { target: '/v1.0/invoke/shop/method/a', fields })
  expect([...Fields.from(asked[0]!.fields!)]).toEqual([
    ['x-other', '2'],
    ['traceparent', traceparent],
    ['dapr-caller-app-id', 'shop'],
    ['dapr-caller-namespace', 'prod'],
    ['dapr-callee-app-id', 'shop'],
  ])
})

test('a trace begins where none came, and its caller learns of it', async () => {
  const { api, asked } = setUp(answering())
  const fields = ['traceparent', 'nonsense', 'tracestate', 'a=b']
  const answer = await ask(api, { target: '/v1.0/invoke/shop/method/a', fields })
  const seen = Fields.from(asked[0]!.fields!)
  expect(isTraceparent(seen.get('traceparent'))).toBe(true)
  expect(seen.has('tracestate')).toBe(false)
  expect(answer.fields.getAll('traceparent')).toEqual([seen.get('traceparent')])
})

test('a trace context that the application answers with stands alone', async () => {
  const own = '00-0af7651916cd43dd8448eb211c80319c-aaaaaaaaaaaaaaaa-01'
  const { api } = setUp(answering(200, ['Traceparent', own]))
  const answer = await ask(api, { target: '/v1.0/invoke/shop/method/a', fields: trace })
  expect(answer.fields.getAll('traceparent')).toEqual([own])
})

test.each([
  ['nobody', '/v1.0/invoke', undefined, 404, 'failed getting app id'],
  ['an empty name', '/v1.0/invoke//method/a', undefined, 404, 'failed getting app id'],
  [
    'another application',
    '/v1.0/invoke/other/method/a',
    undefined,
    501,
    'other applications cannot be invoked from here',
  ],
  ['an application that there is not', '/v1.0/invoke/shop/method/a', undefined, 500, '--app-port'],
])('calling %s: %s', async (_, target, call, status, message) => {
  const { api } = setUp(call)
  const answer = await ask(api, { target })
  expect([answer.status, JSON.parse(answer.text).message]).toEqual([status, expect.stringContaining(message)])
})

test.each([
  ['unreachable', new WireError('CONNECT', 'connection refused'), 500, 'connection refused (http://app)'],
  ['busy', new AppBusyError(1, 1000, 750), 503, 'handles 1 calls at once'],
  [
    'asked with too much',
    new WireError('ABORTED', 'the request body could not be read', {
      cause: new WireError('TOO_LARGE', 'the body is larger than 10 bytes', { limit: 10 }),
    }),
    500,
    'err: the body is larger than 10 bytes; raise the limit with --max-body-size',
  ],
])('an application that is %s', async (_, error, status, message) => {
  const { api } = setUp(() => Promise.reject(error))
  const answer = await ask(api, { target: '/v1.0/invoke/shop/method/a' })
  expect([answer.status, JSON.parse(answer.text).message]).toEqual([status, expect.stringContaining(message)])
  expect(answer.fields.get('retry-after')).toBe(status === 503 ? '1' : undefined)
})

test('an application that is not healthy is not called', async () => {
  const { api, asked } = setUp(answering(), false)
  const answer = await ask(api, { target: '/v1.0/invoke/shop/method/a' })
  expect([answer.status, answer.text]).toEqual([
    500,
    expect.stringContaining('app is not in a healthy state'),
  ])
  expect(asked).toEqual([])
})

test.each([
  ['an answer that cannot be passed on', ['x-a', 'a\u0001b'], undefined, 500],
  ['an answer that breaks off', [], new WireError('RESET', 'gone'), 200],
])('%s frees its connection', async (_, fields, failure, status) => {
  let cancelled = 0
  const body: Body = {
    ...bodyOf('hello'),
    length: undefined,
    cancel: () => void cancelled++,
    async *[Symbol.asyncIterator]() {
      yield Buffer.from('hel')
      if (failure !== undefined) throw failure
    },
  }
  const { api } = setUp(answering(200, fields, body))
  const answer = await ask(api, { target: '/v1.0/invoke/shop/method/a' })
  expect(answer.status).toBe(status)
  expect(answer.text.startsWith('hel') && answer.complete).toBe(false)
  expect(cancelled).toBe(1)
})

test('an answer that breaks off before it was passed on is an error of the way', async () => {
  const broken: Body = {
    ...bodyOf('hello'),
    length: 9,
    bytes: () => Promise.reject(new WireError('CONNECT', 'http://app closed the connection')),
  }
  const { api } = setUp(answering(200, [], broken))
  const answer = await ask(api, { target: '/v1.0/invoke/shop/method/a' })
  expect([answer.status, JSON.parse(answer.text)]).toEqual([
    500,
    { errorCode: 'ERR_DIRECT_INVOKE', message: expect.stringContaining('closed the connection') },
  ])
})
