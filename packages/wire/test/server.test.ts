import { mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer as createNetServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createServer, isWireError } from '../src/index.ts'
import type { ServerRequest } from '../src/index.ts'
import { cleanup, client, serve, text, until } from './setup.ts'

const host = 'host: test\r\n'

const hasIpv6 = Object.values(networkInterfaces()).some((each) =>
  each?.some(({ address }) => address === '::1'),
)

describe('a request', () => {
  it('arrives with its parts as they were sent', async () => {
    let seen: ServerRequest | undefined
    const { raw } = await serve((request, response) => {
      seen = request
      response.send(204)
    })
    await raw()
      .write(`GET /a%2Fb/c?x=1&y=%20 HTTP/1.1\r\nHost: me:1\r\nX-Twice: 1\r\nx-twice: 2\r\n\r\n`)
      .until('204')
    expect(seen).toMatchObject({
      method: 'GET',
      path: '/a%2Fb/c',
      query: 'x=1&y=%20',
      scheme: 'http',
      authority: 'me:1',
    })
    expect(seen!.fields.getAll('x-twice')).toEqual(['1', '2'])
    expect(seen!.remoteAddress).toBe('127.0.0.1')
    expect(text(await seen!.body.bytes())).toBe('')
  })

  it.each([
    ['http://somewhere/path?q', '/path', 'q'],
    ['http://somewhere?q', '/', 'q'],
    ['http://somewhere', '/', ''],
    ['/?', '/', ''],
    ['//double//', '//double//', ''],
  ])('to %s has path %s', async (target, path, query) => {
    const { raw } = await serve((request, response) =>
      response.send(200, [], `${request.path} ${request.query}.`),
    )
    expect(await raw().write(`GET ${target} HTTP/1.1\r\n${host}\r\n`).until('.')).toContain(
      `\r\n\r\n${path} ${query}.`,
    )
  })

  it('brings its body whole or in chunks, and its trailers', async () => {
    const { raw } = await serve(async (request, response) => {
      let body = ''
      if (request.path === '/whole') body = text(await request.body.bytes())
      else for await (const chunk of request.body) body += text(chunk)
      response.send(200, [], `${body} ${request.trailers?.get('x-sum')}`)
    })
    const chunked = `transfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\nX-Sum: 5\r\n\r\n`
    expect(await raw().write(`POST /whole HTTP/1.1\r\n${host}${chunked}`).until('abcde')).toContain('abcde 5')
    expect(await raw().write(`POST /chunks HTTP/1.1\r\n${host}${chunked}`).until('abcde')).toContain(
      'abcde 5',
    )
  })

  it('gets its 100 Continue only when the body is wanted', async () => {
    const { raw } = await serve(async (request, response) => {
      if (request.path === '/no') response.send(403)
      else response.send(200, [], await request.body.bytes())
    })
    const head = `${host}content-length: 3\r\nexpect: 100-continue\r\n\r\n`
    const wanted = raw().write(`POST /yes HTTP/1.1\r\n${head}`)
    await wanted.until('100 Continue')
    expect(await wanted.write('abc').until('abc')).toContain('200 OK')
    const refused = await raw().write(`POST /no HTTP/1.1\r\n${head}`).end()
    expect(refused).toMatch(/^HTTP\/1.1 403/)
  })

  it('can be read only once, and a second attempt does not disturb the first', async () => {
    const { origin } = await serve(async (request, response) => {
      const first = request.body.bytes()
      const second = await request.body.bytes().catch((error: unknown) => error)
      const third = await request.body[Symbol.asyncIterator]()
        .next()
        .catch((error: unknown) => error)
      const refused = isWireError(second, 'PROTOCOL') && isWireError(third, 'PROTOCOL')
      response.send(200, [], `${text(await first)} ${refused}`)
    })
    const answer = await client().request({ origin, method: 'POST', body: 'x' })
    expect(text(await answer.body.bytes())).toBe('x true')
  })

  it('is answered in order when several are pipelined', async () => {
    const { raw } = await serve(async (request, response) => {
      if (request.path === '/slow') await new Promise((resolve) => setTimeout(resolve, 20))
      response.send(200, [], `[${request.path}]`)
    })
    const one = (path: string) => `GET ${path} HTTP/1.1\r\n${host}\r\n`
    const all = await raw()
      .write(one('/slow') + one('/b') + one('/c'))
      .until('[/c]')
    expect(all.match(/\[.+?\]/g)).toEqual(['[/slow]', '[/b]', '[/c]'])
  })
})

