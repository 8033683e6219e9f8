import { virtualClock, recordingLogger } from '@outrigger/testkit'
import type { NameResolver } from '@outrigger/spec'
import {
  createServer,
  type Body,
  type Handler,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from '@outrigger/wire'
import { GrpcError, grpcStatus } from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { MemoryBody, wholeBody } from '../src/app/memory-body.ts'
import { Directory } from '../src/invoke/directory.ts'
import { RemoteApps, type RemoteCall } from '../src/invoke/remote.ts'
import { ReplayBody } from '../src/invoke/replay.ts'
import { callLocal, callLocalPath, callLocalStream, callLocalStreamPath } from '../src/peer/call.ts'
import {
  encodeRequest,
  encodeRequestPiece,
  encodeResponse,
  encodeResponsePiece,
  type PeerRequest,
  type PeerResponse,
} from '../src/peer/messages.ts'
import { peerHandler, type PeerServices } from '../src/peer/server.ts'

const head: PeerRequest = {
  method: 'a/b',
  verb: 'PUT',
  query: 'x=1',
  contentType: 't/x',
  typeUrl: '',
  metadata: [],
}
const ok: PeerResponse = {
  status: 200,
  message: 'OK',
  details: [],
  headers: ['X-A', '1'],
  trailers: [],
  contentType: 'text/plain',
  typeUrl: '',
}
const limit = 10_000
const servers: Server[] = []
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close(AbortSignal.abort()))))

async function listen(handler: Handler, options: ServerOptions = {}): Promise<string> {
  const server = createServer({ ...options, protocols: ['h2c'] }, handler)
  servers.push(server)
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  return `http://127.0.0.1:${port}`
}

const unknown: Handler = (_, response) =>
  response.send(200, [
    'content-type',
    'application/grpc',
    'grpc-status',
    '12',
    'grpc-message',
    'unknown method',
  ])

/** A sidecar whose application does as it is told. */
function served(callLocalBy: PeerServices['callLocal'], errors: unknown[] = []): Promise<string> {
  const onError = (error: unknown): void => void errors.push(error)
  return listen(peerHandler({ callLocal: callLocalBy, fallback: unknown, maxMessageBytes: limit, onError }))
}

const echo: PeerServices['callLocal'] = async ({ method }, body) => {
  const bytes = await wholeBody(body)
  return { head: { ...ok, message: method }, body: new MemoryBody(bytes) }
}

function client() {
  const created = createHttp2Client()
  onTestFinished(() => created.close())
  return created
}

const text = async (body: Body): Promise<string> => Buffer.from(await body.bytes()).toString()
const call = (body?: RemoteCall['body'], signal?: AbortSignal) => ({ head, body, metadata: [], signal })

async function* slowly(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    yield Buffer.from(part)
    await new Promise(setImmediate)
  }
}

describe('two sidecars', () => {
  it.each([
    ['nothing', undefined, ''],
    ['bytes', Buffer.from('hello'), 'hello'],
    ['pieces', () => new ReplayBody(slowly('one ', '', 'two')), 'one two'],
    ['much', Buffer.alloc(2 ** 20, 'x'), 'x'.repeat(2 ** 20)],
  ] as const)('exchange %s as a stream', async (_, body, expected) => {
    const many = peerHandlerFor(2 ** 22)
    const answer = await callLocalStream(
      client(),
      await listen(many),
      call(typeof body === 'function' ? body() : body),
      2 ** 22,
    )
    expect(answer.head).toMatchObject({ status: 200, message: 'a/b', headers: ['X-A', '1'] })
    expect(await text(answer.body)).toBe(expected)
  })

  it('exchange one message each', async () => {
    const origin = await served(echo)
    const answer = await callLocal(client(), origin, { ...call(), body: Buffer.from('hello') }, limit)
    expect(answer.head).toMatchObject({ status: 200, message: 'a/b' })
    expect(await text(answer.body)).toBe('hello')
  })

  it('pass pieces on before the body is over, both ways', async () => {
    const origin = await served((_, body) => Promise.resolve({ head: ok, body: body as Body }))
    let more = (): void => {}
    async function* talk(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('one')
      await new Promise<void>((resolve) => (more = resolve))
      yield Buffer.from('two')
    }
    const answer = await callLocalStream(client(), origin, call(new ReplayBody(talk(), 0)), limit)
    const heard: string[] = []
    for await (const chunk of answer.body) {
      heard.push(Buffer.from(chunk).toString())
      more()
    }
    expect(heard).toEqual(['one', 'two'])
  })

  function peerHandlerFor(maxMessageBytes: number): Handler {
    return peerHandler({ callLocal: echo, fallback: unknown, maxMessageBytes, onError: () => {} })
  }
})

