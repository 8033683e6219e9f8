import { connect } from 'node:net'
import { freePort, recordingLogger, virtualClock, waitFor } from '@outrigger/testkit'
import { createCertificateRequest, spiffeId, writeCertificates } from '@outrigger/security'
import { issueCertificate, readAuthority } from '@outrigger/security/authority'
import { createServer, isWireError } from '@outrigger/wire'
import { createHttp2Client } from '@outrigger/wire/http2'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ask, hour, open, passUntil, serve, startSentry, type Running } from './setup.ts'

const orders = { namespace: 'default', appId: 'orders' }
const stock = { namespace: 'default', appId: 'stock' }

/** Why a request was not answered, with all causes. */
async function failure(asked: Promise<string>): Promise<string> {
  const error: unknown = await asked.then(
    (answer) => new Error(`it was answered: ${answer}`),
    (caught: unknown) => caught,
  )
  if (!isWireError(error)) throw error
  return [error.message, (error.cause as Error | undefined)?.message].join('; ')
}

/** A certificate that the authority of this sentry would never issue. */
async function forge({ folder }: Running, id: string, notBefore: number, notAfter: number) {
  const [trustAnchors, issuerChain, issuerKey] = await Promise.all(
    ['ca.crt', 'issuer.crt', 'issuer.key'].map((name) => readFile(join(folder, name), 'utf8')),
  )
  const names = { trustAnchors: 'ca', issuerChain: 'issuer', issuerKey: 'key' }
  const authority = readAuthority(
    { trustAnchors: trustAnchors!, issuerChain: issuerChain!, issuerKey: issuerKey! },
    Date.now(),
    names,
  )
  const { publicKey, key } = createCertificateRequest()
  const [trustDomain, namespace, appId] = id.split('/') as [string, string, string]
  const options = { publicKey, id: spiffeId(trustDomain, namespace, appId), notBefore, notAfter }
  const certificate = await issueCertificate(authority, options)
  return { cert: writeCertificates([certificate, ...authority.chain]), key, ca: trustAnchors! }
}