describe('a response', () => {
  it('has its length, and framing fields of the caller are ignored', async () => {
    const { raw } = await serve((_, response) => {
      response.send(
        200,
        ['content-length', '99', 'Connection', 'close', 'transfer-encoding', 'chunked', 'x-own', '1'],
        'äb',
      )
    })
    const answer = await raw().write(`GET / HTTP/1.1\r\n${host}\r\n`).until('b')
    expect(answer).toContain('content-length: 3\r\n')
    expect(answer).toContain('x-own: 1\r\n')
    expect(answer).not.toMatch(/99|close|chunked/)
  })

  it.each([10, 4096, 4097, 300_000])('carries %i bytes of any value', async (size) => {
    const body = Uint8Array.from({ length: size }, (_, index) => (index * 7) % 256)
    const { origin } = await serve((_, response) => response.send(200, [], body))
    const answer = await client().request({ origin })
    expect(answer.body.length).toBe(size)
    expect(Buffer.compare(await answer.body.bytes(), body)).toBe(0)
  })

  it('to HEAD has the length and no body; 204 and 304 have neither', async () => {
    const { origin, raw } = await serve((request, response) => {
      if (request.method === 'HEAD') response.send(200, [], 'four')
      else response.send(Number(request.path.slice(1)), [], 'ignored')
    })
    const head = await client().request({ origin, method: 'HEAD' })
    expect([head.status, head.fields.get('content-length'), text(await head.body.bytes())]).toEqual([
      200,
      '4',
      '',
    ])
    for (const status of [204, 304]) {
      const answer = await raw().write(`GET /${status} HTTP/1.1\r\nconnection: close\r\n${host}\r\n`).end()
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
      expect(answer).not.toMatch(/content-length|ignored/)
    }
  })

  it('streams chunks and trailers, and sends its head before the first chunk', async () => {
    let write: (() => void) | undefined
    const { origin } = await serve((_, response) => {
      const writer = response.start(200, ['content-type', 'text/plain'])
      write = () => {
        void writer.write('one ')
        void writer.write(Buffer.from('two'))
        writer.end(['x-status', '7'])
      }
    })
    const answer = await client().request({ origin })
    expect(answer.trailers).toBeUndefined()
    write!()
    expect(text(await answer.body.bytes())).toBe('one two')
    expect(answer.trailers?.get('x-status')).toBe('7')
  })

  it('makes its writer wait for a slow client, so that memory stays bounded', async () => {
    let written = 0
    const chunk = new Uint8Array(64 * 1024)
    const { raw, server } = await serve(async (_, response) => {
      const writer = response.start(200)
      while (written < 512 * 1024 * 1024) {
        await writer.write(chunk)
        written += chunk.length
      }
    })
    const slow = raw()
    slow.socket.pause()
    slow.write(`GET / HTTP/1.1\r\n${host}\r\n`)
    let last = -1
    await until(() => {
      const stands = written > 0 && written === last
      last = written
      return stands
    }, 'the writer waits')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(written).toBeLessThan(64 * 1024 * 1024)
    slow.socket.destroy()
    await until(() => server.stats.running === 0, 'the request is over')
    expect(written).toBeLessThan(64 * 1024 * 1024)
  })

  it('cannot be started twice', async () => {
    const errors: unknown[] = []
    const { origin } = await serve(
      (_, response) => {
        response.send(200, [], 'first')
        response.send(200, [], 'second')
      },
      { onError: (error) => errors.push(error) },
    )
    expect(text(await (await client().request({ origin })).body.bytes())).toBe('first')
    expect(isWireError(errors[0], 'PROTOCOL')).toBe(true)
  })

  it('that is aborted is seen as broken', async () => {
    const { origin } = await serve(async (_, response) => {
      const writer = response.start(200)
      await writer.write('half')
      writer.abort()
    })
    const answer = client()
      .request({ origin })
      .then((response) => response.body.bytes())
    await expect(answer).rejects.toSatisfy((error) => isWireError(error, 'RESET'))
  })
})