describe('a sidecar that is called answers', () => {
  const piece = encodeRequestPiece(head, Buffer.from('hello'), 0)
  const compressed = Buffer.from([1, 0, 0, 0, 0])
  const lying = Buffer.from([0, 0, 0x7f, 0xff, 0xff])

  it.each([
    ['a stream without a message', callLocalStreamPath, '', 3, 'there is no message'],
    [
      'a stream without a head',
      callLocalStreamPath,
      encodeRequestPiece(undefined, Buffer.from('x'), 0),
      3,
      'no head',
    ],
    [
      'a stream that begins late',
      callLocalStreamPath,
      encodeRequestPiece(head, Buffer.from('x'), 4),
      3,
      'number 4',
    ],
    ['a compressed frame', callLocalStreamPath, compressed, 12, 'compressed'],
    ['too large a frame', callLocalStreamPath, lying, 8, 'larger than the limit'],
    ['what is no message', callLocalStreamPath, Buffer.from([0, 0, 0, 0, 1, 255]), 3, ''],
    ['half a frame', callLocalStreamPath, piece.subarray(0, 20), 13, 'in the middle'],
    ['a call without a message', callLocalPath, '', 3, 'there is no message'],
    [
      'two messages',
      callLocalPath,
      Buffer.concat([encodeRequest(head, Buffer.from('a')), encodeRequest(head, Buffer.from('b'))]),
      3,
      'more than one',
    ],
    ['too large a message', callLocalPath, encodeRequest(head, Buffer.alloc(2 * limit)), 8, 'larger than'],
    [
      'more fields than anybody has',
      callLocalStreamPath,
      encodeRequestPiece({ ...head, metadata: Array<string>(2002).fill('a') }, undefined, 0),
      3,
      'more than 1000 fields',
    ],
    ['another method', '/dapr.proto.internals.v1.ServiceInvocation/Other', piece, 12, 'unknown method'],
  ])('%s', async (_, path, body, code, message) => {
    const errors: unknown[] = []
    const origin = await served(echo, errors)
    const fields = ['content-type', 'application/grpc', 'te', 'trailers']
    const answer = await client().request({ method: 'POST', origin, path, fields, body })
    await answer.body.bytes()
    const status = answer.trailers ?? answer.fields
    expect([status.get('grpc-status'), decodeURIComponent(status.get('grpc-message') ?? '')]).toEqual([
      String(code),
      expect.stringContaining(message),
    ])
    expect(errors).toEqual([])
  })

  it.each([
    [
      'a piece that was left out',
      encodeRequestPiece(undefined, Buffer.from('z'), 2),
      'piece 2 came where piece 1',
    ],
    ['a second head', encodeRequestPiece(head, undefined, 0), 'a second head'],
  ])('%s, when its application has not answered yet', async (_, wrong, message) => {
    const outcomes: unknown[] = []
    const origin = await served(async (_, body) => {
      try {
        return { head: ok, body: new MemoryBody(await wholeBody(body)) }
      } catch (error) {
        outcomes.push(error)
        throw error
      }
    })
    async function* body(): AsyncGenerator<Uint8Array> {
      yield piece
      await new Promise(setImmediate)
      yield wrong
    }
    const fields = ['content-type', 'application/grpc', 'te', 'trailers']
    const answer = await client().request({
      method: 'POST',
      origin,
      path: callLocalStreamPath,
      fields,
      body: body(),
    })
    await answer.body.bytes()
    expect((answer.trailers ?? answer.fields).get('grpc-status')).toBe('13')
    expect(outcomes).toMatchObject([{ code: 'RESET', message: expect.stringContaining(message) }])
  })

  it('nobody who says nothing for ever, and waits for pieces as long as they take', async () => {
    const onError = (): void => {}
    const services = { callLocal: echo, fallback: unknown, maxMessageBytes: limit, onError }
    const origin = await listen(peerHandler(services), { bodyIdleTimeoutMs: 20 })
    const own = client()
    const silent = new Promise<never>(() => {})
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(0)
      await silent
    }
    const fields = ['content-type', 'application/grpc', 'te', 'trailers']
    const request = { method: 'POST', origin, path: callLocalStreamPath, fields, body: body() }
    const { fields: status } = await own.request(request)
    expect([status.get('grpc-status'), status.get('grpc-message')]).toEqual([
      '13',
      expect.stringContaining('nothing of the body came'),
    ])
    async function* late(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('one ')
      // The one that says nothing is given up meanwhile, and this one is not.
      await own.request({ ...request, body: body() })
      yield Buffer.from('two')
    }
    const answer = await callLocalStream(own, origin, call(new ReplayBody(late(), 0)), limit)
    expect(await text(answer.body)).toBe('one two')
  })

  it('what nobody foresaw, without a word of it', async () => {
    const errors: unknown[] = []
    const origin = await served(() => Promise.reject(new Error('the password is sesame')), errors)
    const answer = callLocalStream(client(), origin, call(), limit)
    await expect(answer).rejects.toMatchObject({ code: 13, message: expect.not.stringContaining('sesame') })
    expect(errors).toHaveLength(1)
  })

  it('a refusal with its code and details', async () => {
    const details = Buffer.from([8, 7])
    const origin = await served(() =>
      Promise.reject(new GrpcError(grpcStatus.PERMISSION_DENIED, 'nö', { details })),
    )
    const refusal = { code: 7, message: 'nö', details }
    await expect(callLocalStream(client(), origin, call(), limit)).rejects.toMatchObject(refusal)
    const single = callLocal(client(), origin, { ...call(), body: undefined }, limit)
    await expect(single).rejects.toMatchObject(refusal)
  })

  it('an answer that breaks off, such that it is not taken for whole', async () => {
    async function* half(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half')
      throw new Error('the application is gone')
    }
    const origin = await served(() => Promise.resolve({ head: ok, body: asBody(half()) }))
    const answer = await callLocalStream(client(), origin, call(), limit)
    expect(answer.head.status).toBe(200)
    await expect(text(answer.body)).rejects.toMatchObject({
      code: 'RESET',
      message: expect.stringContaining('the application is gone'),
    })
  })

  it('nothing any more when the caller gives up, and the application hears of it', async () => {
    let gone = (): void => {}
    const heard = new Promise<void>((resolve) => (gone = resolve))
    let begun = (): void => {}
    const started = new Promise<void>((resolve) => (begun = resolve))
    const origin = await served((_, __, { signal }) => {
      signal.addEventListener('abort', gone)
      begun()
      return new Promise(() => {})
    })
    const abort = new AbortController()
    const answer = callLocalStream(client(), origin, call(undefined, abort.signal), limit)
    answer.catch(() => {})
    await started
    abort.abort()
    await expect(answer).rejects.toMatchObject({ code: grpcStatus.CANCELLED })
    await heard
  })
})

