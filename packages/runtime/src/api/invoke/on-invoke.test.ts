import { HTTPExtension_Verb } from '@outrigger/proto/common'
import { detailsOf, grpcError } from '@outrigger/proto/status'
import { seededRandom } from '@outrigger/testkit'
import { Fields } from '@outrigger/wire'
import { decodeBinary, GrpcError, grpcStatus, type ServerCall } from '@outrigger/wire/grpc'
import { describe, expect, test } from 'vitest'
import { FakeApp } from '../../../test/support/fake-app.ts'
import { apiOf, ask } from '../../../test/support/fake-exchange.ts'
import { FakeGrpcApp, type GrpcAppHandlers } from '../../../test/support/fake-grpc-app.ts'
import type { AppChannel } from '../../app/channel.ts'
import { invokeMethods } from './grpc.ts'
import { InvokeHandler } from './handler.ts'
import { invokeRoutes } from './http.ts'

const handlerOf = (channel: AppChannel): InvokeHandler =>
  new InvokeHandler({
    appId: 'shop',
    namespace: 'prod',
    channel,
    appHealthy: () => true,
    maxBodyBytes: 100,
    random: seededRandom(1),
  })

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

describe('a request over HTTP to an application that speaks gRPC', () => {
  function setUp(handlers: GrpcAppHandlers = {}) {
    const app = new FakeGrpcApp(handlers)
    const { routes, fallback } = invokeRoutes(handlerOf(app))
    return { app, api: apiOf(routes, { fallback }) }
  }

  test('comes as OnInvoke, with its verb, query, type, data and fields', async () => {
    const { api, app } = setUp({
      onInvoke(_, call) {
        call.setMetadata(['x-b', '2', 'grpc-x', '3', 'y-bin', 'AAAA', 'content-length', '7'])
        return { contentType: 'text/plain', data: { typeUrl: '', value: Buffer.from('pong') } }
      },
    })
    const answer = await ask(api, {
      method: 'PATCH',
      target: '/v1.0/invoke/shop/method/a%20b//c/../d?x=1&y=%20',
      fields: [
        'Content-Type',
        'text/x',
        'accept',
        'b/c',
        'x-a',
        '1',
        'te',
        'trailers',
        'traceparent',
        traceparent,
      ],
      body: 'ping',
    })
    expect([answer.status, answer.text, Object.fromEntries(answer.fields)]).toEqual([
      200,
      'pong',
      { 'x-b': '2', 'dapr-grpc-x': '3', 'content-type': 'text/plain', traceparent },
    ])
    const [call] = app.calls
    expect(call).toMatchObject({
      name: 'onInvoke',
      request: {
        method: 'a b/d',
        contentType: 'text/x',
        data: { typeUrl: '', value: new Uint8Array(Buffer.from('ping')) },
        httpExtension: { verb: HTTPExtension_Verb.PATCH, querystring: 'x=1&y=%20' },
      },
    })
    const { 'grpc-trace-bin': trace, ...metadata } = Object.fromEntries(call!.metadata)
    expect(metadata).toEqual({
      'dapr-content-type': 'text/x',
      'dapr-accept': 'b/c',
      'x-a': '1',
      traceparent,
      'dapr-caller-app-id': 'shop',
      'dapr-caller-namespace': 'prod',
      'dapr-callee-app-id': 'shop',
    })
    expect(Buffer.from(decodeBinary(trace!)).toString('hex')).toBe(
      '00000af7651916cd43dd8448eb211c80319c01b7ad6b71692033310201',
    )
  })

  test('a message of protobuf is said to be one', async () => {
    const { api } = setUp({
      onInvoke: () => ({ data: { typeUrl: 'type.googleapis.com/x.Y', value: Buffer.of(8, 1) } }),
    })
    const answer = await ask(api, { target: '/v1.0/invoke/shop/method/a' })
    expect(answer.fields.get('content-type')).toBe('application/x-protobuf')
  })

  test.each([
    [grpcStatus.NOT_FOUND, 404],
    [grpcStatus.INVALID_ARGUMENT, 400],
    [grpcStatus.UNAVAILABLE, 503],
    [grpcStatus.DATA_LOSS, 500],
    [grpcStatus.CANCELLED, 408],
  ])('a status %i is answered as %i, with the status as JSON', async (code, status) => {
    const details = { reason: 'GONE', metadata: { a: 'b' }, violations: [{ field: 'f', description: 'd' }] }
    const { api } = setUp({
      onInvoke() {
        throw grpcError({ code, message: 'sold out', details })
      },
    })
    const answer = await ask(api, { target: '/v1.0/invoke/shop/method/a' })
    expect([answer.status, answer.fields.get('content-type'), JSON.parse(answer.text)]).toEqual([
      status,
      'application/json',
      {
        code,
        message: 'sold out',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: 'GONE',
            domain: 'dapr.io',
            metadata: { a: 'b' },
          },
          {
            '@type': 'type.googleapis.com/google.rpc.BadRequest',
            fieldViolations: [{ field: 'f', description: 'd' }],
          },
        ],
      },
    ])
  })

  test.each([
    ['an application that does not take calls', {}, {}, 501, '"code":12'],
    ['an application that is not there', {}, { down: true }, 503, 'connection refused'],
    ['a body that is too large', { body: 'x'.repeat(101) }, {}, 500, '--max-body-size'],
    ['a name that is none', { target: '/v1.0/invoke/shop/method/a%3Fb' }, {}, 500, 'invalid method'],
  ])('%s', async (_, request, state, status, text) => {
    const { api, app } = setUp()
    Object.assign(app, state)
    const answer = await ask(api, { method: 'POST', target: '/v1.0/invoke/shop/method/a', ...request })
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(text)])
  })
})

