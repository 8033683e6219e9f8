import { describe, expect, it } from 'vitest'
import { decodeBinary, encodeBinary, GrpcChannel, grpcStatus, type ServerCall } from '../../src/grpc/index.ts'
import type { Fields } from '../../src/index.ts'
import { client } from '../http2/setup.ts'
import { until } from '../setup.ts'
import { bidi, bytes, clientStream, collect, many, methodOf, serverStream, service, unary } from './setup.ts'

const mebibyte = 1024 * 1024
const failure = { code: 3, message: 'bad: ü 100%', details: Buffer.from('why') }

describe('messages', () => {
  it.each([0, 5, 3 * mebibyte])('come back from a unary call: %i bytes', async (size) => {
    const { channel } = await service()
    const message = Buffer.alloc(size, 'x')
    expect(Buffer.compare(await channel.call(unary, message), message)).toBe(0)
  })

  it('over the limit of the server are refused, and the connection serves the next call', async () => {
    const { channel, server } = await service()
    const large = new Uint8Array(5 * mebibyte)
    await expect(channel.call(unary, large)).rejects.toMatchObject({ code: grpcStatus.RESOURCE_EXHAUSTED })
    await expect(channel.call(clientStream, many(1, large))).rejects.toMatchObject({ code: 8 })
    expect(await channel.call(unary, bytes('next'))).toEqual(bytes('next'))
    expect(server.stats.connectionsTotal).toBe(1)
  })

  it('over the limit of the client are refused', async () => {
    const { origin } = await service()
    const channel = new GrpcChannel({ origin, client: client(), maxMessageBytes: 10 })
    const message = bytes('more than ten')
    await expect(channel.call(unary, message)).rejects.toMatchObject({ code: 8 })
    await expect(collect(channel.stream(serverStream, message))).rejects.toMatchObject({ code: 8 })
  })

  it.each([0, 1, 100, 2000])('stream in every direction: %i', async (count) => {
    const { channel } = await service()
    const expected = Array.from({ length: count }, () => 'message')
    const metadata = ['x-count', String(count)]
    expect(await collect(channel.stream(serverStream, bytes('message'), { metadata }))).toEqual(expected)
    expect(await collect(channel.stream(bidi, many(count, bytes('message'))))).toEqual(expected)
    const total = await channel.call(clientStream, many(count, bytes('message')))
    expect(Buffer.from(total).toString()).toBe(String(7 * count))
  })

  it('stream large in both directions at once', async () => {
    const { channel } = await service()
    let total = 0
    for await (const message of channel.stream(bidi, many(64, new Uint8Array(mebibyte))))
      total += message.length
    expect(total).toBe(64 * mebibyte)
  })

  it('are packed and unpacked with gzip', async () => {
    const { channel } = await service()
    const message = bytes('compress me '.repeat(10_000))
    expect(await channel.call(unary, message, { gzip: true })).toEqual(Buffer.from(message))
    const found = await collect(channel.stream(bidi, many(100, message), { gzip: true }))
    expect(found).toEqual(Array.from({ length: 100 }, () => Buffer.from(message).toString()))
  })

  it('of 200 calls at once do not mix', async () => {
    const { channel, server } = await service()
    const calls = Array.from({ length: 200 }, (_, index) => channel.call(unary, bytes(`message ${index}`)))
    const found = await Promise.all(calls)
    for (const [index, message] of found.entries()) expect(message).toEqual(bytes(`message ${index}`))
    expect(server.stats.connectionsTotal).toBe(1)
  })
})

it.each([unary, serverStream, bidi])('carries metadata, text and binary: $kind', async (method) => {
  const { channel } = await service()
  const binary = Buffer.of(0, 255, 44, 7)
  let initial: Fields | undefined
  let trailers: Fields | undefined
  const options = {
    metadata: ['x-text', 'a text: 100%', 'x-data-bin', encodeBinary(binary)],
    onMetadata: (fields: Fields) => void (initial = fields),
    onTrailers: (fields: Fields) => void (trailers = fields),
  }
  if (method.kind === 'bidi') await collect(channel.stream(method, many(1, bytes('x')), options))
  else await collect(channel.stream(method, bytes('x'), options))
  expect([...initial!]).toEqual([['x-text', 'a text: 100%']])
  expect(decodeBinary(trailers!.get('x-data-bin')!)).toEqual(binary)
})

it('announces no length, which would be metadata to others', async () => {
  let seen: Fields | undefined
  const handle = (request: Uint8Array, { metadata }: ServerCall): Uint8Array => {
    seen = metadata
    return request
  }
  const { channel } = await service({ routes: [{ method: unary, handle }] })
  await channel.call(unary, bytes('x'))
  expect([...seen!].map(([name]) => name)).not.toContain('content-length')
})