describe('a handler that fails', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('no')
      },
      500,
    ],
    ['rejects', () => Promise.reject(new Error('no')), 500],
    ['forgets to answer', async () => {}, 500],
  ])('and %s gives 500 and tells onError', async (_, handler, status) => {
    const errors: unknown[] = []
    const { origin } = await serve(handler, { onError: (error) => errors.push(error) })
    expect((await client().request({ origin })).status).toBe(status)
    expect(errors).toHaveLength(1)
  })

  it('can be answered for by onError', async () => {
    const { origin } = await serve(
      () => {
        throw new Error('no')
      },
      {
        onError: (error, _, response) => response.send(418, [], String((error as Error).message)),
      },
    )
    const answer = await client().request({ origin })
    expect([answer.status, text(await answer.body.bytes())]).toEqual([418, 'no'])
  })

  it('even when onError fails, does not end the process', async () => {
    const { origin, server } = await serve(
      () => {
        throw new Error('no')
      },
      {
        onError: () => {
          throw new Error('nor here')
        },
      },
    )
    await expect(client().request({ origin })).rejects.toSatisfy((error) => isWireError(error, 'RESET'))
    await until(() => server.stats.running === 0, 'the request is over')
  })

  it('with an invalid header value sends nothing of it', async () => {
    const { raw } = await serve((_, response) => response.send(200, ['x', 'a\r\nset-cookie: evil']))
    const answer = await raw().write(`GET / HTTP/1.1\r\n${host}connection: close\r\n\r\n`).end()
    expect(answer).toMatch(/^HTTP\/1.1 500/)
    expect(answer).not.toContain('evil')
  })

  it('in the middle of a response breaks it off', async () => {
    const { origin } = await serve(async (_, response) => {
      await response.start(200).write('half')
      throw new Error('no')
    })
    const answer = client()
      .request({ origin })
      .then((response) => response.body.bytes())
    await expect(answer).rejects.toSatisfy((error) => isWireError(error, 'RESET'))
  })
})

describe('a client that goes away', () => {
  it('aborts the signal of its request', async () => {
    let signal: AbortSignal | undefined
    const errors: unknown[] = []
    const { raw, server } = await serve(
      async (request) => {
        signal = request.signal
        await new Promise((_, reject) =>
          request.signal.addEventListener('abort', () => reject(request.signal.reason as Error)),
        )
      },
      { onError: (error) => errors.push(error) },
    )
    const connection = raw().write(`GET / HTTP/1.1\r\n${host}\r\n`)
    await until(() => signal !== undefined, 'the request arrived')
    expect(signal!.aborted).toBe(false)
    connection.socket.destroy()
    await until(() => signal!.aborted && server.stats.running === 0, 'the signal aborts')
    expect(isWireError(signal!.reason, 'ABORTED')).toBe(true)
    expect(errors).toEqual([])
  })

  it('does not abort it after a complete response', async () => {
    let signal: AbortSignal | undefined
    const { origin, server } = await serve((request, response) => {
      signal = request.signal
      response.send(200, [], 'done')
    })
    const own = client()
    await (await own.request({ origin })).body.bytes()
    own.close()
    await until(() => server.stats.connections === 0, 'the connection closed')
    expect(signal!.aborted).toBe(false)
  })

  it('fails the body that is being read', async () => {
    let failure: unknown
    const { raw } = await serve(async (request) => {
      await request.body.bytes().catch((error: unknown) => (failure = error))
    })
    const connection = raw().write(`POST / HTTP/1.1\r\n${host}content-length: 10\r\n\r\nabc`)
    await until(() => connection.socket.bytesWritten > 0, 'sent')
    await new Promise((resolve) => setTimeout(resolve, 20))
    connection.socket.destroy()
    await until(() => isWireError(failure, 'RESET'), 'the body fails')
  })

  it('rejects the write that waits for it', async () => {
    let failure: unknown
    const { raw } = await serve(async (_, response) => {
      const writer = response.start(200)
      try {
        for (;;) await writer.write(new Uint8Array(1024 * 1024))
      } catch (error) {
        failure = error
      }
    })
    const connection = raw()
    connection.socket.pause()
    connection.write(`GET / HTTP/1.1\r\n${host}\r\n`)
    await until(() => connection.socket.bytesWritten > 0, 'sent')
    await new Promise((resolve) => setTimeout(resolve, 50))
    connection.socket.destroy()
    await until(() => isWireError(failure, 'ABORTED'), 'the write fails')
  })
})

