import { describe, expect, it } from 'vitest'
import { until } from '../setup.ts'
import { answer, pattern, send, session } from './node-session.ts'
import { selfSigned, serve } from './setup.ts'

const pair = selfSigned()

describe('a server asked by node:http2', () => {
  it('gives the handler the request as it was sent', async () => {
    const { origin } = await serve((request, response) => {
      const { method, path, query, scheme, authority, remoteAddress } = request
      const parts = { method, path, query, scheme, authority, remoteAddress }
      response.send(
        200,
        ['X-Seen', JSON.stringify(parts), 'connection', 'close'],
        [...request.fields].join(';'),
      )
    })
    const found = await send(session(origin), {
      ':method': 'DELETE',
      ':path': '/a%20b?c=d&e',
      'x-own': 'ä'.normalize(),
      cookie: ['a=1', 'b=2'],
      authorization: 'Bearer x',
    })
    expect(JSON.parse(found.headers['x-seen'] as string)).toEqual({
      method: 'DELETE',
      path: '/a%20b',
      query: 'c=d&e',
      scheme: 'http',
      authority: origin.slice('http://'.length),
      remoteAddress: '127.0.0.1',
    })
    expect(found.headers.connection).toBeUndefined()
    expect(found.body.toString('utf8')).toBe('x-own,ä;cookie,a=1; b=2;authorization,Bearer x')
    expect(found.headers['content-length']).toBe(String(found.body.length))
  })

  it('reads and writes header fields as node does, whatever they are (random)', async () => {
    const { origin } = await serve((request, response) => response.send(200, request.fields))
    const from = session(origin)
    let state = 1
    const next = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return (state >>> 8) % below
    }
    for (let round = 0; round < 300; round++) {
      const fields: Record<string, string> = {}
      for (let count = next(12); count > 0; count--) {
        const value = String.fromCharCode(...Array.from({ length: 1 + next(80) }, () => 33 + next(94)))
        fields[`x-${'abcdefgh'.slice(next(8))}${next(20)}`] = next(2) === 0 ? value : `v${next(9)}`
      }
      const { headers } = await send(from, { ':path': '/', ...fields })
      const { ':status': status, 'content-length': length, ...rest } = headers
      expect([status, length]).toEqual([200, '0'])
      expect(JSON.parse(JSON.stringify(rest))).toEqual(fields)
    }
  })

  it.each([0, 1, 16_384, 16_385, 100_000, 12_000_000])('echoes a body of %i bytes, whole', async (size) => {
    const { origin } = await serve(
      async (request, response) => response.send(200, [], await request.body.bytes(20_000_000)),
      { maxBodyBytes: 20_000_000 },
    )
    const body = pattern(size)
    const found = await send(session(origin), { ':method': 'POST' }, body)
    expect(found.headers[':status']).toBe(200)
    expect(found.body.equals(body)).toBe(true)
  })

  it('streams both ways at once, with trailers both ways', async () => {
    const { origin } = await serve(
      async (request, response) => {
        const writer = response.start(200, ['content-type', 'application/octet-stream'])
        for await (const chunk of request.body) await writer.write(chunk)
        writer.end(['x-sum', request.trailers?.get('x-in') ?? 'none'])
      },
      { maxBodyBytes: Infinity },
    )
    const stream = session(origin).request({ ':method': 'POST' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-in': '7' }))
    const body = pattern(5_000_000)
    stream.end(body)
    const found = await answer(stream)
    expect(found.body.equals(body)).toBe(true)
    expect(found.trailers).toMatchObject({ 'x-sum': '7' })
  })

  it('serves many streams of one connection, in any order', async () => {
    const waiting: (() => void)[] = []
    const { origin, server } = await serve(async (request, response) => {
      await new Promise<void>((resolve) => waiting.push(resolve))
      response.send(200, [], `${request.path} ${(await request.body.bytes()).length}`)
    })
    const from = session(origin)
    const all = Array.from({ length: 200 }, (_, index) =>
      send(from, { ':method': 'POST', ':path': `/${index}` }, Buffer.alloc(index)),
    )
    await until(() => waiting.length === 200, 'all handlers run')
    expect(server.stats).toMatchObject({ connections: 1, running: 200, requestsTotal: 200 })
    for (const resume of waiting.toReversed()) resume()
    const found = await Promise.all(all)
    expect(found.map(({ body }) => body.toString())).toEqual(
      Array.from({ length: 200 }, (_, index) => `/${index} ${index}`),
    )
    await until(() => server.stats.running === 0, 'nothing runs')
  })

  it('shares a connection fairly: a short answer does not wait for a long one', async () => {
    const { origin } = await serve((request, response) => {
      response.send(200, [], request.path === '/long' ? Buffer.alloc(8_000_000) : Buffer.alloc(100_000))
    })
    // The window of the connection is the bottleneck; each WINDOW_UPDATE is shared.
    const from = session(origin, { settings: { initialWindowSize: 10_000_000 } })
    let longBytes = 0
    const long = from.request({ ':path': '/long' })
    long.on('data', (part: Buffer) => (longBytes += part.length))
    const ended = new Promise((resolve) => long.on('end', resolve))
    await send(from, { ':path': '/short' })
    expect(longBytes).toBeLessThan(8_000_000)
    await ended
    expect(longBytes).toBe(8_000_000)
  })

  it('aborts the signal and the writer when the client cancels, and goes on', async () => {
    let ended: unknown
    let aborted = false
    const { origin, server } = await serve(async (request, response) => {
      if (request.path === '/ok') return response.send(204)
      request.signal.addEventListener('abort', () => (aborted = true))
      const writer = response.start(200)
      try {
        for (;;) {
          await writer.write(Buffer.alloc(50_000))
          await new Promise(setImmediate)
        }
      } catch (error) {
        ended = error
      }
    })
    const from = session(origin)
    const stream = from.request({ ':path': '/endless' })
    stream.on('error', () => {})
    await new Promise((resolve) => stream.once('data', resolve))
    stream.close(8)
    await until(() => ended !== undefined, 'the writer is told')
    expect(ended).toMatchObject({ code: 'ABORTED' })
    expect(aborted).toBe(true)
    expect((await send(from, { ':path': '/ok' })).headers[':status']).toBe(204)
    await until(() => server.stats.running === 0, 'nothing runs')
  })

  it('keeps to the windows of the client and waits for them', async () => {
    const { origin } = await serve((_, response) => response.send(200, [], pattern(300_000)))
    const from = session(origin, { settings: { initialWindowSize: 1000 } })
    const found = await send(from, { ':path': '/' })
    expect(found.body.equals(pattern(300_000))).toBe(true)
  })

  it('answers what fails, without telling why', async () => {
    const errors: unknown[] = []
    const { origin } = await serve(
      async (request, response) => {
        if (request.path === '/throws') throw new Error('secret')
        if (request.path === '/large') return response.send(200, [], await request.body.bytes(10))
        if (request.path === '/breaks') {
          void response.start(200).write('x')
          throw new Error('late')
        }
        return undefined
      },
      { onError: (error) => errors.push(error) },
    )
    const from = session(origin)
    const failed = await send(from, { ':path': '/throws' })
    expect([failed.headers[':status'], failed.body.length]).toEqual([500, 0])
    const large = await send(from, { ':path': '/large', ':method': 'POST' }, Buffer.alloc(11))
    expect(large.headers[':status']).toBe(413)
    expect((await send(from, { ':path': '/nothing' })).headers[':status']).toBe(500)
    await expect(send(from, { ':path': '/breaks' })).rejects.toThrow(/INTERNAL_ERROR/)
    expect(errors).toHaveLength(4)
  })

  it('answers HEAD, 204 and 304 without a body, and asks for one that is expected', async () => {
    const { origin } = await serve(async (request, response) => {
      if (request.path === '/head') return response.send(200, ['content-length', '5'])
      if (request.path === '/expect') return response.send(200, [], await request.body.bytes())
      return response.send(Number(request.path.slice(1)), [], 'body')
    })
    const from = session(origin)
    const head = await send(from, { ':method': 'HEAD', ':path': '/head' })
    expect([head.headers['content-length'], head.body.length]).toEqual(['5', 0])
    for (const status of [204, 304]) {
      const found = await send(from, { ':path': `/${status}` })
      expect([found.headers[':status'], found.body.length, found.headers['content-length']]).toEqual([
        status,
        0,
        undefined,
      ])
    }
    const stream = from.request({ ':method': 'POST', ':path': '/expect', expect: '100-continue' })
    stream.on('continue', () => stream.end('now'))
    expect((await answer(stream)).body.toString()).toBe('now')
  })

  it('drains: what runs is finished, new streams go elsewhere, the connection ends', async () => {
    let resume = (): void => {}
    const { origin, server } = await serve(async (_, response) => {
      await new Promise<void>((resolve) => (resume = resolve))
      response.send(200, [], 'done')
    })
    const from = session(origin)
    const running = send(from, { ':path': '/' })
    await until(() => server.stats.running === 1, 'it runs')
    let goaways = 0
    from.on('goaway', () => goaways++)
    const closed = server.close()
    await until(() => goaways > 0, 'the client is told')
    resume()
    expect((await running).body.toString()).toBe('done')
    await closed
    expect(server.stats.connections).toBe(0)
  })

  it.skipIf(pair === undefined)('speaks TLS with ALPN', async () => {
    const { origin } = await serve((request, response) => response.send(200, [], request.scheme), {}, pair)
    const from = session(origin, { ca: pair!.cert })
    const found = await send(from, { ':path': '/' })
    expect(found.body.toString()).toBe('https')
    expect(from.alpnProtocol).toBe('h2')
  })
})
