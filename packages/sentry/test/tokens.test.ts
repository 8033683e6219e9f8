import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSentry, type JwksOptions } from '../src/index.ts'
import { systemClock, systemRandom } from '@outrigger/host'
import { freePort, recordingLogger, virtualClock, waitFor } from '@outrigger/testkit'
import { createAuthority, issueCertificate, readAuthority } from '@outrigger/security/authority'
import { createCertificateRequest, spiffeId, writeCertificates } from '@outrigger/security'
import { SignCertificateRequest_TokenValidator as Kind } from '@outrigger/proto/sentry'
import { createServer, type Server } from '@outrigger/wire'
import { exportJWK, SignJWT, type JWK } from 'jose'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { caller, goodRequest, hour, open, optionsIn, passUntil, refusal, startSentry, temp } from './setup.ts'

interface Key {
  readonly key: KeyObject
  readonly jwk: JWK
}

const audience = 'spiffe://localhost/ns/default/dapr-sentry'
const subject = 'spiffe://public/ns/default/orders'

async function makeKey(kid: string): Promise<Key> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid } }
}

function token({ key, jwk }: Key, claims: object = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ sub: subject, aud: audience, exp: now + 3600, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: jwk.kid! })
    .sign(key)
}

const jwks = (source: string, own: Partial<JwksOptions> = {}): JwksOptions => ({
  source,
  caCertificate: undefined,
  minRefreshIntervalMs: 1_000,
  requestTimeoutMs: 5_000,
  ...own,
})

const setOf = (...keys: readonly Key[]): string => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) })

