import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { isWireError } from '../../src/index.ts'
import type { Handler } from '../../src/index.ts'
import { cleanup, serve, until } from '../setup.ts'
import { requests, tokens } from './corpus.ts'

const host = 'host: test\r\n'
const get = (path: string): string => `GET ${path} HTTP/1.1\r\n${host}\r\n`
const chunked = `POST / HTTP/1.1\r\n${host}transfer-encoding: chunked\r\n\r\n`
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** A connection that keeps only the end of what it receives: for much of it. */
function tail(port: number): { socket: Socket; until(text: string): Promise<void> } {
  const socket = connect(port, '127.0.0.1')
  cleanup(() => socket.destroy())
  let end = ''
  socket.on(
    'data',
    (chunk) => (end = (end + chunk.toString('latin1', Math.max(0, chunk.length - 100))).slice(-100)),
  )
  return { socket, until: (text) => until(() => end.includes(text), text) }
}

/** Reads the whole body and remembers why that failed. */
function reading(): { handler: Handler; failures: unknown[]; lengths: number[] } {
  const failures: unknown[] = []
  const lengths: number[] = []
  const handler: Handler = async (request, response) => {
    try {
      lengths.push((await request.body.bytes()).length)
    } catch (error) {
      failures.push(error)
      throw error
    }
    response.send(204)
  }
  return { handler, failures, lengths }
}

