import { writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { createForTest } from '@outrigger/conformance'
import { fromUtf8 } from '@outrigger/kit'
import type { Metadata } from '@outrigger/spec'
import { tempFolder, virtualClock, waitFor } from '@outrigger/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import definition from '../src/index.ts'
import { createAuthority } from './certificates.ts'
import { serve } from './servers.ts'

const authority = createAuthority('outrigger test authority')
const stranger = createAuthority('stranger')
const server = authority.issue('server', ['localhost'], ['127.0.0.1'])
const client = authority.issue('client')

const start = (requestCert = false): Promise<string> =>
  serve(
    (request, response) => {
      const peer = (request.socket as TLSSocket).getPeerCertificate()
      response.end(`hello ${(peer.subject as { CN?: string } | undefined)?.CN ?? 'nobody'}`)
    },
    { key: server.key, cert: server.cert, ca: authority.cert, requestCert, rejectUnauthorized: requestCert },
  )

async function get(properties: Metadata, baseDirectory?: string): Promise<string> {
  const binding = await createForTest(definition, { properties, baseDirectory })
  onTestFinished(() => binding.close())
  const { data } = await binding.invoke!({ operation: 'get', data: new Uint8Array(), metadata: {} }, {})
  return fromUtf8(data as Uint8Array)
}

describe('https', () => {
  test('trusts the given authority, and no server without it', async () => {
    const url = await start()
    expect(await get({ url, MTLSRootCA: authority.cert })).toBe('hello nobody')
    const refused = {
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining(`${url} failed (`) as string,
    }
    await expect(get({ url })).rejects.toMatchObject(refused)
    await expect(get({ url, MTLSRootCA: stranger.cert })).rejects.toMatchObject(refused)
  })

  test('checks the name of the server', async () => {
    const url = await start()
    expect(await get({ url: url.replace('127.0.0.1', 'localhost'), MTLSRootCA: authority.cert })).toBe(
      'hello nobody',
    )
    const other = authority.issue('other', ['other.example'])
    const wrong = await serve((_request, response) => void response.end(), {
      key: other.key,
      cert: other.cert,
    })
    await expect(get({ url: wrong, MTLSRootCA: authority.cert })).rejects.toMatchObject({
      message: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID') as string,
    })
  })

  test('shows its own certificate, given as text or as files', async () => {
    const url = await start(true)
    const text = { MTLSRootCA: authority.cert, MTLSClientCert: client.cert, MTLSClientKey: client.key }
    expect(await get({ url, ...text })).toBe('hello client')
    await expect(get({ url, MTLSRootCA: authority.cert })).rejects.toThrow('failed')

    const folder = await tempFolder()
    onTestFinished(folder.remove)
    const files = {
      MTLSRootCA: 'ca.pem',
      MTLSClientCert: 'client.pem',
      MTLSClientKey: join(folder.path, 'client.key'),
    }
    await writeFile(join(folder.path, 'ca.pem'), authority.cert)
    await writeFile(join(folder.path, 'client.pem'), client.cert)
    await writeFile(join(folder.path, 'client.key'), client.key)
    expect(await get({ url, ...files }, folder.path)).toBe('hello client')
  })

  test.each([
    ['RenegotiateOnceAsClient', true],
    ['renegotiatefreelyasclient', true],
    ['RenegotiateNever', false],
    ['', false],
  ])('lets the server renegotiate with MTLSRenegotiation %j: %s', async (value, allowed) => {
    const url = await serve(
      (request, response) => {
        const socket = request.socket as TLSSocket
        socket.on('error', () => {})
        socket.renegotiate({ rejectUnauthorized: false }, () => response.end('renegotiated'))
      },
      { key: server.key, cert: server.cert, maxVersion: 'TLSv1.2' },
    )
    const outcome = get({ url, MTLSRootCA: authority.cert, MTLSRenegotiation: value })
    if (allowed) expect(await outcome).toBe('renegotiated')
    else
      await expect(outcome).rejects.toMatchObject({
        message: expect.stringContaining(`${url} failed`) as string,
      })
  })

  test('gives up a server that does not finish the handshake', async () => {
    const silent = createServer((socket) => void socket.on('error', () => {}))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void silent.close())
    const clock = virtualClock()
    const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const binding = await createForTest(definition, { properties: { url }, clock })
    onTestFinished(() => binding.close())
    const outcome = binding.invoke!({ operation: 'get', data: new Uint8Array(), metadata: {} }, {})
    const failure = expect(outcome).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('ETIMEDOUT') as string,
    })
    await waitFor(() => clock.pending === 1)
    await clock.advance(14_999)
    expect(clock.pending).toBe(1)
    await clock.advance(1)
    await failure
  })

  test.each<[string, Metadata, string]>([
    ['a key alone', { MTLSClientKey: client.key }, 'MTLSClientCert is missing'],
    ['a certificate alone', { MTLSClientCert: client.cert }, 'MTLSClientKey is missing'],
    [
      'a key of another certificate',
      { MTLSClientCert: client.cert, MTLSClientKey: server.key },
      'MTLSClientKey is not',
    ],
    [
      'a file that is not there',
      { MTLSRootCA: '/nowhere/hidden.pem' },
      'MTLSRootCA is neither PEM text nor the path of a file',
    ],
    ['an authority that is a key', { MTLSRootCA: client.key }, 'MTLSRootCA holds no certificate'],
    [
      'a key that is a certificate',
      { MTLSClientCert: client.cert, MTLSClientKey: client.cert },
      'MTLSClientKey is not',
    ],
    [
      'a key that is damaged',
      { MTLSClientCert: client.cert, MTLSClientKey: client.key.slice(28) },
      'MTLSClientKey is neither',
    ],
  ])('refuses %s', async (_title, properties, message) => {
    const error: unknown = await get({ url: 'https://127.0.0.1:1', ...properties }).catch(
      (caught: unknown) => caught,
    )
    expect(error).toMatchObject({
      code: 'INVALID_METADATA',
      message: expect.stringContaining(message) as string,
    })
    expect(String(error)).not.toContain(client.key.slice(40, 80))
  })

  test('refuses a renegotiation that is none', async () => {
    await expect(get({ url: 'https://127.0.0.1:1', MTLSRenegotiation: 'sometimes' })).rejects.toThrow(
      'MTLSRenegotiation must be one of',
    )
  })
})
