import { describe, expect, it } from 'vitest'
import type { Handler, HandedOver } from '../../src/index.ts'
import { createHttp2Client } from '../../src/http2/index.ts'
import { cleanup, serve, until } from '../setup.ts'

const ask = (more = '', version = '1.1'): string =>
  `GET /chat HTTP/${version}\r\nhost: test\r\nconnection: keep-alive, Upgrade\r\nupgrade: shout, echo\r\n${more}\r\n`

/** Answers in capitals, whatever comes. */
function shout({ socket, head }: HandedOver): void {
  const answer = (bytes: Uint8Array): void => void socket.write(Buffer.from(bytes).toString().toUpperCase())
  if (head.length > 0) answer(head)
  socket.on('data', answer)
  socket.on('end', () => socket.end())
}

const switching: Handler = async (request, response) => {
  if (request.upgrade === undefined) return response.send(200, [], 'as ever')
  shout(await request.upgrade.accept('shout', ['x-more', 'yes']))
}

describe('a connection', () => {
  it('is handed over with what was sent behind the request', async () => {
    const { raw, server } = await serve(switching)
    const connection = raw().write(`${ask()}first `)
    const head = await connection.until('FIRST ')
    expect(head).toMatch(
      /^HTTP\/1\.1 101 Switching Protocols\r\nx-more: yes\r\nconnection: upgrade\r\nupgrade: shout\r\n\r\nFIRST $/,
    )
    connection.write('GET /smuggled HTTP/1.1\r\nhost: test\r\n\r\n')
    await connection.until('GET /SMUGGLED HTTP/1.1')
    expect(server.stats).toMatchObject({ requestsTotal: 1, running: 1, connections: 1 })
    connection.socket.end()
    await connection.end()
    await until(() => server.stats.running === 0 && server.stats.connections === 0, 'it counts no more')
  })

  it('is handed over later as well, nothing lost', async () => {
    const go = Promise.withResolvers<void>()
    const { raw } = await serve(async (request) => {
      await go.promise
      shout(await request.upgrade!.accept('SHOUT'))
    })
    const connection = raw().write(ask()).write('one ')
    await new Promise((resolve) => setTimeout(resolve, 20))
    connection.write('two ')
    go.resolve()
    await connection.until('ONE TWO ')
    connection.write('three')
    await connection.until('THREE')
  })

  it('outlives the time limits of requests and takes more than its buffers hold', async () => {
    const { raw } = await serve(switching, {
      headerTimeoutMs: 40,
      keepAliveTimeoutMs: 40,
      writeIdleTimeoutMs: 40,
    })
    const connection = raw().write(ask())
    await connection.until('\r\n\r\n')
    await new Promise((resolve) => setTimeout(resolve, 200))
    connection.write('x'.repeat(1_000_000))
    await until(() => connection.received.length > 1_000_000, 'all came back')
  })

  it('goes on with HTTP when nobody takes it', async () => {
    const { raw } = await serve((request, response) =>
      response.send(200, [], request.upgrade?.protocols.join('+')),
    )
    const connection = raw().write(ask()).write(ask())
    await connection.until('shout+echo')
    await until(() => connection.received.match(/200 OK/g)?.length === 2, 'both answers')
  })

  it.each([
    ['has a body', ask('content-length: 2\r\n') + 'ab'],
    ['has a body in chunks', ask('transfer-encoding: chunked\r\n') + '0\r\n\r\n'],
    ['is HTTP/1.0', ask('', '1.0')],
    ['does not say so of its connection', 'GET / HTTP/1.1\r\nhost: test\r\nupgrade: shout\r\n\r\n'],
    ['names no protocol', 'GET / HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\n\r\n'],
  ])('stays as it is when the request %s', async (_, request) => {
    const { raw } = await serve(switching)
    expect(await raw().write(request).until('as ever')).toMatch(/^HTTP\/1\.1 200 OK/)
  })

  it('is not handed over twice, behind an answer, or for what nobody asked', async () => {
    const codes: unknown[] = []
    const { raw } = await serve(async (request, response) => {
      const { upgrade } = request
      await upgrade!.accept('websocket').catch((error: Error) => codes.push(error.message))
      response.send(200)
      await upgrade!.accept('shout').catch((error: Error) => codes.push(error.message))
    })
    await raw().write(ask()).until('200 OK')
    await until(() => codes.length === 2, 'both were refused')
    expect(codes[0]).toBe('the client did not ask for the protocol "websocket"')
  })

  it('is waited for when the server closes, and cut in the end', async () => {
    const { raw, server } = await serve(switching)
    const connection = raw().write(ask())
    await connection.until('\r\n\r\n')
    const stop = new AbortController()
    const closed = server.close(stop.signal)
    connection.write('still')
    await connection.until('STILL')
    stop.abort()
    await closed
    await connection.end()
  })

  it('of HTTP/2 is never handed over', async () => {
    const { origin } = await serve(switching, { protocols: ['http/1.1', 'h2c'] })
    const client = createHttp2Client()
    cleanup(() => client.close())
    const response = await client.request({ origin })
    expect(Buffer.from(await response.body.bytes()).toString()).toBe('as ever')
  })
})