describe('smuggling', () => {
  const smuggled = get('/smuggled')
  it.each([
    [
      'a length and chunks',
      `POST / HTTP/1.1\r\n${host}content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      'chunks and a length',
      `POST / HTTP/1.1\r\n${host}transfer-encoding: chunked\r\ncontent-length: 6\r\n\r\n0\r\n\r\n`,
    ],
    ['two lengths', `POST / HTTP/1.1\r\n${host}content-length: 0\r\ncontent-length: 50\r\n\r\n`],
    ['a hidden coding', `POST / HTTP/1.1\r\n${host}transfer-encoding : chunked\r\n\r\n0\r\n\r\n`],
    ['a folded coding', `POST / HTTP/1.1\r\n${host}transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n`],
    ['a strange coding', `POST / HTTP/1.1\r\n${host}transfer-encoding: xchunked\r\n\r\n`],
    ['a bare LF', `POST / HTTP/1.1\r\n${host}x: y\n\r\ncontent-length: 50\r\n\r\n`],
    ['a bare CR', `GET / HTTP/1.1\r\n${host}x: y\rcontent-length: 50\r\n\r\n`],
    ['NUL in a value', `GET / HTTP/1.1\r\n${host}x: \0\r\n\r\n`],
    ['NUL in a name', `GET / HTTP/1.1\r\n${host}x\0: y\r\n\r\n`],
    ['a space in a name', `POST / HTTP/1.1\r\n${host}content-length : 0\r\n\r\n`],
    ['a bad chunk size', `${chunked}0x0\r\n\r\n`],
    ['a chunk size with a sign', `${chunked}-0\r\n\r\n`],
    ['a chunk longer than its size', `${chunked}1\r\nab\r\n0\r\n\r\n`],
    ['a bare LF in chunks', `${chunked}0\n\n`],
  ])('with %s reaches nobody', async (_, request) => {
    const paths: string[] = []
    const { raw, server } = await serve(async (incoming, response) => {
      paths.push(incoming.path)
      await incoming.body.bytes().catch(() => {})
      response.send(204)
    })
    const answer = await raw()
      .write(request + smuggled)
      .end()
    expect(answer).toMatch(/^HTTP\/1.1 400 /)
    expect(answer.match(/HTTP\/1.1/g)).toHaveLength(1)
    expect(paths).not.toContain('/smuggled')
    expect(server.stats.refusedTotal).toBe(1)
    await until(
      () => server.stats.connections === 0 && server.stats.running === 0,
      'the connection is closed',
    )
  })

  it('behind a request that closes its connection is not read', async () => {
    const paths: string[] = []
    const { raw } = await serve((request, response) => {
      paths.push(request.path)
      response.send(204)
    })
    await raw().write(`GET /a HTTP/1.1\r\n${host}connection: close\r\n\r\n${smuggled}`).end()
    await raw().write(`GET /b HTTP/1.0\r\n\r\n${smuggled}`).end()
    expect(paths).toEqual(['/a', '/b'])
  })
})

describe('slowness', () => {
  it('byte by byte does not win more time for a header section', async () => {
    const { raw } = await serve((_, response) => response.send(204), { headerTimeoutMs: 100 })
    const slow = raw()
    slow.write('GET / HTTP/1.1\r\n')
    const timer = setInterval(() => slow.socket.writable && slow.write('x'), 5)
    expect(await slow.end()).toMatch(/^HTTP\/1.1 408 /)
    clearInterval(timer)
  })

  it('in the second header section is no better', async () => {
    const { raw } = await serve((_, response) => response.send(200, [], 'first'), { headerTimeoutMs: 80 })
    const slow = raw().write(get('/'))
    await slow.until('first')
    expect(await slow.write('GET /').end()).toMatch(/HTTP\/1.1 408 /)
  })

  it('in a body that nobody reads ends with its connection', async () => {
    const { raw } = await serve((_, response) => response.send(200, [], 'early'), { bodyIdleTimeoutMs: 80 })
    const slow = raw().write(`POST / HTTP/1.1\r\n${host}content-length: 10\r\n\r\nabc`)
    expect(await slow.end()).toContain('early')
  })

  it('in chunks is cut, and its reader told', async () => {
    const { handler, failures } = reading()
    const { raw } = await serve(handler, { bodyIdleTimeoutMs: 80 })
    await raw().write(`${chunked}5\r\nab`).end()
    await until(() => isWireError(failures[0], 'TIMEOUT'), 'the reader is told')
  })

  it('of a client that goes on is none', async () => {
    const { handler, lengths } = reading()
    const { raw } = await serve(handler, { bodyIdleTimeoutMs: 200, headerTimeoutMs: 200 })
    const slow = raw().write(`POST / HTTP/1.1\r\n${host}content-length: 20\r\n\r\n`)
    for (let sent = 0; sent < 20; sent++) {
      await pause(15)
      slow.write('x')
    }
    await slow.until('204')
    expect(lengths).toEqual([20])
  })
})

describe('excess', () => {
  it.each([
    ['chunk extensions', `${chunked}1;${'a'.repeat(20_000)}\r\nx\r\n0\r\n\r\n`, 413],
    ['many small chunk extensions', chunked + `1;${'a'.repeat(20)}\r\nx\r\n`.repeat(1000), 413],
    ['a chunk size', `${chunked}${'0'.repeat(100)}1\r\nx\r\n`, 413],
    ['trailers', `${chunked}0\r\n${'x: y\r\n'.repeat(1000)}\r\n`, 431],
    ['a trailer', `${chunked}0\r\nx: ${'y'.repeat(100_000)}`, 431],
    ['a content-length', `POST / HTTP/1.1\r\n${host}content-length: ${'9'.repeat(40)}\r\n\r\n`, 413],
  ])('of %s is refused', async (_, request, status) => {
    const { handler, failures } = reading()
    const { raw, server } = await serve(handler)
    expect(await raw().write(request).end()).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    await until(() => server.stats.running === 0, 'nothing runs')
    for (const failure of failures) expect(isWireError(failure, 'PROTOCOL')).toBe(true)
  })

  it('that begins in the middle of a body is refused, and its reader told', async () => {
    const { handler, failures } = reading()
    const { raw } = await serve(handler)
    const connection = raw().write(`${chunked}3\r\nabc\r\n`)
    await pause(20)
    expect(await connection.write('zzz\r\n').end()).toMatch(/^HTTP\/1.1 400 /)
    expect(isWireError(failures[0], 'PROTOCOL')).toBe(true)
  })

  it('of single bytes as chunks costs no more memory than its bytes', async () => {
    const { handler, lengths } = reading()
    const { raw } = await serve(handler)
    const count = 300_000
    const connection = raw().write(`${chunked}${'1\r\nx\r\n'.repeat(count)}0\r\n\r\n`)
    await connection.until('204')
    expect(lengths).toEqual([count])
  })

  it('of pipelined requests behind one that takes long is not taken from the socket', async () => {
    let finish: (() => void) | undefined
    let handled = 0
    const { port } = await serve(async (request, response) => {
      handled++
      if (request.path === '/slow') await new Promise<void>((resolve) => (finish = resolve))
      response.send(200, [], `[${request.path}]`)
    })
    const count = 200_000
    const connection = tail(port)
    connection.socket.write(get('/slow') + get('/n').repeat(count) + get('/last'))
    await until(() => finish !== undefined, 'the first request')
    await pause(50)
    expect(connection.socket.writableLength).toBeGreaterThan(0)
    finish!()
    await connection.until('[/last]')
    expect(handled).toBe(count + 2)
  })

  it('of answers that the client does not take stops its requests', async () => {
    let handled = 0
    const body = 'x'.repeat(1000)
    const { port } = await serve((request, response) => {
      handled++
      response.send(200, [], request.path === '/last' ? 'done' : body)
    })
    const count = 50_000
    const greedy = tail(port)
    greedy.socket.pause()
    greedy.socket.write(get('/n').repeat(count) + get('/last'))
    let before = -1
    await until(() => {
      const stands = handled > 0 && handled === before
      before = handled
      return stands
    }, 'the server stops')
    await pause(30)
    // Their answers alone would be 50 MB; the kernel takes a few of them.
    expect(handled).toBeLessThan(count / 2)
    greedy.socket.resume()
    await greedy.until('done')
    expect(handled).toBe(count + 1)
  })
})

describe('an abrupt end', () => {
  const whole = `POST /p?q HTTP/1.1\r\n${host}transfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n3;x=y\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n`

  it.each(['FIN', 'RST'])('by %s at any byte leaves nothing behind', async (how) => {
    const { handler } = reading()
    const { port, server } = await serve(handler)
    for (let length = 0; length <= whole.length; length++) {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      await new Promise((resolve) => socket.once('connect', resolve))
      socket.write(whole.slice(0, length), () => {
        if (how === 'FIN') socket.destroy()
        else socket.resetAndDestroy()
      })
    }
    await until(() => server.stats.connectionsTotal === whole.length + 1, 'all connections')
    await until(() => server.stats.connections === 0 && server.stats.running === 0, 'all are over')
  })

  it('in an answer tells its writer', async () => {
    let failure: unknown
    const { raw, server } = await serve(async (_, response) => {
      const writer = response.start(200)
      try {
        for (;;) {
          await writer.write('x')
          await pause(1)
        }
      } catch (error) {
        failure = error
      }
    })
    const connection = raw().write(get('/'))
    await connection.until('x')
    connection.socket.resetAndDestroy()
    await until(() => server.stats.running === 0 && failure !== undefined, 'the writer is told')
    expect(isWireError(failure, 'ABORTED')).toBe(true)
  })
})

describe('anything', () => {
  it('that comes over a socket neither ends the process nor hangs', async () => {
    let state = 7
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      return (state >>> 8) % below
    }
    const { handler } = reading()
    const { port, raw, server } = await serve(handler, { bodyIdleTimeoutMs: 200, headerTimeoutMs: 200 })
    const rounds = 400
    for (let round = 0; round < rounds; round += 20) {
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          let text = requests[random(requests.length)]!
          for (let count = random(4); count > 0; count--) {
            const at = random(text.length + 1)
            text = text.slice(0, at) + tokens[random(tokens.length)]! + text.slice(at + random(4))
          }
          const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
          socket.on('error', () => {})
          socket.resume()
          const closed = new Promise((resolve) => socket.once('close', resolve))
          socket.end(Buffer.from(text, 'latin1'))
          await closed
        }),
      )
    }
    await until(() => server.stats.connections === 0 && server.stats.running === 0, 'all are over')
    expect(server.stats.connectionsTotal).toBe(rounds)
    await raw().write(get('/')).until('204')
  })
})
