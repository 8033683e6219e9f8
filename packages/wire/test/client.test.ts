import { createServer as createNetServer } from 'node:net'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { isWireError } from '../src/index.ts'
import type { ClientRequest, WireErrorCode } from '../src/index.ts'
import { cleanup, client, serve, text, until } from './setup.ts'

/** A server that answers each connection as told, byte for byte. */
async function scripted(onConnection: (socket: Socket, index: number) => void): Promise<string> {
  const sockets = new Set<Socket>()
  let count = 0
  const server = createNetServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onConnection(socket, count++)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanup(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

const ok = (body: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`

async function failure(
  request: Promise<unknown>,
): Promise<{ code: WireErrorCode; sent: boolean; message: string }> {
  const error = await request.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  )
  if (!isWireError(error)) throw error
  return { code: error.code, sent: error.sent, message: error.message }
}

describe('a request', () => {
  it('sends method, path, fields and body, and gets status, fields and body', async () => {
    const { origin } = await serve(async (request, response) => {
      const parts = [
        request.method,
        request.path,
        request.query,
        request.fields.get('x-a'),
        request.authority,
      ]
      response.send(201, ['X-B', '2'], `${parts.join(' ')} ${text(await request.body.bytes())}`)
    })
    const answer = await client().request({
      origin,
      method: 'PUT',
      path: '/p?q=1',
      fields: ['x-a', '1'],
      body: 'body',
    })
    expect(answer.status).toBe(201)
    expect(answer.fields.get('x-b')).toBe('2')
    expect(text(await answer.body.bytes())).toBe(`PUT /p q=1 1 ${origin.slice(7)} body`)
  })

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'REPORT'])(
    '%s without a body has none',
    async (method) => {
      const { origin } = await serve(async (request, response) => {
        response.send(
          200,
          [],
          `${request.fields.get('transfer-encoding')} ${(await request.body.bytes()).length}`,
        )
      })
      const answer = await client().request({ origin, method })
      expect(text(await answer.body.bytes())).toBe('undefined 0')
    },
  )

  it('streams both ways at once', async () => {
    const { origin } = await serve(async (request, response) => {
      const writer = response.start(200)
      for await (const chunk of request.body) await writer.write(`<${text(chunk)}>`)
      writer.end()
    })
    let next: (() => void) | undefined
    async function* body() {
      for (const word of ['a', 'b', 'c']) {
        yield Buffer.from(word)
        await new Promise<void>((resolve) => (next = resolve))
      }
    }
    const answer = await client().request({ origin, method: 'POST', body: body() })
    let got = ''
    for await (const chunk of answer.body) {
      got += text(chunk)
      next!()
    }
    expect(got).toBe('<a><b><c>')
  })

  it('keeps and reuses its connection, also after a cancelled empty body', async () => {
    const { origin, server } = await serve((request, response) => {
      if (request.path === '/empty') response.send(204)
      else response.send(200, [], 'x')
    })
    const own = client()
    for (const path of ['/', '/empty', '/', '/empty']) {
      const answer = await own.request({ origin, path })
      if (path === '/') await answer.body.bytes()
      await until(() => own.stats.running === 0, 'the connection is free')
    }
    expect(server.stats.connectionsTotal).toBe(1)
    expect(own.stats).toEqual({ connections: 1, idle: 1, running: 0 })
  })

  it('waits for a connection when all are taken', async () => {
    const { origin, server } = await serve((_, response) => response.send(200, [], 'x'))
    const own = client({ maxConnections: 2 })
    const all = Array.from({ length: 20 }, async () =>
      text(await (await own.request({ origin })).body.bytes()),
    )
    expect(new Set(await Promise.all(all))).toEqual(new Set(['x']))
    expect(server.stats.connectionsTotal).toBe(2)
  })

  it('gives a cancelled body up with its connection', async () => {
    const { origin, server } = await serve(async (_, response) => {
      const writer = response.start(200)
      for (;;) await writer.write(new Uint8Array(65536))
    })
    const answer = await client().request({ origin })
    for await (const chunk of answer.body) {
      if (chunk.length > 0) break
    }
    await until(() => server.stats.connections === 0, 'the connection is closed')
    expect(await failure(answer.body.bytes())).toMatchObject({ code: 'ABORTED' })
  })

  it('reads a body without a length to the end of its connection', async () => {
    const origin = await scripted((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nall of it'))
    })
    const answer = await client().request({ origin })
    // The connection is closed before anybody reads.
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(text(await answer.body.bytes())).toBe('all of it')
  })
})

describe('failures', () => {
  const cases: [string, WireErrorCode, boolean, Partial<ClientRequest>][] = [
    ['http://127.0.0.1:1', 'CONNECT', false, {}],
    ['unix:/nowhere/to.be.found', 'CONNECT', false, {}],
    ['ftp://x', 'PROTOCOL', false, {}],
    ['http://x/path', 'PROTOCOL', false, {}],
    ['unix:', 'PROTOCOL', false, {}],
    ['http://127.0.0.1:1', 'PROTOCOL', false, { path: '/a b' }],
    ['http://127.0.0.1:1', 'PROTOCOL', false, { fields: ['x', 'a\nb'] }],
    ['http://127.0.0.1:1', 'PROTOCOL', false, { method: 'CONNECT' }],
    ['http://127.0.0.1:1', 'ABORTED', false, { signal: AbortSignal.abort() }],
  ]
  it.each(cases)('%s is %s, sent: %s', async (origin, code, sent, request) => {
    const own = client()
    expect(await failure(own.request({ origin, ...request }))).toMatchObject({ code, sent })
    await until(() => own.stats.running === 0, 'nothing runs')
  })

  it('never show a password in the origin', async () => {
    const { message } = await failure(client().request({ origin: 'redis://me:secret@x' }))
    expect(message).not.toContain('secret')
  })

  it('a connection cut before the answer is RESET', async () => {
    const origin = await scripted((socket) => socket.once('data', () => socket.destroy()))
    expect(await failure(client().request({ origin }))).toMatchObject({ code: 'RESET', sent: true })
  })

  it('a connection cut in the answer is RESET', async () => {
    const origin = await scripted((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf')),
    )
    const answer = await client().request({ origin })
    expect(await failure(answer.body.bytes())).toMatchObject({ code: 'RESET', sent: true })
  })

  it('an answer that is not HTTP is PROTOCOL', async () => {
    const origin = await scripted((socket) =>
      socket.once('data', () => socket.end('220 mail.example ESMTP\r\n')),
    )
    expect(await failure(client().request({ origin }))).toMatchObject({ code: 'PROTOCOL', sent: true })
  })

  it('an answer with too large a header section is TOO_LARGE', async () => {
    const origin = await scripted((socket) =>
      socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(5000)}\r\n\r\n`)),
    )
    expect(await failure(client({ maxHeaderBytes: 2000 }).request({ origin }))).toMatchObject({
      code: 'TOO_LARGE',
    })
  })

  it('a body over the limit is TOO_LARGE and closes the connection', async () => {
    const { origin, server } = await serve((_, response) => response.send(200, [], new Uint8Array(100_000)))
    const answer = await client().request({ origin })
    expect(await failure(answer.body.bytes(99_999))).toMatchObject({ code: 'TOO_LARGE' })
    await until(() => server.stats.connections === 0, 'the connection is closed')
  })

  it('no answer in time is TIMEOUT', async () => {
    const { origin, server } = await serve(() => {})
    const own = client({ timeouts: { headersMs: 30 } })
    expect(await failure(own.request({ origin }))).toMatchObject({ code: 'TIMEOUT', sent: true })
    await until(() => server.stats.connections === 0, 'the connection is closed')
  })

  it('a body that stops is TIMEOUT', async () => {
    const { origin } = await serve((_, response) => {
      void response.start(200).write('half')
    })
    const answer = await client({ timeouts: { bodyIdleMs: 40 } }).request({ origin })
    expect(await failure(answer.body.bytes())).toMatchObject({ code: 'TIMEOUT' })
  })

  it('the signal aborts a request, and a body that is under way', async () => {
    const { origin, server } = await serve((request, response) => {
      if (request.path === '/body') void response.start(200).write('half')
    })
    const own = client()
    const first = new AbortController()
    const waiting = failure(own.request({ origin, signal: first.signal }))
    await until(() => server.stats.running === 1, 'the request runs')
    first.abort()
    expect(await waiting).toMatchObject({ code: 'ABORTED', sent: true })
    const second = new AbortController()
    const answer = await own.request({ origin, path: '/body', signal: second.signal })
    const body = failure(answer.body.bytes())
    second.abort()
    expect(await body).toMatchObject({ code: 'ABORTED' })
    await until(() => server.stats.running === 0 && own.stats.running === 0, 'nothing runs')
  })

  it('a request body that fails abandons the request', async () => {
    const { origin, server } = await serve(async (request, response) => {
      response.send(200, [], await request.body.bytes())
    })
    async function* broken() {
      yield Buffer.from('a')
      throw new Error('disk')
    }
    expect(await failure(client().request({ origin, method: 'POST', body: broken() }))).toMatchObject({
      code: 'ABORTED',
    })
    await until(() => server.stats.running === 0, 'nothing runs')
  })

  it('closing the client ends what runs', async () => {
    const { origin, server } = await serve(() => {})
    const own = client()
    const waiting = failure(own.request({ origin }))
    await until(() => server.stats.running === 1, 'the request runs')
    own.close()
    expect(await waiting).toMatchObject({ code: 'RESET' })
    expect(await failure(own.request({ origin }))).toMatchObject({ code: 'ABORTED' })
  })
})