describe('a sidecar that calls is told of', () => {
  const grpc = ['content-type', 'application/grpc']
  const whole = encodeResponsePiece(ok, Buffer.from('hello'), 0)
  const end = (
    response: ServerResponse,
    frames: readonly Uint8Array[],
    status: string[] = ['grpc-status', '0'],
  ) => {
    const writer = response.start(200, grpc)
    for (const one of frames) void writer.write(one)
    writer.end(status)
  }
  const answers: readonly (readonly [string, (response: ServerResponse) => void, number, string])[] = [
    ['an answer without a message', (it) => end(it, []), 13, 'without an answer'],
    [
      'one without a head',
      (it) => end(it, [encodeResponsePiece(undefined, Buffer.from('x'), 0)]),
      13,
      'no head',
    ],
    ['one that begins late', (it) => end(it, [encodeResponsePiece(ok, Buffer.from('x'), 3)]), 13, 'number 3'],
    ['a compressed frame', (it) => end(it, [Buffer.from([1, 0, 0, 0, 0])]), 12, 'compressed'],
    ['too large a message', (it) => end(it, [Buffer.from([0, 0x7f, 0, 0, 0])]), 8, 'larger than the limit'],
    ['half a frame', (it) => end(it, [whole.subarray(0, 9)]), 13, 'in the middle'],
    [
      'a status alone',
      (it) => it.send(200, [...grpc, 'grpc-status', '14', 'grpc-message', 'later']),
      14,
      'later',
    ],
    ['a status behind no message', (it) => end(it, [], ['grpc-status', '7', 'grpc-message', 'no']), 7, 'no'],
    ['a status that nobody knows', (it) => it.send(200, [...grpc, 'grpc-status', '99']), 2, 'status 99'],
    ['a status of HTTP', (it) => it.send(503, []), 14, 'HTTP status 503'],
    ['what does not speak gRPC', (it) => it.send(404, []), 12, 'HTTP status 404'],
    ['an end without a status', (it) => end(it, [whole], []), 14, 'without a status'],
    ['a connection that is cut', (it) => it.abort(), 14, ''],
  ]

  it.each(answers)('%s', async (_, answer, code, message) => {
    const origin = await listen((_request, response) => answer(response))
    const made = (async () => text((await callLocalStream(client(), origin, call(), limit)).body))()
    await expect(made).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
  })

  it.each([
    [
      'a piece that was left out',
      [whole, encodeResponsePiece(undefined, Buffer.from('z'), 2)],
      'piece 2 came where piece 1',
    ],
    ['a second head', [whole, encodeResponsePiece(ok, undefined, 0)], 'a second head'],
    ['a compressed frame later on', [whole, Buffer.from([1, 0, 0, 0, 0])], 'compressed'],
  ])('%s, where the body breaks off', async (_, frames, message) => {
    const origin = await listen(async (_request, response) => {
      const writer = response.start(200, grpc)
      for (const one of frames) {
        await writer.write(one)
        await new Promise(setImmediate)
      }
      writer.end(['grpc-status', '0'])
    })
    const { body } = await callLocalStream(client(), origin, call(), limit)
    await expect(text(body)).rejects.toMatchObject({
      name: 'WireError',
      message: expect.stringContaining(message),
    })
  })

  it('a reset in the middle of the body', async () => {
    const origin = await listen(async (_request, response) => {
      const writer = response.start(200, grpc)
      await writer.write(whole)
      await new Promise(setImmediate)
      writer.abort()
    })
    const made = (async () => text((await callLocalStream(client(), origin, call(), limit)).body))()
    await expect(made).rejects.toThrow()
  })

  it('two messages where there is to be one', async () => {
    const frame = encodeResponse(ok, Buffer.from('x'))
    const origin = await listen((_request, response) => end(response, [frame, frame]))
    await expect(callLocal(client(), origin, { ...call(), body: undefined }, limit)).rejects.toThrow(
      'more than once',
    )
  })

  it('nobody at the address, and that nothing was sent', async () => {
    const origin = await listen(unknown)
    await servers.pop()!.close(AbortSignal.abort())
    await expect(callLocalStream(client(), origin, call(), limit)).rejects.toMatchObject({
      code: 14,
      cause: { code: 'CONNECT', sent: false },
    })
  })
})