describe('listening', () => {
  it('works on several addresses, one of them a Unix socket, past a stale socket file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wire-'))
    cleanup(() => rm(folder, { recursive: true }))
    const path = join(folder, 'a.socket')
    // A listener that is torn down without removing its file, as a killed process leaves it.
    const dead = createNetServer()
    await new Promise<void>((resolve) => dead.listen(path, resolve))
    await rename(path, `${path}.kept`)
    await new Promise((resolve) => dead.close(resolve))
    await rename(`${path}.kept`, path)
    const { server, origin } = await serve((_, response) => response.send(200, [], 'here'))
    expect(await server.listen({ path, mode: 0o600 })).toEqual({ path })
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(server.addresses).toHaveLength(2)
    for (const each of [origin, `unix:${path}`]) {
      expect(text(await (await client().request({ origin: each })).body.bytes())).toBe('here')
    }
    await server.close()
    await expect(stat(path)).rejects.toThrow('ENOENT')
  })

  it.runIf(hasIpv6)('on an address of IPv6, in brackets as well', async () => {
    for (const host of ['::1', '[::1]']) {
      const server = createServer({}, (_, response) => response.send(200, [], 'here'))
      cleanup(() => server.close())
      const bound = await server.listen({ host, port: 0 })
      expect(bound.host).toBe('::1')
      const answer = await client().request({ origin: `http://[::1]:${bound.port}` })
      expect(text(await answer.body.bytes())).toBe('here')
    }
  })

  it('on a taken address says so', async () => {
    const { port } = await serve((_, response) => response.send(204))
    const second = createServer({}, () => {})
    await expect(second.listen({ host: '127.0.0.1', port })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: the address is in use`,
    )
  })

  it('does not take the place of a file that is no socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wire-'))
    cleanup(() => rm(folder, { recursive: true }))
    const path = join(folder, 'precious')
    await writeFile(path, 'data')
    await expect(createServer({}, () => {}).listen({ path })).rejects.toSatisfy((error) =>
      isWireError(error, 'LISTEN'),
    )
    expect((await stat(path)).size).toBe(4)
  })

  it('refuses when no protocol is left', () => {
    expect(() => createServer({ protocols: ['h2'] }, () => {})).toThrow(
      'none of the protocols (h2) works without TLS',
    )
  })
})

describe('closing', () => {
  it('finishes what runs, closes what is idle, and takes no more', async () => {
    let finish: (() => void) | undefined
    const { server, origin, port, raw } = await serve(async (request, response) => {
      if (request.path === '/slow') await new Promise<void>((resolve) => (finish = resolve))
      response.send(200, [], 'done')
    })
    const kept = raw().write(`GET / HTTP/1.1\r\n${host}\r\n`)
    await kept.until('done')
    const silent = raw()
    const slow = client().request({ origin, path: '/slow' })
    await until(() => finish !== undefined && server.stats.connections === 3, 'three connections')
    let closed = false
    const closing = server.close().then(() => (closed = true))
    await Promise.all([kept.end(), silent.end()])
    await expect(client().request({ origin: `http://127.0.0.1:${port}` })).rejects.toSatisfy((error) =>
      isWireError(error, 'CONNECT'),
    )
    expect(closed).toBe(false)
    finish!()
    const answer = await slow
    expect(answer.fields.get('connection')).toBe('close')
    expect(text(await answer.body.bytes())).toBe('done')
    await closing
    await server.close()
    expect(server.stats).toMatchObject({ connections: 0, running: 0, requestsTotal: 2 })
    await expect(server.listen({ port: 0 })).rejects.toThrow('the server is closed')
  })

  it('cuts what is left when its signal aborts', async () => {
    let aborted = false
    const { server, raw } = await serve(async (request) => {
      await new Promise<void>((resolve) => request.signal.addEventListener('abort', () => resolve()))
      aborted = true
    })
    raw().write(`GET / HTTP/1.1\r\n${host}\r\n`)
    await until(() => server.stats.running === 1, 'the request runs')
    await server.close(AbortSignal.timeout(20))
    await until(() => aborted, 'the handler sees it')
    expect(server.stats.connections).toBe(0)
  })
})
