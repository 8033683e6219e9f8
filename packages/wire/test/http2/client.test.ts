import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { isWireError } from '../../src/index.ts'
import type { ClientRequest } from '../../src/index.ts'
import { text, until } from '../setup.ts'
import { block, code, frame, number } from './peer.ts'
import type { Peer } from './peer.ts'
import { failure, rawServer } from './raw-server.ts'
import { client, listen, serve } from './setup.ts'

const ok = block([[':status', '200']])

describe('a request that was never looked at', () => {
  it.each([
    [
      'refused',
      (peer: Peer, stream: number) => peer.send('RST_STREAM', 0, stream, number(code.REFUSED_STREAM)),
    ],
    ['behind the last stream of a GOAWAY', (peer: Peer) => peer.send('GOAWAY', 0, 0, Buffer.alloc(8))],
  ])('is sent again when it was %s', async (_, refuse) => {
    const server = await rawServer()
    const own = client()
    const answer = own.request({ origin: server.origin, method: 'POST', body: 'again' })
    const first = await server.peer()
    refuse(first, (await first.type('HEADERS')).stream)
    let seen: Peer | undefined
    await until(() => {
      seen = server.peers.find(({ frames }) =>
        frames.some(
          ({ type, stream }) => type === 'DATA' && stream > 0 && !(frames === first.frames && stream === 1),
        ),
      )
      return seen !== undefined
    }, 'it comes again')
    const { stream, payload } = seen!.frames.findLast(({ type }) => type === 'DATA')!
    expect(text(payload)).toBe('again')
    seen!.send('HEADERS', 5, stream, ok)
    expect((await answer).status).toBe(200)
    expect(own.stats.running).toBe(0)
  })

  it('is not sent for ever', async () => {
    const server = await rawServer()
    const answer = failure(client().request({ origin: server.origin }))
    const peer = await server.peer()
    let refused = 0
    for (let done = false; !done;) {
      done = await Promise.race([
        answer.then(() => true),
        new Promise<false>((resolve) => setTimeout(resolve, 2, false)),
      ])
      const heads = peer.frames.filter(({ type }) => type === 'HEADERS')
      for (; refused < heads.length; refused++) {
        peer.send('RST_STREAM', 0, heads[refused]!.stream, number(code.REFUSED_STREAM))
      }
    }
    const error = await answer
    expect(isWireError(error, 'RESET') && !error.sent).toBe(true)
    expect(refused).toBe(4)
  })

  it('fails when its body was a stream, and tells that a retry is safe', async () => {
    const server = await rawServer()
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('once')
      await new Promise(() => {})
    }
    const request: ClientRequest = { origin: server.origin, method: 'POST', body: body() }
    const answer = failure(client().request(request))
    const peer = await server.peer()
    peer.send('RST_STREAM', 0, (await peer.type('HEADERS')).stream, number(code.REFUSED_STREAM))
    expect(await answer).toMatchObject({ code: 'RESET', sent: false })
  })

  it('is not taken for one when the server may have looked at it', async () => {
    const server = await rawServer()
    const own = client()
    const answer = failure(own.request({ origin: server.origin }))
    const peer = await server.peer()
    await peer.type('HEADERS')
    peer.send('GOAWAY', 0, 0, Buffer.concat([number(1), number(2)]))
    peer.socket.end()
    expect(await answer).toMatchObject({ code: 'RESET', sent: true })
    expect(server.peers).toHaveLength(1)
    expect(own.stats).toEqual({ connections: 0, idle: 0, running: 0 })
  })
})