describe('two peers', () => {
  it('know each other', async () => {
    const running = await startSentry()
    const [server, client] = await Promise.all([open(running, 'orders'), open(running, 'stock')])
    const { origin } = await serve(server)
    expect(await ask(origin, client.clientTls(orders))).toBe('spiffe://public/ns/default/stock')
    const byAddress = client.clientTls((authority) => (origin.endsWith(authority) ? orders : undefined))
    expect(await ask(origin, byAddress)).toBe('spiffe://public/ns/default/stock')
  })

  it('refuse who is not expected', async () => {
    const running = await startSentry()
    const [server, client] = await Promise.all([open(running, 'orders'), open(running, 'stock')])
    const { origin } = await serve(server)
    expect(await failure(ask(origin, client.clientTls(stock)))).toMatch(/default\/orders, not stock/)
    expect(await failure(ask(origin, client.clientTls({ ...orders, namespace: 'other' })))).toMatch(
      /not orders of/,
    )
    expect(await failure(ask(origin, client.clientTls({ ...orders, trustDomain: 'x' })))).toMatch(
      /not orders of/,
    )
    expect(
      await failure(
        ask(
          origin,
          client.clientTls(() => undefined),
        ),
      ),
    ).toMatch(/nobody is expected/)
  })

  it('refuse plaintext, and who shows no certificate', async () => {
    const running = await startSentry()
    const { origin } = await serve(await open(running, 'orders'))
    await failure(ask(origin.replace('https', 'http'), {}))
    await failure(ask(origin, { ca: await running.anchors(), verifyServer: () => undefined }))
    // Not a byte of an answer, whatever is said in plaintext.
    const socket = connect(Number(new URL(origin).port), '127.0.0.1')
    const said: Buffer[] = []
    socket.on('data', (data) => said.push(data)).on('error', () => {})
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    await new Promise((resolve) => socket.once('close', resolve))
    expect(Buffer.concat(said).toString('latin1')).not.toContain('HTTP/')
  })

  it('refuse those of a foreign authority, in both directions', async () => {
    const [ours, theirs] = await Promise.all([startSentry(), startSentry()])
    const [server, friend, stranger] = await Promise.all([
      open(ours, 'orders'),
      open(ours, 'stock'),
      open(theirs, 'stock'),
    ])
    const { origin } = await serve(server)
    expect(await ask(origin, friend.clientTls(orders))).toContain('stock')
    await failure(ask(origin, stranger.clientTls(orders)))
    // Even when it trusts us.
    await failure(ask(origin, { ...stranger.clientTls(orders), ca: await ours.anchors() }))
    const foreign = await serve(await open(theirs, 'orders'))
    expect(await failure(ask(foreign.origin, friend.clientTls(orders)))).toMatch(/certificate/)
  })

  it('refuse those of a foreign trust domain, unless they are welcome', async () => {
    const running = await startSentry()
    const [server, open2, client, stranger] = await Promise.all([
      open(running, 'orders'),
      open(running, 'orders', { trustDomains: ['elsewhere'] }),
      open(running, 'stock'),
      open(running, 'stock', { trustDomain: 'elsewhere' }),
    ])
    expect(stranger.id.uri).toBe('spiffe://elsewhere/ns/default/stock')
    const { origin } = await serve(server)
    const reckless = { ...stranger.clientTls(orders), verifyServer: () => undefined }
    expect(await ask(origin, reckless)).toMatch(/^403 .*stock is of a foreign trust domain/)
    const tolerant = await serve(open2)
    const welcome = await open(running, 'stock', { trustDomain: 'elsewhere', trustDomains: ['public'] })
    expect(await ask(tolerant.origin, welcome.clientTls(orders))).toBe(stranger.id.uri)
    const foreign = await serve(stranger)
    expect(await failure(ask(foreign.origin, client.clientTls(stock)))).toMatch(/foreign trust domain/)
  })

  it('refuse an expired certificate, and one that is not valid yet, on both sides', async () => {
    const running = await startSentry()
    const [server, client] = await Promise.all([open(running, 'orders'), open(running, 'stock')])
    const { origin } = await serve(server)
    const now = Date.now()
    const id = 'public/default/stock'
    const good = await forge(running, id, now - hour, now + hour)
    expect(await ask(origin, { ...client.clientTls(orders), ...good })).toContain('stock')
    const [expired, early] = await Promise.all([
      forge(running, id, now - 2 * hour, now - hour),
      forge(running, id, now + hour, now + 2 * hour),
    ])
    for (const wrong of [expired, early])
      await failure(ask(origin, { ...client.clientTls(orders), ...wrong }))
    const old = await forge(running, 'public/default/orders', now - 2 * hour, now - hour)
    const stale = createServer({ tls: { ...server.serverTls(), ...old }, protocols: ['h2'] }, (_, response) =>
      response.send(200),
    )
    const { port } = await stale.listen({ host: '127.0.0.1', port: 0 })
    expect(await failure(ask(`https://127.0.0.1:${port}`, client.clientTls(orders)))).toMatch(/expired/)
    await stale.close(AbortSignal.abort())
  })
})

