import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { decodeBinary, GrpcChannel, type GrpcError } from '../../src/grpc/index.ts'
import { block, type Frame, type Peer } from '../http2/peer.ts'
import { rawServer } from '../http2/raw-server.ts'
import { client } from '../http2/setup.ts'
import { until } from '../setup.ts'
import { bidi, bytes, clientStream, collect, echo, serverStream, service, unary } from './setup.ts'

const message = Buffer.of(0, 0, 0, 0, 1, 7)

interface Attack {
  readonly path?: string
  readonly fields?: readonly (readonly [string, string])[]
  readonly body: Uint8Array
  /** The request does not end. */
  readonly open?: boolean
}

function head(path: string, more: readonly (readonly [string, string])[] = []): Buffer {
  return block([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'test'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
    ...more,
  ])
}

/** The fields of the first HEADERS frame that ends a stream. */
async function last(peer: Peer, stream = 1): Promise<Record<string, string>> {
  const isEnd = (frame: Frame): boolean =>
    frame.type === 'HEADERS' && frame.stream === stream && (frame.flags & 1) === 1
  const found = await peer.until(isEnd)
  const fields: string[] = []
  // Every section in turn: the decoder has a memory.
  for (const frame of peer.frames) {
    if (frame.type === 'HEADERS') fields.splice(0, fields.length, ...peer.fields(frame))
    if (frame === found) break
  }
  return Object.fromEntries(fields.map((field) => field.split(': ') as [string, string]))
}

async function attack({ path = unary.path, fields, body, open }: Attack): Promise<string> {
  const { peer } = await service({ maxMessageBytes: 1000 })
  const raw = peer().begin().send('HEADERS', 4, 1, head(path, fields))
  raw.send('DATA', open === true ? 0 : 1, 1, body)
  return (await last(raw))['grpc-status']!
}

const gzip = [['grpc-encoding', 'gzip']] as const
const packed = (data: Uint8Array): Buffer => {
  const prefix = Buffer.alloc(5)
  prefix[0] = 1
  prefix.writeUInt32BE(data.length, 1)
  return Buffer.concat([prefix, data])
}

