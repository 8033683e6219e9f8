import { createSecureServer, createServer as createHttp2 } from 'node:http2'
import type { Http2Server, ServerHttp2Session, ServerHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isWireError } from '../../src/index.ts'
import { cleanup, text, until } from '../setup.ts'
import { client, listen, selfSigned } from './setup.ts'

const pair = selfSigned()

interface Peer {
  readonly origin: string
  readonly sessions: ServerHttp2Session[]
}

type Answers = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

async function nodeServer(answers: Answers, settings: object = {}, secure = false): Promise<Peer> {
  const server = (
    secure ? createSecureServer({ ...pair!, settings }) : createHttp2({ settings })
  ) as Http2Server
  const sessions: ServerHttp2Session[] = []
  server.on('session', (session) => {
    sessions.push(session)
    session.on('error', () => {})
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    answers(stream, headers)
  })
  const port = await listen(server)
  cleanup(() => sessions.forEach((session) => session.destroy()))
  return { origin: `${secure ? 'https' : 'http'}://127.0.0.1:${port}`, sessions }
}

const echo: Answers = (stream) => {
  stream.respond({ ':status': 200, 'x-own': 'a' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': 'b' }))
  stream.pipe(stream)
}

describe('a client asking node:http2', () => {
  it.each([0, 1, 16_384, 70_000, 12_000_000])('sends and receives %i bytes, whole', async (size) => {
    const { origin } = await nodeServer(echo)
    const body = Buffer.alloc(size, 'abcdefghijk')
    const answer = await client().request({ origin, method: 'POST', body })
    expect([answer.status, answer.fields.get('x-own')]).toEqual([200, 'a'])
    expect(Buffer.compare(await answer.body.bytes(), body)).toBe(0)
    expect(answer.trailers?.get('x-end')).toBe('b')
  })

  it('sends values without the blanks at their ends, which it would leave out', async () => {
    const { origin } = await nodeServer((stream, headers) =>
      stream.respond({ ':status': 200, 'x-seen': JSON.stringify(headers['x-own']) }, { endStream: true }),
    )
    const answer = await client().request({ origin, fields: ['x-own', ' a b\t'] })
    expect(answer.fields.get('x-seen')).toBe('"a b"')
  })

  it('streams both ways, as fast as the slower side', async () => {
    const { origin } = await nodeServer(echo)
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < 300; index++) yield Buffer.alloc(20_000, index)
    }
    const answer = await client().request({ origin, method: 'PUT', body: source() })
    let at = 0
    for await (const chunk of answer.body) {
      for (const byte of [0, chunk.length - 1]) {
        expect(chunk[byte]).toBe(Math.floor((at + byte) / 20_000) % 256)
      }
      at += chunk.length
    }
    expect(at).toBe(6_000_000)
  })

  it('says what it asks for as the server sees it', async () => {
    let seen: IncomingHttpHeaders = {}
    const { origin } = await nodeServer((stream, headers) => {
      seen = headers
      stream.respond({ ':status': 204 }, { endStream: true })
    })
    const fields = [
      'Host',
      'other:1',
      'X-Own',
      'v',
      'Connection',
      'close',
      'te',
      'trailers',
      'content-length',
      '9',
    ]
    const answer = await client().request({ origin, path: '/p?q', fields, body: 'four', method: 'PATCH' })
    expect(answer.status).toBe(204)
    expect(JSON.parse(JSON.stringify(seen))).toEqual({
      ':method': 'PATCH',
      ':scheme': 'http',
      ':authority': 'other:1',
      ':path': '/p?q',
      'x-own': 'v',
      te: 'trailers',
      'content-length': '4',
    })
  })

  it('puts many requests on one connection, and opens more when that is full', async () => {
    const { origin, sessions } = await nodeServer(
      (stream, headers) => {
        stream.respond({ ':status': 200 })
        setTimeout(() => stream.end(headers[':path']), 5)
      },
      { maxConcurrentStreams: 10 },
    )
    const own = client()
    const paths = Array.from({ length: 100 }, (_, index) => `/${index}`)
    const bodies = await Promise.all(
      paths.map(async (path) => text(await (await own.request({ origin, path })).body.bytes())),
    )
    expect(bodies).toEqual(paths)
    expect(sessions.length).toBeGreaterThan(1)
    expect(own.stats.running).toBe(0)
    const single = client({ maxConnections: 1 })
    const before = sessions.length
    await Promise.all(paths.map(async (path) => (await single.request({ origin, path })).body.bytes()))
    expect(sessions.length).toBe(before + 1)
  })

  it('cancels: by signal before and after the head, and by the body', async () => {
    const codes: number[] = []
    const { origin } = await nodeServer((stream, headers) => {
      stream.on('close', () => codes.push(stream.rstCode))
      if (headers[':path'] === '/silent') return
      stream.respond({ ':status': 200 })
      stream.write('begin')
    })
    const own = client()
    const before = new AbortController()
    const silent = own.request({ origin, path: '/silent', signal: before.signal })
    await until(() => own.stats.connections === 1, 'the connection stands')
    before.abort()
    await expect(silent).rejects.toMatchObject({ code: 'ABORTED' })
    const after = new AbortController()
    const second = await own.request({ origin, path: '/slow', signal: after.signal })
    const reading = second.body.bytes()
    after.abort()
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED' })
    const third = await own.request({ origin, path: '/slow' })
    third.body.cancel()
    await until(() => codes.length >= 2, 'the server is told')
    expect(new Set(codes)).toEqual(new Set([8]))
    expect(own.stats).toMatchObject({ running: 0, connections: 1 })
  })

  it('follows a GOAWAY to a new connection', async () => {
    const { origin, sessions } = await nodeServer((stream) => {
      stream.respond({ ':status': 200 })
      stream.end('x')
    })
    const own = client()
    for (let round = 0; round < 3; round++) {
      await (await own.request({ origin })).body.bytes()
      expect(sessions).toHaveLength(round + 1)
      sessions[round]!.close()
      await until(() => own.stats.connections === 0, 'the connection is gone')
    }
  })

  it('tells what broke: no server, a reset stream, a killed connection, a limit', async () => {
    const { origin, sessions } = await nodeServer((stream, headers) => {
      const path = headers[':path']
      if (path === '/reset') return stream.close(2)
      if (path === '/large') stream.respond({ ':status': 200, 'x-large': 'x'.repeat(20_000) })
      else stream.respond({ ':status': 200 })
      stream.write('abc')
      if (path === '/killed') setTimeout(() => sessions.forEach((session) => session.destroy()), 5)
    })
    const own = client()
    const errorOf = (request: Promise<unknown>): Promise<unknown> => request.catch((error: unknown) => error)
    const none = await errorOf(own.request({ origin: 'http://127.0.0.1:1' }))
    expect(isWireError(none, 'CONNECT') && !none.sent).toBe(true)
    expect(await errorOf(own.request({ origin, path: '/reset' }))).toMatchObject({
      code: 'RESET',
      sent: true,
    })
    expect(await errorOf(own.request({ origin, path: '/large' }))).toMatchObject({ code: 'TOO_LARGE' })
    const limited = await own.request({ origin, path: '/' })
    expect(await errorOf(limited.body.bytes(2))).toMatchObject({ code: 'TOO_LARGE', limit: 2 })
    const killed = await own.request({ origin, path: '/killed' })
    expect(await errorOf(killed.body.bytes())).toMatchObject({ code: 'RESET' })
    await expect(own.request({ origin, fields: ['x', 'a\r\nb'] })).rejects.toMatchObject({ code: 'PROTOCOL' })
    expect(own.stats.running).toBe(0)
  })

  it('gives up on time: no head, no body', async () => {
    const { origin } = await nodeServer((stream, headers) => {
      if (headers[':path'] === '/head') return
      stream.respond({ ':status': 200 })
      stream.write('x')
    })
    const own = client({ timeouts: { headersMs: 40, bodyIdleMs: 40 } })
    await expect(own.request({ origin, path: '/head' })).rejects.toMatchObject({ code: 'TIMEOUT' })
    const answer = await own.request({ origin })
    await expect(answer.body.bytes()).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(own.stats.running).toBe(0)
  })

  it.skipIf(pair === undefined)('agrees on HTTP/2 over TLS', async () => {
    const { origin } = await nodeServer(echo, {}, true)
    const own = client({ tls: { ca: pair!.cert } })
    const answer = await own.request({ origin, method: 'POST', body: 'tls' })
    expect(text(await answer.body.bytes())).toBe('tls')
    await expect(client().request({ origin })).rejects.toMatchObject({ code: 'CONNECT' })
  })

  it('reaches a Unix socket', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'wire-h2-')), 'own.sock')
    const server = createHttp2()
    server.on('stream', (stream: ServerHttp2Stream) =>
      stream.respond({ ':status': 202 }, { endStream: true }),
    )
    await new Promise<void>((resolve) => server.listen(path, resolve))
    cleanup(() => server.close())
    const own = client()
    expect((await own.request({ origin: `unix:${path}` })).status).toBe(202)
    own.close()
  })
})
