import { connect, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { Http2Server } from '../../src/http2/server.ts'
import type { ServerRequest } from '../../src/index.ts'
import { text, until } from '../setup.ts'
import { block, code, frame, Peer, requestFields } from './peer.ts'
import { listen, serve } from './setup.ts'

const [method, scheme, path, authority] = requestFields as [
  [string, string],
  [string, string],
  [string, string],
  [string, string],
]

type Field = readonly [string, string]

describe('a malformed request is reset, and the handler never sees it', () => {
  const cases: [string, Field[]][] = [
    ['no method', [scheme, path, authority]],
    ['no scheme', [method, path, authority]],
    ['no path', [method, scheme, authority]],
    ['an empty path', [method, scheme, [':path', ''], authority]],
    ['a path without slash', [method, scheme, [':path', 'a'], authority]],
    ['a path with a space', [method, scheme, [':path', '/a b'], authority]],
    ['a path with a fragment', [method, scheme, [':path', '/a#b'], authority]],
    ['a method that is no token', [[':method', 'GE T'], scheme, path, authority]],
    ['two methods', [method, method, scheme, path]],
    ['a pseudo field behind others', [method, scheme, ['a', 'b'], path]],
    ['an unknown pseudo field', [...requestFields, [':own', 'x']]],
    ['a status', [...requestFields, [':status', '200']]],
    ['extended CONNECT', [[':method', 'CONNECT'], scheme, path, authority, [':protocol', 'websocket']]],
    ['CONNECT with a path', [[':method', 'CONNECT'], path, authority]],
    ['an upper-case name', [...requestFields, ['X-Own', 'a']]],
    ['an empty name', [...requestFields, ['', 'a']]],
    ['a name with a space', [...requestFields, ['x own', 'a']]],
    ['a name with a line break', [...requestFields, ['x\n', 'a']]],
    ['a value with a line break', [...requestFields, ['x', 'a\r\nb: c']]],
    ['a value with NUL', [...requestFields, ['x', 'a\0b']]],
    ['a path with a leading space', [method, scheme, [':path', ' /a'], authority]],
    ['a length with a trailing space', [...requestFields, ['content-length', '0 ']]],
    ['a host with a trailing tab', [...requestFields, ['host', 'a\t']]],
    ['connection', [...requestFields, ['connection', 'close']]],
    ['transfer-encoding', [...requestFields, ['transfer-encoding', 'chunked']]],
    ['upgrade', [...requestFields, ['upgrade', 'h2c']]],
    ['keep-alive', [...requestFields, ['keep-alive', '1']]],
    ['proxy-connection', [...requestFields, ['proxy-connection', 'x']]],
    ['te other than trailers', [...requestFields, ['te', 'gzip']]],
    ['a content-length that is none', [...requestFields, ['content-length', '+1']]],
    ['two lengths', [...requestFields, ['content-length', '1'], ['content-length', '2']]],
    ['a length without body', [...requestFields, ['content-length', '1']]],
    ['another host', [...requestFields, ['host', 'other']]],
    ['an authority with user information', [method, scheme, path, [':authority', 'a@b']]],
  ]
  it.each(cases)('%s', async (_, fields) => {
    const { peer, server } = await serve((_request, response) => response.send(204))
    const from = peer().begin().send('HEADERS', 5, 1, block(fields)).get(3)
    expect((await from.type('RST_STREAM')).code).toBe(code.PROTOCOL_ERROR)
    // The connection lives on.
    await from.until(({ type, stream }) => type === 'HEADERS' && stream === 3)
    expect(server.stats.requestsTotal).toBe(1)
  })
})

describe('bodies', () => {
  it.each([
    ['longer', [frame('DATA', 0, 1, 'abcd')]],
    ['shorter', [frame('DATA', 1, 1, 'ab')]],
    ['longer in pieces', [frame('DATA', 0, 1, 'ab'), frame('DATA', 1, 1, 'cd')]],
    ['shorter with trailers', [frame('DATA', 0, 1, 'a'), frame('HEADERS', 5, 1, block([['x', 'y']]))]],
  ])('that are %s than announced break the request', async (_, frames) => {
    let failure: unknown
    const { peer } = await serve(async (request) => {
      failure = await request.body.bytes().catch((error: unknown) => error)
    })
    const from = peer().begin()
    from.send('HEADERS', 4, 1, block([...requestFields, ['content-length', '3']]))
    from.socket.write(Buffer.concat(frames))
    expect((await from.type('RST_STREAM')).code).toBe(code.PROTOCOL_ERROR)
    expect(failure).toMatchObject({ code: 'PROTOCOL' })
  })

  it('come with padding, cut anywhere, and with trailers', async () => {
    let seen: ServerRequest | undefined
    const { peer } = await serve(async (request, response) => {
      seen = request
      response.send(200, [], await request.body.bytes())
    })
    const from = peer().begin()
    const bytes = Buffer.concat([
      frame('HEADERS', 4, 1, block([...requestFields, ['content-length', '5']])),
      frame('DATA', 8, 1, Buffer.from('\x03ab\0\0\0')),
      frame('PING', 0, 0, Buffer.alloc(8)),
      frame('DATA', 8, 1, Buffer.from('\x00cde')),
      frame('HEADERS', 5, 1, block([['x-end', 'yes']])),
    ])
    for (const byte of bytes) {
      from.socket.write(Buffer.from([byte]))
      await new Promise(setImmediate)
    }
    expect(text((await from.type('DATA')).payload)).toBe('abcde')
    expect(seen!.body.length).toBe(5)
    expect(seen!.trailers?.get('x-end')).toBe('yes')
  })

  it('that nobody wants are cut off behind the answer', async () => {
    const { peer, server } = await serve((_, response) => response.send(200, [], 'enough'))
    const from = peer().begin().get(1, true)
    expect((await from.type('RST_STREAM')).code).toBe(code.NO_ERROR)
    expect(from.frames.findIndex(({ type }) => type === 'DATA')).toBeLessThan(
      from.frames.findIndex(({ type }) => type === 'RST_STREAM'),
    )
    // What was on its way is no error.
    from.send('DATA', 1, 1, 'late').get(3)
    await from.until(({ type, stream }) => type === 'HEADERS' && stream === 3)
    expect(server.stats).toMatchObject({ running: 0, connections: 1 })
  })
})

describe('a connection', () => {
  it('answers CONNECT, for which there is no tunnel', async () => {
    const { peer } = await serve((_, response) => response.send(204))
    const from = peer().begin()
    from.send('HEADERS', 5, 1, block([[':method', 'CONNECT'], authority]))
    expect(from.fields(await from.type('HEADERS'))[0]).toBe(':status: 501')
  })

  it('may be handed over with what was read of it already', async () => {
    const server = new Http2Server({}, (_, response) => response.send(200, [], 'x'))
    const port = await listen(
      createServer((socket) => socket.once('data', (head: Buffer) => server.accept(socket, false, head))),
    )
    for (const cut of [14, 24, 40]) {
      const from = new Peer(connect(port, '127.0.0.1'), false)
      const all = [Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame('SETTINGS', 0, 0)]
      const bytes = Buffer.concat([...all, frame('HEADERS', 5, 1, block(requestFields))])
      from.socket.write(bytes.subarray(0, cut))
      await until(() => server.stats.connections === 1, 'the connection is handed over')
      from.socket.write(bytes.subarray(cut))
      expect(text((await from.type('DATA')).payload)).toBe('x')
      from.socket.destroy()
      await until(() => server.stats.connections === 0, 'the connection is gone')
    }
    await server.close()
  })

  it('whose writer overlooks that the client has gone harms nobody', async () => {
    let wrote = 0
    const { peer, server } = await serve((request, response) => {
      const writer = response.start(200)
      const timer = setInterval(() => {
        void writer.write('tick')
        if (request.signal.aborted && wrote++ > 3) clearInterval(timer)
      }, 1)
    })
    const from = peer().begin().get(1)
    await from.type('DATA')
    from.socket.resetAndDestroy()
    await until(() => wrote > 3, 'it has written to nobody')
    expect(server.stats).toMatchObject({ connections: 0, running: 0 })
  })

  it('offers large frames to a client that takes them, and to no other', async () => {
    const { peer } = await serve(async (request, response) => {
      response.send(200, [], String((await request.body.bytes()).length))
    })
    const large = peer().begin(5, 65_536).get(1, true)
    const offer = await large.until(({ type, payload }) => type === 'SETTINGS' && payload.length === 6)
    expect(offer.payload.toString('hex')).toBe('000500010000')
    large.send('DATA', 1, 1, Buffer.alloc(65_535))
    expect(text((await large.type('DATA')).payload)).toBe('65535')
    const small = peer().begin(5, 16_384).get(1, true).send('DATA', 1, 1, Buffer.alloc(16_385))
    expect(await small.goaway()).toBe(code.FRAME_SIZE_ERROR)
  })

  it('that drains takes what is on its way, then refuses, then ends', async () => {
    const release: (() => void)[] = []
    const { peer, server } = await serve(async (_, response) => {
      await new Promise<void>((resolve) => release.push(resolve))
      response.send(204)
    })
    const from = peer().begin().get(1)
    await until(() => release.length === 1, 'the first runs')
    const closed = server.close()
    const { payload } = await from.type('GOAWAY')
    expect(payload.readUInt32BE()).toBe(0x7fffffff)
    from.get(3)
    const ping = await from.type('PING')
    from.send('PING', 1, 0, ping.payload).get(5)
    const second = await from.until((found) => found.type === 'GOAWAY' && found.payload !== payload)
    expect(second.payload.readUInt32BE()).toBe(3)
    expect((await from.type('RST_STREAM')).code).toBe(code.REFUSED_STREAM)
    for (const resume of release) resume()
    await closed
    expect((await from.end()).filter(({ type }) => type === 'HEADERS')).toHaveLength(2)
  })

  it('gives its window back when a body is neither read nor wanted', async () => {
    const { peer } = await serve((request, response) => {
      if (request.path === '/read') void request.body[Symbol.asyncIterator]().next()
      response.send(204)
    })
    const from = peer().begin()
    const piece = Buffer.alloc(16_000)
    let credit = 65_535
    let counted = 0
    const window = (): number => {
      for (; counted < from.frames.length; counted++) {
        const { type, stream, payload } = from.frames[counted]!
        if (type === 'WINDOW_UPDATE' && stream === 0) credit += payload.readUInt32BE()
      }
      return credit
    }
    // Three times what the window of the connection holds.
    for (let stream = 1; stream < 1600; stream += 2) {
      await until(() => window() >= piece.length, 'the window is open')
      const path = stream % 4 === 1 ? '/read' : '/'
      from.send('HEADERS', 4, stream, block([method, scheme, [':path', path], authority]))
      from.send('DATA', 1, stream, piece)
      credit -= piece.length
    }
  })

  it('writes once for all that happens in one turn', async () => {
    const { peer, sockets } = await serve((_, response) => response.send(200, [], 'x'))
    const from = peer().begin()
    await from.type('SETTINGS')
    let writes = 0
    const [socket] = sockets
    const write = socket!.write.bind(socket) as (...args: unknown[]) => boolean
    socket!.write = (...args: unknown[]) => {
      writes++
      return write(...args)
    }
    const frames = Array.from({ length: 50 }, (_, index) =>
      frame('HEADERS', 5, index * 2 + 1, block(requestFields)),
    )
    from.socket.write(Buffer.concat([...frames, frame('PING', 0, 0, Buffer.alloc(8))]))
    await until(() => from.frames.filter(({ type }) => type === 'DATA').length === 50, 'all are answered')
    expect(writes).toBe(1)
  })

  it('may break at any byte: no handler hangs, nothing leaks', async () => {
    const outcomes: unknown[] = []
    const { peer, server } = await serve(async (request, response) => {
      outcomes.push(await request.body.bytes().catch((error: unknown) => error))
      response.send(200, [], 'x')
    })
    const whole = Buffer.concat([
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      frame('SETTINGS', 0, 0),
      frame('HEADERS', 4, 1, block(requestFields)),
      frame('DATA', 0, 1, 'abc'),
      frame('DATA', 1, 1, 'def'),
    ])
    for (let end = 0; end <= whole.length; end++) {
      const { socket } = peer()
      if (end % 2 === 0) socket.end(whole.subarray(0, end))
      else socket.write(whole.subarray(0, end), () => socket.resetAndDestroy())
    }
    await until(() => server.stats.connectionsTotal === whole.length + 1, 'all have come')
    await until(() => server.stats.connections === 0 && server.stats.running === 0, 'all are gone')
    expect(outcomes).toHaveLength(server.stats.requestsTotal)
  })
})