describe('a failure', () => {
  const metadata = ['x-fail', '3']

  it.each([0, 3])('comes with code, message and details, after %i messages', async (count) => {
    const { channel } = await service()
    const found: Uint8Array[] = []
    const read = async (): Promise<void> => {
      const options = { metadata: [...metadata, 'x-count', String(count)] }
      for await (const message of channel.stream(serverStream, bytes('x'), options)) found.push(message)
    }
    await expect(read()).rejects.toMatchObject(failure)
    expect(found.length).toBe(count)
  })

  it('comes behind the metadata that was set', async () => {
    const { channel } = await service()
    let initial: Fields | undefined
    const options = {
      metadata: [...metadata, 'x-text', 'before'],
      onMetadata: (fields: Fields) => void (initial = fields),
    }
    await expect(channel.call(unary, bytes('x'), options)).rejects.toMatchObject(failure)
    expect(initial?.get('x-text')).toBe('before')
  })

  it('comes from calls with one answer', async () => {
    const { channel } = await service()
    await expect(channel.call(unary, bytes('x'), { metadata })).rejects.toMatchObject(failure)
    await expect(channel.call(clientStream, many(3, bytes('x')), { metadata })).rejects.toMatchObject(failure)
  })

  it('says nothing of what a handler threw, but tells the server', async () => {
    const seen: unknown[] = []
    const secret = new Error('secret')
    const routes = [{ method: unary, handle: () => Promise.reject(secret) }]
    const { channel } = await service({ routes, onError: (error, path) => seen.push(error, path) })
    await expect(channel.call(unary, bytes('x'))).rejects.toMatchObject({
      code: grpcStatus.INTERNAL,
      message: expect.not.stringContaining('secret'),
    })
    expect(seen).toEqual([secret, unary.path])
  })

  it('is UNIMPLEMENTED for an unknown method', async () => {
    const { channel } = await service()
    await expect(channel.call(methodOf('Nothing', 'unary'), bytes('x'))).rejects.toMatchObject({ code: 12 })
  })

  it('is UNAVAILABLE where nobody listens', async () => {
    const channel = new GrpcChannel({ origin: 'http://127.0.0.1:1', client: client() })
    await expect(channel.call(unary, bytes('x'))).rejects.toMatchObject({ code: grpcStatus.UNAVAILABLE })
  })
})

describe('the end of a call', () => {
  /** A server whose handlers wait for the end of the call, and what they have seen of it. */
  async function waiting() {
    const seen: string[] = []
    const aborted = (signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        if (signal.aborted) resolve()
        else signal.addEventListener('abort', () => resolve())
      })
    const running = await service({
      routes: [
        {
          method: unary,
          handle: async (request: Uint8Array, call: ServerCall) => {
            seen.push('begun')
            await aborted(call.signal)
            seen.push('over')
            return request
          },
        },
        {
          method: bidi,
          handle: async function* (requests: AsyncIterable<Uint8Array>) {
            seen.push('begun')
            try {
              yield* requests
            } finally {
              seen.push('over')
            }
          },
        },
        {
          method: serverStream,
          handle: async function* (request: Uint8Array) {
            seen.push('begun')
            try {
              for (;;) yield request
            } finally {
              seen.push('over')
            }
          },
        },
      ],
    })
    return { ...running, seen, over: () => until(() => seen.includes('over'), 'the handler has ended') }
  }

  it.each(['unary', 'bidi'] as const)('is its deadline: %s', async (kind) => {
    const { channel, over } = await waiting()
    const call =
      kind === 'unary'
        ? channel.call(unary, bytes('x'), { timeoutMs: 100 })
        : collect(channel.stream(bidi, never(), { timeoutMs: 100 }))
    await expect(call).rejects.toMatchObject({ code: grpcStatus.DEADLINE_EXCEEDED })
    await over()
  })

  it('is its deadline when only the server keeps it', async () => {
    const { origin, over } = await waiting()
    const own = client()
    // What a client sends whose own clock is late.
    const fields = ['content-type', 'application/grpc', 'te', 'trailers', 'grpc-timeout', '50m']
    const body = Buffer.of(0, 0, 0, 0, 1, 7)
    const answer = await own.request({ method: 'POST', origin, path: unary.path, fields, body })
    expect(answer.fields.get('grpc-status')).toBe(String(grpcStatus.DEADLINE_EXCEEDED))
    answer.body.cancel()
    await over()
  })

  it('is the cancellation of a unary call', async () => {
    const { channel, seen, over } = await waiting()
    const controller = new AbortController()
    const call = channel.call(unary, bytes('x'), { signal: controller.signal })
    const refused = expect(call).rejects.toMatchObject({ code: grpcStatus.CANCELLED })
    await until(() => seen.includes('begun'), 'the call is under way')
    controller.abort()
    await refused
    await over()
  })

  it('is the end of the loop that reads its answers', async () => {
    const { channel, over } = await waiting()
    let count = 0
    for await (const message of channel.stream(serverStream, new Uint8Array(1000))) {
      expect(message.length).toBe(1000)
      if (++count === 10) break
    }
    await over()
  })

  it('is not the silence of a stream', async () => {
    const { origin } = await service({}, { bodyIdleTimeoutMs: 20 })
    const channel = new GrpcChannel({ origin, client: client() })
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield bytes('first')
      await gate
      yield bytes('last')
    }
    const found: string[] = []
    for await (const message of channel.stream(bidi, slow())) {
      found.push(Buffer.from(message).toString())
      // Several times what a body may pause that is read whole.
      setTimeout(() => open(), 200)
    }
    expect(found).toEqual(['first', 'last'])
  })
})

async function* never(): AsyncGenerator<Uint8Array> {
  yield bytes('x')
  await new Promise(() => {})
}