describe('a client', () => {
  it('skips interim responses, takes an early answer and an answer to HEAD', async () => {
    const server = await rawServer()
    const own = client()
    const answer = own.request({ origin: server.origin, method: 'HEAD' })
    const peer = await server.peer()
    await peer.type('HEADERS')
    peer.send('HEADERS', 4, 1, block([[':status', '103']]))
    peer.send(
      'HEADERS',
      5,
      1,
      block([
        [':status', '200'],
        ['content-length', '10'],
      ]),
    )
    const { status, fields, body } = await answer
    expect([status, fields.get('content-length'), (await body.bytes()).length]).toEqual([200, '10', 0])
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield await new Promise<Uint8Array>((resolve) => setImmediate(resolve, Buffer.alloc(1000)))
    }
    const early = own.request({ origin: server.origin, method: 'POST', body: endless() })
    await peer.until(({ type, stream }) => type === 'DATA' && stream === 3)
    peer.send('HEADERS', 5, 3, block([[':status', '413']])).send('RST_STREAM', 0, 3, number(code.NO_ERROR))
    expect((await early).status).toBe(413)
    expect((await (await early).body.bytes()).length).toBe(0)
    await until(() => own.stats.idle === 1, 'the stream is closed')
  })

  it('finds out by PING that a connection is dead', async () => {
    const server = await rawServer()
    const own = client({ pingAfterMs: 40, pingTimeoutMs: 40 })
    const answer = failure(own.request({ origin: server.origin }))
    const peer = await server.peer()
    const { payload } = await peer.type('PING')
    peer.send('PING', 1, 0, payload)
    await until(() => peer.frames.filter(({ type }) => type === 'PING').length === 2, 'it asks again')
    expect(await answer).toMatchObject({ code: 'RESET' })
    expect(own.stats).toEqual({ connections: 0, idle: 0, running: 0 })
  })

  it('closes a connection that nobody uses', async () => {
    const { origin, server } = await serve((_, response) => response.send(204))
    const own = client({ idleTimeoutMs: 40 })
    await own.request({ origin })
    await until(() => own.stats.connections === 0 && server.stats.connections === 0, 'it is closed')
    expect((await own.request({ origin })).status).toBe(204)
  })

  it('does not wait for ever for a place', async () => {
    const server = await rawServer(3, 1)
    const own = client({ maxConnections: 1, timeouts: { connectMs: 60 } })
    const first = failure(own.request({ origin: server.origin }))
    const peer = await server.peer()
    await peer.until(({ type, flags }) => type === 'SETTINGS' && flags === 1)
    const second = await failure(own.request({ origin: server.origin }))
    expect(second).toMatchObject({ code: 'TIMEOUT', sent: false })
    expect(own.stats).toEqual({ connections: 1, idle: 0, running: 1 })
    own.close()
    expect(await first).toMatchObject({ code: 'RESET' })
  })

  it('cuts everything when it is closed', async () => {
    const server = await rawServer()
    const own = client()
    const waiting = failure(own.request({ origin: server.origin }))
    await (await server.peer()).type('HEADERS')
    own.close()
    expect(await waiting).toMatchObject({ code: 'RESET' })
    expect(await failure(own.request({ origin: server.origin }))).toMatchObject({
      code: 'ABORTED',
      sent: false,
    })
    expect(own.stats).toEqual({ connections: 0, idle: 0, running: 0 })
  })

  it('waits for the windows of the server', async () => {
    const server = await rawServer(4, 10)
    const own = client()
    // Until its SETTINGS have come the default holds.
    const first = own.request({ origin: server.origin })
    const peer = await server.peer()
    await peer.type('HEADERS')
    peer.send('HEADERS', 5, 1, ok)
    await first
    const answer = own.request({ origin: server.origin, method: 'POST', body: 'x'.repeat(25) })
    const received = (): number =>
      peer.frames.filter(({ type }) => type === 'DATA').reduce((sum, { payload }) => sum + payload.length, 0)
    await until(() => received() === 10, 'the first ten bytes came')
    peer.send('WINDOW_UPDATE', 0, 3, number(5))
    await until(() => received() === 15, 'five more')
    // A smaller initial window takes away, also below zero (RFC 9113, section 6.9.2).
    peer.settings(4, 0).send('WINDOW_UPDATE', 0, 3, number(10)).settings(4, 10)
    await until(() => received() === 25, 'the rest')
    peer.send('HEADERS', 5, 3, ok)
    expect((await answer).status).toBe(200)
  })

  it('survives a server that dies at any byte: no promise hangs, nothing is left', async () => {
    const bytes = Buffer.concat([
      frame('SETTINGS', 0, 0),
      frame('HEADERS', 4, 1, ok),
      frame('DATA', 0, 1, 'abcdefghijklmnop'),
      frame('DATA', 0, 1, 'q'),
    ])
    let size = 0
    const port = await listen(
      createServer((socket) => {
        const cut = size++
        socket.on('error', () => {})
        socket.once('data', () => {
          if (cut % 2 === 0) socket.end(bytes.subarray(0, cut))
          else socket.write(bytes.subarray(0, cut), () => socket.resetAndDestroy())
        })
      }),
    )
    const own = client()
    const origin = `http://127.0.0.1:${port}`
    while (size <= bytes.length) {
      const before = size
      const error = await failure(own.request({ origin }).then(({ body }) => body.bytes()))
      expect(isWireError(error, 'RESET'), `cut at byte ${before}`).toBe(true)
      expect(own.stats).toEqual({ connections: 0, idle: 0, running: 0 })
    }
  })
})