describe('a sidecar that knows whole messages only', () => {
  /** How often each method was asked for. */
  async function old(): Promise<{ remote: RemoteApps; asked: string[]; got: string[] }> {
    const asked: string[] = []
    const got: string[] = []
    const known = peerHandler({
      callLocal: async (_, body) => {
        got.push(Buffer.from(await wholeBody(body)).toString())
        return { head: ok, body: new MemoryBody(Buffer.from('from the old one')) }
      },
      fallback: unknown,
      maxMessageBytes: 2 ** 22,
      onError: () => {},
    })
    const origin = await listen(async (request, response) => {
      asked.push(request.path.split('/').at(-1)!)
      if (request.path !== callLocalStreamPath) return known(request, response)
      // It may have read some of it.
      for await (const _ of request.body) break
      return unknown(request, response)
    })
    const own = client()
    const resolver: NameResolver = {
      capabilities: new Set(),
      ping: async () => {},
      close: async () => {},
      resolve: async () => ({
        instances: [{ host: '127.0.0.1', port: Number(new URL(origin).port) }],
        ttlMs: 60_000,
      }),
    }
    const directory = new Directory({
      resolver: async () => resolver,
      connect: () => ({ scheme: 'http', client: own, close: () => {} }),
      internalPort: () => undefined,
      clock: virtualClock(),
      logger: recordingLogger(),
    })
    return { remote: new RemoteApps(directory, 2 ** 22), asked, got }
  }

  it('is called anew with one message, and from then on at once', async () => {
    const { remote, asked, got } = await old()
    for (const body of [Buffer.from('first'), new ReplayBody(slowly('sec', 'ond')), undefined]) {
      const answer = await remote.call('old', 'default', call(body))
      expect(await text(answer.body)).toBe('from the old one')
    }
    expect(got).toEqual(['first', 'second', ''])
    expect(asked).toEqual(['CallLocalStream', 'CallLocal', 'CallLocal', 'CallLocal'])
  })

  it('is not called anew with what cannot be sent again', async () => {
    const { remote, asked } = await old()
    const body = new ReplayBody(slowly('x'.repeat(100), 'y'.repeat(100)), 50)
    await expect(remote.call('old', 'default', call(body))).rejects.toMatchObject({
      code: grpcStatus.UNIMPLEMENTED,
      message: expect.stringContaining('does not take requests in pieces'),
    })
    expect(asked).toEqual(['CallLocalStream'])
    expect(body.replayable).toBe(false)
  })
})

function asBody(chunks: AsyncIterable<Uint8Array>): Body {
  return {
    length: undefined,
    limit: Number.POSITIVE_INFINITY,
    bytes: () => wholeBody(chunks),
    cancel() {},
    [Symbol.asyncIterator]: () => chunks[Symbol.asyncIterator](),
  }
}