describe('a server', () => {
  it.each<[string, string, Attack]>([
    ['a length of 4 GiB', '8', { body: Buffer.of(0, 255, 255, 255, 255, 1) }],
    [
      'a length of 4 GiB in a stream',
      '8',
      { path: bidi.path, body: Buffer.of(0, 255, 255, 255, 255), open: true },
    ],
    ['more bytes than a message may have', '8', { body: new Uint8Array(2000), open: true }],
    ['a flag that means nothing', '13', { body: Buffer.of(7, 0, 0, 0, 0) }],
    [
      'a flag that means nothing in a stream',
      '13',
      { path: clientStream.path, body: Buffer.of(2, 0, 0, 0, 0), open: true },
    ],
    ['an end in mid-message', '13', { body: message.subarray(0, 5) }],
    ['an end within a length', '13', { body: message.subarray(0, 3) }],
    ['an end in mid-message of a stream', '13', { path: clientStream.path, body: message.subarray(0, 5) }],
    ['no message', '13', { body: new Uint8Array(0) }],
    ['two messages where one is due', '13', { body: Buffer.concat([message, message]) }],
    ['a malformed timeout', '13', { fields: [['grpc-timeout', '1 hour']], body: message }],
    ['a timeout without end', '13', { fields: [['grpc-timeout', '999999999S']], body: message }],
    [
      'a timeout that is over',
      '4',
      { fields: [['grpc-timeout', '0n']], path: clientStream.path, body: message, open: true },
    ],
    ['a message packed without saying how', '13', { body: packed(gzipSync('x')) }],
    [
      'a message packed in an unknown way',
      '12',
      { fields: [['grpc-encoding', 'br']], body: packed(bytes('x')) },
    ],
    ['a message that cannot be unpacked', '13', { fields: gzip, body: packed(bytes('rubbish')) }],
    ['a message that bursts', '8', { fields: gzip, body: packed(gzipSync(new Uint8Array(100_000))) }],
  ])('answers %s with status %s', async (_, status, what) => expect(await attack(what)).toBe(status))

  it('reads a message that comes byte by byte', async () => {
    const { peer } = await service()
    const raw = peer().begin().send('HEADERS', 4, 1, head(clientStream.path))
    for (const byte of message) raw.send('DATA', 0, 1, Buffer.of(byte))
    raw.send('DATA', 1, 1)
    expect((await last(raw))['grpc-status']).toBe('0')
    expect(raw.frames.find((frame) => frame.type === 'DATA')!.payload.subarray(5)).toEqual(Buffer.from('1'))
  })

  it('waits for a single message only so long', async () => {
    const { peer } = await service({}, { bodyIdleTimeoutMs: 50 })
    const raw = peer()
      .begin()
      .send('HEADERS', 4, 1, head(unary.path))
      .send('DATA', 0, 1, message.subarray(0, 5))
    expect((await last(raw))['grpc-status']).toBe('4')
  })

  it.each([
    ['gzip', 'identity,gzip', 1],
    ['what it can read', 'identity', 0],
    ['gzip', undefined, 1],
  ])('answers gzip with %s when the client accepts %s', async (_, accepted, flag) => {
    const { peer } = await service()
    const more = accepted === undefined ? [] : [['grpc-accept-encoding', accepted] as const]
    const raw = peer()
      .begin()
      .send('HEADERS', 4, 1, head(unary.path, [...gzip, ...more]))
      .send('DATA', 1, 1, packed(gzipSync('hello')))
    expect((await last(raw))['grpc-status']).toBe('0')
    expect(raw.frames.find((frame) => frame.type === 'DATA')!.payload[0]).toBe(flag)
  })

  it('answers what is no gRPC', async () => {
    const { origin } = await service()
    const own = client()
    const send = (method: string, type: string) =>
      own.request({ method, origin, path: unary.path, fields: ['content-type', type], body: message })
    expect((await send('POST', 'application/json')).status).toBe(415)
    expect((await send('POST', 'application/grpc-web')).status).toBe(415)
    expect((await send('PUT', 'application/grpc')).fields.get('grpc-status')).toBe('12')
  })

  it('refuses a flood of metadata and serves the next call on the connection', async () => {
    const { peer, server } = await service()
    const flood = Array.from({ length: 500 }, (_, index) => [`x-${index}`, 'y'] as const)
    const raw = peer().begin().send('HEADERS', 4, 1, head(unary.path, flood)).send('DATA', 1, 1, message)
    expect((await last(raw))[':status']).toBe('431')
    raw.send('HEADERS', 4, 3, head(unary.path)).send('DATA', 1, 3, message)
    expect((await last(raw, 3))['grpc-status']).toBe('0')
    expect(server.stats.requestsTotal).toBe(1)
  })

  it.each(['RST_STREAM', 'disconnect'])(
    'ends the handler when the client breaks off in mid-message: %s',
    async (how) => {
      const seen: unknown[] = []
      const method = clientStream
      const handle = async (requests: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
        try {
          for await (const request of requests) seen.push(request.length)
          return bytes('all')
        } catch (error) {
          seen.push((error as { code: unknown }).code)
          throw error
        }
      }
      const { peer, server } = await service({
        routes: [...echo().filter((route) => route.method !== method), { method, handle }],
      })
      const raw = peer().begin().send('HEADERS', 4, 1, head(method.path))
      raw.send('DATA', 0, 1, Buffer.concat([message, message.subarray(0, 5)]))
      await until(() => seen.length === 1, 'the first message has come')
      if (how === 'disconnect') raw.socket.destroy()
      else raw.send('RST_STREAM', 0, 1, Buffer.of(0, 0, 0, 8))
      await until(() => seen.length === 2, 'the handler has seen the end')
      expect(seen).toEqual([1, expect.stringMatching(/ABORTED|RESET/)])
      await until(() => server.stats.running === 0, 'nothing is left')
    },
  )
})