describe('a token', () => {
  let one: Key
  let two: Key
  beforeAll(async () => {
    one = await makeKey('one')
    two = await makeKey('two')
  })

  it('decides who gets which identity', async () => {
    const running = await startSentry({ jwks: jwks(setOf(one)) })
    const { signCertificate } = await caller(running)
    const ask = (text: string, more: object = {}) =>
      signCertificate({ ...goodRequest(), token: text, tokenValidator: 3, ...more })
    await ask(await token(one))
    const now = Math.floor(Date.now() / 1000)
    const old = await token(one, { exp: now - 3600 })
    const refusals: [() => Promise<unknown>, RegExp][] = [
      [async () => ask(''), /^PERMISSION_DENIED: the request has no token/],
      [async () => ask(old), /^PERMISSION_DENIED: .*it has expired/],
      [async () => ask(await token(one, { aud: 'vault' })), /^PERMISSION_DENIED: .*another audience/],
      [async () => ask(await token(two)), /^PERMISSION_DENIED: .*key that is not known/],
      [
        async () => ask(await token(one), { id: 'stock' }),
        /^PERMISSION_DENIED: .*its subject is not the identity/,
      ],
      [async () => ask(await token(one), { namespace: 'other' }), /^PERMISSION_DENIED: .*its subject/],
      [async () => ask(await token(one), { trustDomain: 'elsewhere' }), /^PERMISSION_DENIED: .*its subject/],
      [
        async () => ask(await token(one), { tokenValidator: 1 }),
        /^INVALID_ARGUMENT: .*not enabled; there is jwks/,
      ],
      [
        async () => ask(await token(one), { tokenValidator: 0 }),
        /^INVALID_ARGUMENT: the request must say how/,
      ],
    ]
    for (const [call, message] of refusals) expect(await refusal(call())).toMatch(message)
    expect(running.logger.messages('warn')).toHaveLength(refusals.length)
    expect(JSON.stringify(running.logger.records)).not.toContain(old.slice(20, 60))
    // Another trust domain is possible where the token says so.
    const elsewhere = await token(one, { sub: 'spiffe://elsewhere/ns/default/orders' })
    await ask(elsewhere, { trustDomain: 'elsewhere' })
  })

  it('is read by a sidecar from its file, anew for each renewal', async () => {
    const clock = virtualClock(Date.now())
    const folder = await temp()
    const [keys, tokenFile] = [join(folder, 'keys.json'), join(folder, 'token')]
    await writeFile(keys, setOf(one))
    await writeFile(tokenFile, await token(one))
    const running = await startSentry({
      clock,
      jwks: jwks(keys),
      allowedClockSkewMs: 24 * hour,
      workloadCertTtlMs: hour,
    })
    const logger = recordingLogger()
    const security = await open(running, 'orders', { tokenFile, clock, logger })
    expect(security.id.uri).toBe(subject)
    // Whoever issues tokens has a new key now, and sentry has been told.
    await writeFile(keys, setOf(two))
    await passUntil(clock, () => security.problem !== undefined, 'a refusal of the old token')
    expect(security.problem).toMatch(/PERMISSION_DENIED: .*key that is not known/)
    await writeFile(tokenFile, await token(two, { exp: Math.floor(clock.now() / 1000) + 86_400 }))
    await passUntil(clock, () => security.problem === undefined, 'a renewal with the new token')
    expect(JSON.stringify(logger.records)).not.toContain((await readFile(tokenFile, 'utf8')).slice(20, 60))
    await expect(open(running, 'stock', { tokenFile, clock })).rejects.toThrow(
      /its subject is not the identity/,
    )
  })

  it('is checked with keys from a URL, which are fetched again when one is missing', async () => {
    const now = Date.now()
    const made = await createAuthority({ trustDomain: 'issuer', namespace: 'x', now, clockSkewMs: hour })
    const names = { trustAnchors: 'a', issuerChain: 'b', issuerKey: 'c' }
    const authority = readAuthority(made, now, names)
    const { publicKey, key } = createCertificateRequest()
    const certificate = await issueCertificate(authority, {
      publicKey,
      id: spiffeId('issuer', 'x', 'issuer'),
      dnsNames: ['localhost'],
      notBefore: now - hour,
      notAfter: now + hour,
    })
    const tls = { cert: writeCertificates([certificate, ...authority.chain]), key }
    let text = setOf(one)
    let asked = 0
    const issuer = createServer({ tls }, (request, response) => {
      asked++
      response.send(request.path === '/keys' ? 200 : 404, [], text)
    })
    const { port } = await issuer.listen({ host: 'localhost', port: 0 })
    onTestFinished(() => issuer.close(AbortSignal.abort()))
    const clock = virtualClock(now)
    const source = `https://localhost:${port}/keys`
    const minRefreshIntervalMs = hour / 6
    const running = await startSentry({
      clock,
      jwks: jwks(source, { caCertificate: made.trustAnchors, minRefreshIntervalMs }),
    })
    const { signCertificate } = await caller(running)
    const ask = async (signer: Key) =>
      signCertificate({ ...goodRequest(), token: await token(signer), tokenValidator: Kind.JWKS })
    await ask(one)
    expect(asked).toBe(1)
    text = setOf(one, two)
    // Not that soon again.
    expect(await refusal(ask(two))).toMatch(/key that is not known/)
    expect(asked).toBe(1)
    await clock.advance(minRefreshIntervalMs - 1)
    expect(asked).toBe(1)
    await clock.advance(1)
    await waitFor(() => ask(two))
    expect(asked).toBe(2)
    // What is no set any more changes nothing.
    text = 'broken'
    await clock.advance(minRefreshIntervalMs)
    await waitFor(() => running.logger.messages('error').some((line) => line.includes('not JSON')))
    await ask(two)
  })

  it('cannot be checked before the keys have come, and sentry is not ready', async () => {
    const port = await freePort()
    const clock = virtualClock(Date.now())
    const running = await startSentry({ clock, jwks: jwks(`http://127.0.0.1:${port}/`) })
    const { signCertificate } = await caller(running)
    const request = { ...goodRequest(), token: await token(one), tokenValidator: Kind.JWKS }
    expect(running.sentry.health.unready()).toEqual(['sentry-jwks-validator'])
    expect(await refusal(signCertificate(request))).toMatch(/^UNAVAILABLE: /)
    const issuer: Server = createServer({}, (_, response) => response.send(200, [], setOf(one)))
    await issuer.listen({ host: '127.0.0.1', port })
    onTestFinished(() => issuer.close(AbortSignal.abort()))
    await passUntil(clock, () => running.sentry.health.isReady(), 'the keys')
    await signCertificate(request)
  })

  it('needs keys that can be read', async () => {
    const folder = await temp()
    const context = { clock: systemClock, random: systemRandom, logger: recordingLogger() }
    const broken = join(folder, 'keys.json')
    await writeFile(broken, '{}')
    for (const [source, message] of [
      ['nothing of all that', /cannot be read: it is not JSON/],
      [broken, /keys\.json is no set of keys/],
      ['{"keys": "none"}', /is no set of keys/],
    ] as const) {
      const sentry = createSentry(optionsIn(folder, { jwks: jwks(source) }), context)
      await expect(sentry.start()).rejects.toThrow(message)
    }
    const encoded = Buffer.from(setOf(one)).toString('base64')
    const running = await startSentry({ jwks: jwks(encoded) })
    const { signCertificate } = await caller(running)
    await signCertificate({ ...goodRequest(), token: await token(one), tokenValidator: Kind.JWKS })
  })
})