describe('a kept connection that the server closes at the same moment', () => {
  /** The first connection answers once and is cut at the second request; later ones work. */
  const stale = () =>
    scripted((socket, index) => {
      let requests = 0
      socket.on('data', () => {
        if (index === 0 && ++requests === 2) socket.resetAndDestroy()
        else socket.write(ok(`connection ${index}`))
      })
    })

  async function twice(request: Partial<ClientRequest>) {
    const origin = await stale()
    const own = client()
    expect(text(await (await own.request({ origin })).body.bytes())).toBe('connection 0')
    await until(() => own.stats.idle === 1, 'the connection is kept')
    return own.request({ origin, ...request })
  }

  it('is replaced for a request that may be repeated', async () => {
    const answer = await twice({})
    expect(text(await answer.body.bytes())).toBe('connection 1')
  })

  it('is an error for one that may have been received', async () => {
    expect(await failure(twice({ method: 'POST', body: 'x' }))).toMatchObject({ code: 'RESET', sent: true })
  })

  it('is not met when the server says how long it keeps connections', async () => {
    const { origin, server } = await serve((_, response) => response.send(200, [], 'x'), {
      keepAliveTimeoutMs: 1500,
    })
    const own = client({ idleTimeoutMs: 60_000 })
    await (await own.request({ origin })).body.bytes()
    await until(() => own.stats.idle === 0, 'the client lets go')
    expect((await own.request({ origin, method: 'POST', body: 'x' })).status).toBe(200)
    expect(server.stats.connectionsTotal).toBe(2)
  })

  it('loses no request under load with a short idle time', async () => {
    const { origin } = await serve((_, response) => response.send(200, [], 'x'), { keepAliveTimeoutMs: 1 })
    const own = client()
    let done = 0
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let index = 0; index < 60; index++) {
          const body = await (await own.request({ origin })).body.bytes()
          done += body.length
          if (index % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 3))
        }
      }),
    )
    expect(done).toBe(480)
  })
})