describe('InvokeService', () => {
  function call(channel: AppChannel, metadata: string[] = []) {
    const sent: Fields[] = []
    const trailers: Fields[] = []
    const life = {
      metadata: new Fields(metadata),
      signal: new AbortController().signal,
      setMetadata: (init: string[]) => sent.push(Fields.from(init)),
      setTrailers: (init: string[]) => trailers.push(Fields.from(init)),
    } as unknown as ServerCall
    const { invokeService } = invokeMethods(handlerOf(channel), 100)
    const invoke = async (message: object) =>
      invokeService({ id: 'shop', message: { method: 'a', contentType: '', ...message } } as never, life)
    return { invoke, sent, trailers }
  }

  test('goes to an application that speaks gRPC as it is, and so does what comes back', async () => {
    const app = new FakeGrpcApp({
      onInvoke(request, life) {
        life.setMetadata(['x-head', '1'])
        life.setTrailers(['x-tail', '2'])
        return { contentType: request.contentType, data: request.data! }
      },
    })
    const { invoke, sent, trailers } = call(app, [
      'x-a',
      '1',
      'y-bin',
      'AAAA',
      'dapr-caller-app-id',
      'forged',
    ])
    const data = { typeUrl: 'type.googleapis.com/x.Y', value: Uint8Array.of(8, 1) }
    expect(await invoke({ contentType: 'c/d', data })).toMatchObject({ contentType: 'c/d', data })
    expect([sent[0]?.get('x-head'), trailers[0]?.get('x-tail')]).toEqual(['1', '2'])
    expect(Object.fromEntries(app.calls[0]!.metadata)).toMatchObject({
      'x-a': '1',
      'y-bin': 'AAAA',
      'dapr-caller-app-id': 'shop',
    })
    const error = new GrpcError(grpcStatus.ABORTED, 'no', { details: Buffer.of(1), trailers: new Fields() })
    app.handlers = {
      onInvoke() {
        throw error
      },
    }
    await expect(invoke({})).rejects.toBe(error)
  })

  test('goes to an application that speaks HTTP as a request', async () => {
    const app = new FakeApp()
    app.handle = () => ({
      status: 201,
      body: 'ok',
      fields: ['content-type', 'text/plain', 'cache-control', 'no', 'x-b', '2'],
    })
    const { invoke, sent } = call(app, ['x-a', '1', 'y-bin', 'AAAA', 'baggage', 'k=v'])
    const httpExtension = { verb: HTTPExtension_Verb.PUT, querystring: 'q=1' }
    const answer = await invoke({
      method: '/a b/../c d',
      contentType: 'c/d',
      data: { typeUrl: '', value: Buffer.of(120) },
      httpExtension,
    })
    expect(answer).toMatchObject({ contentType: 'text/plain', data: { value: Buffer.from('ok') } })
    expect(app.calls).toMatchObject([{ method: 'PUT', path: '/c%20d?q=1', body: 'x' }])
    expect(Object.fromEntries(app.calls[0]!.fields)).toEqual({
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/) as string,
      'x-a': '1',
      baggage: 'k=v',
      'content-type': 'c/d',
      'dapr-caller-app-id': 'shop',
      'dapr-caller-namespace': 'prod',
      'dapr-callee-app-id': 'shop',
    })
    expect(Object.fromEntries(sent[0]!)).toEqual({
      baggage: 'k=v',
      'dapr-http-status': '201',
      'dapr-content-type': 'text/plain',
      'dapr-cache-control': 'no',
      'x-b': '2',
    })
  })

  test('is answered with its trace context, unless the application has another', async () => {
    const own = traceparent.replace('b7ad6b7169203331', 'aaaaaaaaaaaaaaaa')
    const app = new FakeApp()
    const httpExtension = { verb: HTTPExtension_Verb.GET, querystring: '' }
    const { invoke, sent } = call(app, ['traceparent', traceparent])
    for (const fields of [[], ['traceparent', own]]) {
      app.handle = () => ({ status: 200, body: '', fields })
      await invoke({ httpExtension })
    }
    expect(sent.map((fields) => Fields.from(fields).getAll('traceparent'))).toEqual([[traceparent], [own]])
    expect(sent.map((fields) => Fields.from(fields).getAll('grpc-trace-bin').length)).toEqual([1, 1])
  })

  test('an HTTP status that is no success is a status of gRPC that tells it', async () => {
    const app = new FakeApp()
    app.handle = () => ({ status: 409, body: 'taken'.repeat(20) })
    const httpExtension = { verb: HTTPExtension_Verb.GET, querystring: '' }
    const error = (await call(app)
      .invoke({ httpExtension })
      .catch((it: unknown) => it)) as GrpcError
    expect([error.code, error.message, detailsOf(error)]).toEqual([
      grpcStatus.ALREADY_EXISTS,
      'Conflict',
      {
        reason: 'Conflict',
        domain: 'dapr.io',
        metadata: { 'http.code': '409', 'http.error_message': 'taken'.repeat(20).slice(0, 63) },
      },
    ])
    await expect(call(app).invoke({})).rejects.toMatchObject({ id: 'MALFORMED_REQUEST' })
    await expect(call(app).invoke({ method: 'a?b', httpExtension })).rejects.toMatchObject({
      id: 'DIRECT_INVOKE',
    })
  })
})
