import { connect } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { createHttp2Client } from '../src/http2/client.ts'
import { isWireError } from '../src/index.ts'
import type { Client, ServerOptions } from '../src/index.ts'
import { selfSigned } from './http2/setup.ts'
import { cleanup, client, serve, text, until } from './setup.ts'

const both: ServerOptions = { protocols: ['http/1.1', 'h2', 'h2c'] }
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const settings = '\0\0\0\x04\0\0\0\0\0'

function http2(): Client {
  const own = createHttp2Client({ tls: { insecure: true } })
  cleanup(() => own.close())
  return own
}

async function answer(own: Client, origin: string): Promise<string> {
  return text(await (await own.request({ origin, method: 'POST', body: 'x' })).body.bytes())
}

const echo: Parameters<typeof serve>[0] = async (request, response) => {
  response.send(200, [], `${request.scheme} ${text(await request.body.bytes())}`)
}

describe('one port without TLS', () => {
  it('speaks HTTP/1.1 and HTTP/2 with prior knowledge', async () => {
    const { origin, server } = await serve(echo, both)
    expect(await answer(client(), origin)).toBe('http x')
    expect(await answer(http2(), origin)).toBe('http x')
    expect(server.stats).toMatchObject({ connections: 2, connectionsTotal: 2, requestsTotal: 2, running: 0 })
  })

  it('tells them apart whatever pieces the first bytes come in', async () => {
    const { raw } = await serve((_, response) => response.send(200, [], 'one'), both)
    const http1 = raw()
    for (const piece of ['P', 'R', 'OPFIND / HTTP/1.1\r\nhost: x\r\n\r\n']) {
      http1.write(piece)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await http1.until('one')
    const two = raw()
    for (const piece of [preface.slice(0, 3), preface.slice(3, 17), preface.slice(17) + settings]) {
      two.write(Buffer.from(piece, 'latin1'))
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    // The server's SETTINGS frame.
    await two.until('\x04\0\0\0\0\0')
    expect(two.received).not.toContain('HTTP/1.1')
  })

  it('closes a connection that says nothing, or only half', async () => {
    const { raw, server } = await serve(echo, { ...both, headerTimeoutMs: 80 })
    await Promise.all([raw().end(), raw().write('PRI * HT').end()])
    expect(server.stats.requestsTotal).toBe(0)
  })

  it('answers HTTP/2 with 400 where only HTTP/1.1 is spoken', async () => {
    const { raw } = await serve(echo)
    expect(await raw().write(preface).end()).toMatch(/^HTTP\/1.1 (400|505) /)
  })

  it('does not answer HTTP/1.1 where only HTTP/2 is spoken', async () => {
    const { origin, raw } = await serve(echo, { protocols: ['h2c'] })
    expect(await answer(http2(), origin)).toBe('http x')
    expect(await raw().write('GET / HTTP/1.1\r\nhost: x\r\n\r\n').end()).not.toContain('HTTP/1.1')
  })

  it('closes connections of both when it closes', async () => {
    const { origin, raw, server } = await serve(echo, both)
    const silent = raw()
    expect(await answer(client(), origin)).toBe('http x')
    expect(await answer(http2(), origin)).toBe('http x')
    await until(() => server.stats.connections === 3, 'three connections')
    await server.close()
    await silent.end()
    expect(server.stats.connections).toBe(0)
  })
})

const pair = selfSigned()

describe.skipIf(pair === undefined)('one port with TLS (needs openssl)', () => {
  it('speaks what was agreed on', async () => {
    const { port } = await serve(echo, { ...both, tls: pair! })
    const origin = `https://127.0.0.1:${port}`
    expect(await answer(client({ tls: { insecure: true } }), origin)).toBe('https x')
    expect(await answer(http2(), origin)).toBe('https x')
    for (const [offered, agreed] of [
      [['h2', 'http/1.1'], 'h2'],
      [['http/1.1'], 'http/1.1'],
      [undefined, false],
    ] as const) {
      const options = offered === undefined ? {} : { ALPNProtocols: [...offered] }
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
      await new Promise((resolve) => socket.once('secureConnect', resolve))
      expect(socket.alpnProtocol).toBe(agreed)
      socket.destroy()
    }
  })

  it('ends with handshakes that hang', async () => {
    const { raw, server } = await serve(echo, { ...both, tls: pair! })
    const silent = raw()
    await until(() => server.stats.connections === 1, 'the connection')
    await server.close()
    await silent.end()
  })

  it('refuses a client that insists on another protocol', async () => {
    const { port } = await serve(echo, { protocols: ['h2'], tls: pair! })
    const failed = client({ tls: { insecure: true } }).request({ origin: `https://127.0.0.1:${port}` })
    await expect(failed).rejects.toSatisfy((error) => isWireError(error))
  })
})
