import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { isWireError } from '../src/index.ts'
import { cleanup, client, serve, text, until } from './setup.ts'

const host = 'host: test\r\n'
const limits = { maxHeaderBytes: 500, maxTargetBytes: 300, maxFields: 10 }

describe('a request that breaks a limit', () => {
  const fields = (count: number, value = '1') =>
    Array.from({ length: count }, (_, index) => `x-${index}: ${value}\r\n`).join('')

  it.each([
    ['a long target', `GET /${'a'.repeat(300)} HTTP/1.1\r\n${host}\r\n`, 414],
    ['a very long target', `GET /${'a'.repeat(30_000)} HTTP/1.1\r\n${host}\r\n`, 414],
    ['too many fields', `GET / HTTP/1.1\r\n${host}${fields(10)}\r\n`, 431],
    ['large fields', `GET / HTTP/1.1\r\n${host}x: ${'a'.repeat(500)}\r\n\r\n`, 431],
    ['very large fields', `GET / HTTP/1.1\r\n${host}x: ${'a'.repeat(30_000)}\r\n\r\n`, 431],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['a space in a field name', `GET / HTTP/1.1\r\n${host}x y: 1\r\n\r\n`, 400],
    ['two lengths', `POST / HTTP/1.1\r\n${host}content-length: 1\r\ncontent-length: 2\r\n\r\nab`, 400],
    [
      'a length and chunks',
      `POST / HTTP/1.1\r\n${host}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['a bad length', `POST / HTTP/1.1\r\n${host}content-length: -1\r\n\r\n`, 400],
  ])('%s is refused and its connection closed', async (_, request, status) => {
    let handled = 0
    const { raw } = await serve((_request, response) => {
      handled++
      response.send(204)
    }, limits)
    const answer = await raw().write(request).end()
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(answer.toLowerCase()).toContain('connection: close\r\n')
    expect(answer.match(/HTTP\/1.1/g)).toHaveLength(1)
    expect(handled).toBe(0)
  })

  it.each([
    ['the longest target', `GET /${'a'.repeat(299)} HTTP/1.1\r\n${host}\r\n`],
    ['the most fields', `GET / HTTP/1.1\r\n${host}${fields(9)}\r\n`],
    ['the largest fields', `GET / HTTP/1.1\r\n${host}x: ${'a'.repeat(491)}\r\n\r\n`],
    ['all of them', `GET /${'a'.repeat(299)} HTTP/1.1\r\n${host}${fields(8)}y: ${'a'.repeat(455)}\r\n\r\n`],
  ])('%s still passes', async (_, request) => {
    const { raw } = await serve((_request, response) => response.send(200, [], 'fine'), limits)
    await raw().write(request).until('fine')
  })

  it('counts what was refused', async () => {
    const { raw, server } = await serve((_, response) => response.send(204), limits)
    await raw().write('hello\r\n\r\n').end()
    await raw()
      .write(`GET /${'a'.repeat(300)} HTTP/1.1\r\n${host}\r\n`)
      .end()
    expect(server.stats.refusedTotal).toBe(2)
  })
})

describe('a slow client', () => {
  it('that does not finish its header section gets 408', async () => {
    const { raw } = await serve((_, response) => response.send(204), { headerTimeoutMs: 80 })
    expect(await raw().write('GET / HTTP/1.1\r\nx: 1\r\n').end()).toMatch(/^HTTP\/1.1 408 /)
  })

  it('that sends nothing at all is closed', async () => {
    const { raw } = await serve((_, response) => response.send(204), { headerTimeoutMs: 80 })
    await raw().end()
  })

  it('that stops in the middle of its body is cut', async () => {
    let failure: unknown
    const { raw } = await serve(
      async (request) => {
        await request.body.bytes().catch((error: unknown) => (failure = error))
      },
      { bodyIdleTimeoutMs: 80 },
    )
    await raw().write(`POST / HTTP/1.1\r\n${host}content-length: 10\r\n\r\nabc`).end()
    expect(isWireError(failure, 'TIMEOUT')).toBe(true)
  })

  it('that does not take its answer is cut, however it was sent', async () => {
    const { raw, server } = await serve(
      async (request, response) => {
        if (request.path === '/send') return response.send(200, [], new Uint8Array(64 * 1024 * 1024))
        const writer = response.start(200)
        for (;;) await writer.write(new Uint8Array(1024 * 1024))
      },
      { writeIdleTimeoutMs: 100 },
    )
    for (const path of ['/send', '/stream']) {
      const slow = raw()
      slow.socket.pause()
      slow.write(`GET ${path} HTTP/1.1\r\n${host}\r\n`)
    }
    await until(() => server.stats.requestsTotal === 2, 'both requests')
    await until(() => server.stats.connections === 0 && server.stats.running === 0, 'both are cut')
  })

  it('is not one that waits long for its answer', async () => {
    const { raw } = await serve(
      async (_, response) => {
        await new Promise((resolve) => setTimeout(resolve, 150))
        response.send(200, [], 'late')
      },
      { writeIdleTimeoutMs: 30 },
    )
    await raw().write(`GET / HTTP/1.1\r\n${host}\r\n`).until('late')
  })

  it('keeps an idle connection only so long', async () => {
    const { raw } = await serve((_, response) => response.send(200, [], 'x'), { keepAliveTimeoutMs: 50 })
    expect(await raw().write(`GET / HTTP/1.1\r\n${host}\r\n`).end()).toContain('200 OK')
  })
})

describe('a body over its limit', () => {
  it('fails with the limit, announced or not, whole or streamed, and becomes 413', async () => {
    const limitsSeen: unknown[] = []
    const { origin } = await serve(
      async (request, response) => {
        if (request.path === '/whole') await request.body.bytes()
        else for await (const _ of request.body) continue
        response.send(204)
      },
      {
        maxBodyBytes: 1000,
        onError: (error) => limitsSeen.push(isWireError(error, 'TOO_LARGE') && error.limit),
      },
    )
    const own = client()
    async function* chunks() {
      for (let index = 0; index < 11; index++) yield new Uint8Array(100)
    }
    for (const path of ['/whole', '/chunks']) {
      for (const body of [new Uint8Array(1001), chunks()]) {
        const answer = await own.request({ origin, path, method: 'POST', body })
        expect(answer.status).toBe(413)
        await answer.body.bytes()
      }
      const fits = await own.request({ origin, path, method: 'POST', body: new Uint8Array(1000) })
      expect(fits.status).toBe(204)
    }
    expect(limitsSeen).toEqual([1000, 1000, 1000, 1000])
  })

  it('can have another limit for each request', async () => {
    const { origin } = await serve(
      async (request, response) => {
        request.body.limit = 2000
        response.send(200, [], String((await request.body.bytes()).length))
      },
      { maxBodyBytes: 10 },
    )
    const answer = await client().request({ origin, method: 'POST', body: new Uint8Array(1500) })
    expect(text(await answer.body.bytes())).toBe('1500')
  })

  it('that nobody reads does not flow for ever', async () => {
    const { raw, server } = await serve((_, response) => response.send(403))
    const flood = raw().write(`POST / HTTP/1.1\r\n${host}transfer-encoding: chunked\r\n\r\n`)
    await flood.until('403')
    const piece = Buffer.concat([Buffer.from('10000\r\n'), new Uint8Array(65536), Buffer.from('\r\n')])
    const timer = setInterval(() => flood.socket.writable && flood.write(piece), 1)
    await flood.end()
    clearInterval(timer)
    await until(() => server.stats.connections === 0, 'the connection is gone')
  })

  it('that nobody reads does not cost its client the answer', async () => {
    const { port } = await serve((_, response) => response.send(403, [], 'no'))
    const socket = connect(port, '127.0.0.1')
    cleanup(() => socket.destroy())
    const problems: Error[] = []
    socket.on('error', (error) => problems.push(error))
    // It looks for an answer only when nothing more can be sent.
    socket.pause()
    const size = 64 * 1024 * 1024
    socket.write(`POST / HTTP/1.1\r\n${host}content-length: ${size}\r\n\r\n`)
    socket.write(Buffer.alloc(size))
    let [left, unchanged] = [0, 0]
    await until(() => {
      unchanged = socket.writableLength === left ? unchanged + 1 : 0
      left = socket.writableLength
      return unchanged > 20
    }, 'nothing more can be sent')
    const answer = await new Promise<string>((resolve) => {
      socket.once('data', (chunk: Buffer) => resolve(chunk.toString()))
      socket.once('close', () => resolve(`closed: ${String(problems[0])}`))
      socket.resume()
    })
    expect(answer).toMatch(/^HTTP\/1.1 403 [^]*no$/)
  })

  it('that nobody reads leaves the connection usable when it is small', async () => {
    const { raw } = await serve((request, response) => response.send(200, [], `[${request.path}]`))
    const connection = raw().write(`POST /a HTTP/1.1\r\n${host}content-length: 5\r\n\r\nabcde`)
    await connection.until('[/a]')
    await connection.write(`GET /b HTTP/1.1\r\n${host}\r\n`).until('[/b]')
  })

  it('flows no faster than it is consumed', async () => {
    let taken = 0
    let release: (() => void) | undefined
    const { raw } = await serve(async (request, response) => {
      request.body.limit = Infinity
      for await (const chunk of request.body) {
        taken += chunk.length
        if (release === undefined) await new Promise<void>((resolve) => (release = resolve))
      }
      response.send(200, [], `read ${taken}.`)
    })
    const total = 64 * 1024 * 1024
    const connection = raw().write(`POST / HTTP/1.1\r\n${host}content-length: ${total}\r\n\r\n`)
    connection.write(new Uint8Array(total))
    await until(() => release !== undefined, 'the first chunk')
    await new Promise((resolve) => setTimeout(resolve, 50))
    // What the kernel's buffers took is no longer in this process.
    expect(connection.socket.writableLength).toBeGreaterThan(total / 2)
    expect(taken).toBeLessThan(1024 * 1024)
    release!()
    await connection.until(`read ${total}.`)
  })
})
