import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { isWireError } from '../../src/index.ts'
import { cleanup, client, text, until } from '../setup.ts'

/** A server that answers each connection's first bytes as told. */
async function scripted(answer: (socket: Socket, index: number) => void): Promise<string> {
  const sockets = new Set<Socket>()
  let count = 0
  const server = createServer((socket) => {
    const index = count++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', () => answer(socket, index))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanup(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

/** The body, or the code of what failed. */
async function outcome(origin: string, own = client()): Promise<string> {
  try {
    const answer = await own.request({ origin })
    const body = text(await answer.body.bytes())
    return `${answer.status} ${body}`
  } catch (error) {
    if (!isWireError(error)) throw error
    return error.code
  } finally {
    await until(() => own.stats.running === 0, 'nothing runs')
  }
}

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

describe('a server', () => {
  it.each([
    ['that sends informational responses first', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(5) + ok, '200 ok'],
    ['that sends them without end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000), 'PROTOCOL'],
    ['that switches protocols', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n', 'PROTOCOL'],
    ['with two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nokx', 'PROTOCOL'],
    [
      'with a length and chunks',
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      'PROTOCOL',
    ],
    ['with a bare LF', 'HTTP/1.1 200 OK\ncontent-length: 2\n\nok', 'PROTOCOL'],
    ['with a bad chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokx', 'PROTOCOL'],
    [
      'with chunk extensions without end',
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;${'a'.repeat(90_000)}`,
      'PROTOCOL',
    ],
    ['with fields without end', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}`, 'TOO_LARGE'],
    ['with a reason without end', `HTTP/1.1 200 ${'y'.repeat(90_000)}`, 'PROTOCOL'],
    ['of HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n', 'PROTOCOL'],
  ])('%s', async (_, answer, expected) => {
    expect(await outcome(await scripted((socket) => socket.write(answer)))).toBe(expected)
  })

  it('that sends more than it was asked for loses its connection', async () => {
    const origin = await scripted((socket, index) => socket.write(index === 0 ? ok + ok : ok))
    const own = client()
    expect(await outcome(origin, own)).toBe('200 ok')
    expect(own.stats).toEqual({ connections: 0, idle: 0, running: 0 })
    expect(await outcome(origin, own)).toBe('200 ok')
  })

  it('that sends something to an idle connection loses it', async () => {
    const seen: Socket[] = []
    const origin = await scripted((socket) => {
      seen.push(socket)
      socket.write(ok)
    })
    const own = client()
    expect(await outcome(origin, own)).toBe('200 ok')
    expect(own.stats.idle).toBe(1)
    seen[0]!.write(ok)
    await until(() => own.stats.connections === 0, 'the connection is given up')
  })

  it('that speaks HTTP/1.0 gets a connection for each request', async () => {
    const origin = await scripted((socket, index) => socket.end(`HTTP/1.0 200 OK\r\n\r\n${index}`))
    const own = client()
    expect([await outcome(origin, own), await outcome(origin, own)]).toEqual(['200 0', '200 1'])
  })

  it('that answers before the request is complete is heard, and its connection not used again', async () => {
    const origin = await scripted((socket) => {
      socket.removeAllListeners('data')
      socket.write(ok)
    })
    const own = client()
    let ended = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          yield new Uint8Array(1000)
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
      } finally {
        ended = true
      }
    }
    const answer = await own.request({ origin, method: 'POST', body: endless() })
    expect(text(await answer.body.bytes())).toBe('ok')
    expect(own.stats).toEqual({ connections: 0, idle: 0, running: 0 })
    await until(() => ended, 'the source is closed')
  })
})

describe('an answer cut at any byte', () => {
  const answer =
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx: y\r\n\r\n2;a=b\r\nok\r\n0\r\nx-sum: 1\r\n\r\n'

  it.each(['FIN', 'RST'])('by %s never hangs', async (how) => {
    let length = 0
    const origin = await scripted((socket) => {
      socket.write(answer.slice(0, length), () => {
        if (how === 'FIN') socket.end()
        // Not before the bytes are on their way.
        else setImmediate(() => socket.resetAndDestroy())
      })
    })
    for (length = 0; length < answer.length; length++) expect(await outcome(origin)).toBe('RESET')
    if (how === 'FIN') expect(await outcome(origin)).toBe('200 ok')
  })
})
