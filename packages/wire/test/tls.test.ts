import { describe, expect, it } from 'vitest'
import { isWireError } from '../src/index.ts'
import { createHttp2Client } from '../src/http2/index.ts'
import { selfSigned } from './http2/setup.ts'
import { client, serve, text, until } from './setup.ts'

const pair = selfSigned()

describe.skipIf(pair === undefined)('TLS (needs openssl)', () => {
  const tls = pair!
  const secure = (port: number) => `https://127.0.0.1:${port}`

  it('carries requests over a kept connection', async () => {
    const { port, server } = await serve((request, response) => response.send(200, [], request.scheme), {
      tls,
    })
    const own = client({ tls: { ca: tls.cert, serverName: 'localhost' } })
    for (let index = 0; index < 3; index++) {
      expect(text(await (await own.request({ origin: secure(port) })).body.bytes())).toBe('https')
      await until(() => own.stats.idle === 1, 'the connection is free')
    }
    expect(server.stats.connectionsTotal).toBe(1)
  })

  it('refuses a certificate it does not trust, before anything is sent', async () => {
    const { port, server } = await serve((_, response) => response.send(204), { tls })
    const error: unknown = await client()
      .request({ origin: secure(port) })
      .catch((reason: unknown) => reason)
    expect(isWireError(error, 'CONNECT') && error.sent).toBe(false)
    expect(isWireError(error, 'CONNECT')).toBe(true)
    expect(server.stats.requestsTotal).toBe(0)
    const answer = await client({ tls: { insecure: true } }).request({ origin: secure(port) })
    expect(answer.status).toBe(204)
  })

  it.each([
    ['TLS is asked for', false],
    ['TLS is not asked for', true],
  ])('says on both sides that it is off on the other one: %s', async (_, secured) => {
    const failures: string[] = []
    const onTlsFailure = (reason: string): void => void failures.push(reason)
    const { port } = await serve((_request, response) => response.send(204), {
      protocols: ['h2', 'h2c'],
      ...(secured && { tls, onTlsFailure }),
    })
    const origin = secured ? `http://127.0.0.1:${port}` : secure(port)
    const own = createHttp2Client({ tls: { insecure: true } })
    try {
      await expect(own.request({ origin })).rejects.toThrow(
        secured ? 'it may want TLS' : 'does not speak TLS',
      )
    } finally {
      own.close()
    }
    expect(failures).toEqual(secured ? ['the other side does not speak TLS'] : [])
  })

  it('can demand a certificate from the client', async () => {
    const { port } = await serve((_, response) => response.send(204), {
      tls: { ...tls, ca: tls.cert, requireClientCert: true },
    })
    const known = { ca: tls.cert, serverName: 'localhost' }
    expect((await client({ tls: { ...known, ...tls } }).request({ origin: secure(port) })).status).toBe(204)
    await expect(client({ tls: known }).request({ origin: secure(port) })).rejects.toSatisfy((error) =>
      isWireError(error),
    )
  })

  it.each([
    ['nothing', ''],
    ['half a ClientHello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['something else', 'GET / HTTP/1.1\r\nhost: test\r\n\r\n'],
  ])('ends a connection whose client sends %s', async (_, bytes) => {
    const { raw, server } = await serve((_request, response) => response.send(200), {
      tls,
      headerTimeoutMs: 100,
    })
    const connection = raw().write(Buffer.from(bytes, 'latin1'))
    await connection.end()
    await until(() => server.stats.connections === 0, 'the server forgets it')
    expect(server.stats.requestsTotal).toBe(0)
  })
})