describe('an identity', () => {
  it('is waited for while sentry is down at the start, and comes when it is there', async () => {
    const first = await startSentry()
    await first.sentry.stop()
    const port = await freePort()
    const logger = recordingLogger()
    const clock = virtualClock(Date.now())
    let opened = false
    const address = `127.0.0.1:${port}`
    const opening = open({ address, folder: first.folder }, 'orders', { clock, logger }).then((security) => {
      opened = true
      return security
    })
    await passUntil(clock, () => logger.messages('warn').length >= 3, 'three attempts')
    expect(opened).toBe(false)
    expect(logger.messages('warn')[0]).toMatch(/nothing is served before there is.*127\.0\.0\.1.*UNAVAILABLE/)
    await startSentry({ folder: first.folder, listen: { host: '127.0.0.1', port } })
    await passUntil(clock, () => opened, 'the identity')
    expect((await opening).id.uri).toBe('spiffe://public/ns/default/orders')
  })

  it('is not taken from somebody who is not sentry', async () => {
    const running = await startSentry()
    const { origin } = await serve(await open(running, 'orders'))
    const logger = recordingLogger()
    const end = new AbortController()
    const impostor = { address: new URL(origin).host, folder: running.folder }
    const opening = open(impostor, 'stock', { logger, signal: end.signal })
    const caught = expect(opening).rejects.toThrow('enough')
    await waitFor(() => logger.messages('warn').length > 0)
    expect(logger.messages('warn')[0]).toMatch(
      /default\/orders, not spiffe:\/\/localhost\/ns\/default\/dapr-sentry/,
    )
    end.abort(new Error('enough'))
    await caught
  })

  it('is not taken from a sentry that the trust anchors do not vouch for', async () => {
    const [ours, theirs] = await Promise.all([startSentry(), startSentry()])
    const logger = recordingLogger()
    const end = new AbortController()
    const opening = open({ ...theirs, folder: ours.folder }, 'stock', { logger, signal: end.signal })
    const caught = expect(opening).rejects.toThrow('enough')
    await waitFor(() => logger.messages('warn').length > 0)
    expect(logger.messages('warn')[0]).toMatch(/certificate/)
    end.abort(new Error('enough'))
    await caught
  })

  it('is refused at once for a name that nobody gets', async () => {
    const running = await startSentry()
    await expect(open(running, 'a.b')).rejects.toThrow(/INVALID_ARGUMENT: the app id has a dot/)
    await expect(open(running, 'a/b')).rejects.toThrow(/the app id "a\/b"/)
    await expect(open({ ...running, address: 'nowhere' }, 'a')).rejects.toThrow(/"nowhere".*--sentry-address/)
  })

  it('is renewed at half of its validity, with a new key; connections are made with the new one', async () => {
    // It began half a day ago, so that what is valid then is valid now.
    const clock = virtualClock(Date.now() - 13 * hour)
    const running = await startSentry({ clock })
    const [server, client] = await Promise.all([
      open(running, 'orders', { clock }),
      open(running, 'stock', { clock }),
    ])
    const { server: listener, origin } = await serve(server)
    server.onChange(() => listener.replaceTls(server.serverTls()))
    const before = server.serverTls()
    let changes = 0
    client.onChange(() => changes++)
    expect(await ask(origin, client.clientTls(orders))).toContain('stock')
    await clock.advance(10 * hour)
    expect(server.serverTls().key).toBe(before.key)
    await passUntil(
      clock,
      () => changes === 1 && server.serverTls().key !== before.key,
      'the renewal',
      60_000,
    )
    expect(server.expiresAt).toBeGreaterThan(Date.now() + 20 * hour)
    expect(await ask(origin, client.clientTls(orders))).toContain('stock')
  })

  it('stays when sentry goes away, and is renewed when it is back', async () => {
    const clock = virtualClock(Date.now() - 13 * hour)
    const first = await startSentry({ clock })
    const logger = recordingLogger()
    const [server, client] = await Promise.all([
      open(first, 'orders', { clock, logger }),
      open(first, 'stock', { clock }),
    ])
    const { port } = first.sentry.addresses.grpc
    await first.sentry.stop()
    const { origin } = await serve(server)
    const { key } = server.serverTls()
    await clock.advance(12 * hour)
    await passUntil(clock, () => server.problem !== undefined, 'a failure')
    expect(logger.messages('warn')[0]).toMatch(/could not be renewed; it is valid until .*UNAVAILABLE/)
    expect(server.serverTls().key).toBe(key)
    expect(await ask(origin, client.clientTls(orders))).toContain('stock')
    await startSentry({ clock, folder: first.folder, listen: { host: '127.0.0.1', port: port! } })
    await passUntil(
      clock,
      () => server.problem === undefined && server.serverTls().key !== key,
      'the renewal',
    )
    expect(await ask(origin, client.clientTls(orders))).toContain('stock')
  })

  it('brings tokens where sentry issues them', async () => {
    const { folder } = await startSentry()
    const running = await startSentry({
      folder,
      tokens: {
        keyFile: join(folder, 'jwt.key'),
        keySetFile: join(folder, 'jwks.json'),
        issuer: undefined,
        algorithm: 'RS256',
        keyId: undefined,
        ttlMs: hour,
      },
    })
    const security = await open(running, 'orders', { jwtAudiences: ['vault'] })
    expect(security.jwt('vault')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    expect(security.jwt('public')).toBeDefined()
    expect(security.jwt('other')).toBeUndefined()
  })
})

describe('sentry itself', () => {
  it('renews the certificate that it shows', async () => {
    const clock = virtualClock(Date.now() - 13 * hour)
    const running = await startSentry({ clock })
    const ca = await running.anchors()
    const shown = async (): Promise<string> => {
      let fingerprint = ''
      const client = createHttp2Client({
        tls: {
          ca,
          verifyServer: (certificate) => {
            fingerprint = certificate.fingerprint256
            return new Error('seen')
          },
        },
      })
      await client.request({ origin: `https://${running.address}` }).catch(() => {})
      client.close()
      return fingerprint
    }
    const before = await shown()
    expect(before).not.toBe('')
    expect(await shown()).toBe(before)
    await clock.advance(12 * hour)
    await passUntil(clock, async () => (await shown()) !== before, 'another certificate')
  })
})