describe('a client', () => {
  const status = (fields: readonly (readonly [string, string])[]): Buffer => block(fields)
  const ok = [
    [':status', '200'],
    ['content-type', 'application/grpc'],
  ] as const

  /** Makes one call to a server that answers with these frames. */
  async function answered(
    answer: (peer: Peer) => void,
    kind: 'unary' | 'stream' = 'unary',
    timeoutMs?: number,
  ) {
    const server = await rawServer()
    const channel = new GrpcChannel({ origin: server.origin, client: client(), maxMessageBytes: 1000 })
    const call =
      kind === 'unary'
        ? channel.call(unary, bytes('x'), { timeoutMs })
        : collect(channel.stream(serverStream, bytes('x'), { timeoutMs }))
    const outcome = call.then(
      () => 'OK',
      (error: unknown) => (error as { code: number }).code,
    )
    const peer = await server.peer()
    await peer.type('HEADERS')
    answer(peer)
    return outcome
  }

  it.each<[string, number, (peer: Peer) => void]>([
    ['no status', 13, (peer) => peer.send('HEADERS', 4, 1, status(ok)).send('DATA', 1, 1, message)],
    [
      'a status that is none',
      2,
      (peer) => peer.send('HEADERS', 5, 1, status([...ok, ['grpc-status', 'fine']])),
    ],
    ['an empty status', 2, (peer) => peer.send('HEADERS', 5, 1, status([...ok, ['grpc-status', '']]))],
    [
      'a status from the future',
      2,
      (peer) => peer.send('HEADERS', 5, 1, status([...ok, ['grpc-status', '99']])),
    ],
    ['OK without a message', 13, (peer) => peer.send('HEADERS', 5, 1, status([...ok, ['grpc-status', '0']]))],
    ['HTTP 503', 14, (peer) => peer.send('HEADERS', 5, 1, status([[':status', '503']]))],
    ['HTTP 404', 12, (peer) => peer.send('HEADERS', 5, 1, status([[':status', '404']]))],
    ['a page of HTML', 2, (peer) => page(peer, '200')],
    ['a page of HTML that says 502', 14, (peer) => page(peer, '502')],
    ['no content type', 2, (peer) => peer.send('HEADERS', 5, 1, status([[':status', '200']]))],
    [
      'a status without content type',
      7,
      (peer) =>
        peer.send(
          'HEADERS',
          5,
          1,
          status([
            [':status', '200'],
            ['grpc-status', '7'],
          ]),
        ),
    ],
    ['a flag that means nothing', 13, (peer) => answerWith(peer, Buffer.of(9, 0, 0, 0, 0))],
    ['a length of 4 GiB', 8, (peer) => answerWith(peer, Buffer.of(0, 255, 255, 255, 255))],
    ['an end in mid-message', 13, (peer) => answerWith(peer, message.subarray(0, 5))],
    ['two messages', 13, (peer) => answerWith(peer, Buffer.concat([message, message]))],
    ['a disconnection', 14, (peer) => peer.socket.destroy()],
    ['RST_STREAM: INTERNAL_ERROR', 13, (peer) => reset(peer, 2)],
    ['RST_STREAM: CANCEL', 1, (peer) => reset(peer, 8)],
    ['RST_STREAM: ENHANCE_YOUR_CALM', 8, (peer) => reset(peer, 11)],
    ['RST_STREAM: INADEQUATE_SECURITY', 7, (peer) => reset(peer, 12)],
  ])('takes %s for status %i', async (_, code, answer) => expect(await answered(answer)).toBe(code))

  it('takes metadata along with a failure, joined binary values apart', async () => {
    const server = await rawServer()
    const channel = new GrpcChannel({ origin: server.origin, client: client() })
    const failed = channel.call(unary, bytes('x')).catch((error: unknown) => error as GrpcError)
    const peer = await server.peer()
    await peer.type('HEADERS')
    const end = [...ok, ['grpc-status', '9'], ['x-why', 'because'], ['x-data-bin', 'AAE, Ag==']] as const
    peer.send('HEADERS', 5, 1, status(end))
    const { trailers } = (await failed) as GrpcError
    expect(trailers?.get('x-why')).toBe('because')
    expect(trailers?.getAll('x-data-bin').map(decodeBinary)).toEqual([Buffer.of(0, 1), Buffer.of(2)])
    expect(trailers?.has('grpc-status')).toBe(false)
  })

  it('takes an answer within a stream that breaks off for what it is', async () => {
    const half = (peer: Peer): void => {
      peer.send('HEADERS', 4, 1, status(ok)).send('DATA', 0, 1, message)
      reset(peer, 2)
    }
    expect(await answered(half, 'stream')).toBe(13)
  })

  it('bears what was under way when it gave up, and no more than the window allows', async () => {
    const { origin, peer, peers } = await rawServer()
    const channel = new GrpcChannel({ origin, client: client() })
    const stop = new AbortController()
    const call = collect(channel.stream(serverStream, bytes('x'), { signal: stop.signal }))
    const cancelled = expect(call).rejects.toMatchObject({ code: 1 })
    const server = await peer()
    await server.type('HEADERS')
    server.send('HEADERS', 4, 1, status(ok)).send('DATA', 0, 1, message)
    stop.abort()
    await server.type('RST_STREAM')
    for (let index = 0; index < 3000; index++) server.send('DATA', 0, 1, message)
    await cancelled
    // The connection still serves.
    const next = channel.call(unary, bytes('x'))
    await server.until((frame) => frame.type === 'HEADERS' && frame.stream === 3)
    server.send('HEADERS', 4, 3, status(ok)).send('DATA', 0, 3, message)
    server.send('HEADERS', 5, 3, status([['grpc-status', '0']]))
    expect(await next).toEqual(Buffer.of(7))
    expect(peers.length).toBe(1)

    const large = new Uint8Array(1000)
    for (let index = 0; index < 3000; index++) server.send('DATA', 0, 1, large)
    expect(await server.goaway()).toBe(11)
  })

  it('takes a server that ends the call in time for the deadline', async () => {
    // The server is told of 50 ms, and gives up when they are over.
    const late = (peer: Peer): void => void setTimeout(() => reset(peer, 8), 60)
    expect(await answered(late, 'stream', 50)).toBe(4)
    expect(await answered(late, 'unary', 50)).toBe(4)
  })

  function answerWith(peer: Peer, body: Uint8Array): void {
    peer
      .send('HEADERS', 4, 1, status(ok))
      .send('DATA', 0, 1, body)
      .send('HEADERS', 5, 1, status([['grpc-status', '0']]))
  }

  function reset(peer: Peer, code: number): void {
    peer.send('RST_STREAM', 0, 1, Buffer.of(0, 0, 0, code))
  }

  function page(peer: Peer, code: string): void {
    const fields = [
      [':status', code],
      ['content-type', 'text/html'],
    ] as const
    peer.send('HEADERS', 4, 1, status(fields)).send('DATA', 1, 1, Buffer.from('<html>'))
  }
})
