import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { timestampMs } from '@outrigger/proto/wkt'
import { createCertificateRequest, readCertificates, spiffeIdOf } from '@outrigger/security'
import { createAuthority } from '@outrigger/security/authority'
import { systemClock, systemRandom } from '@outrigger/host'
import { recordingLogger } from '@outrigger/testkit'
import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { createSentry } from '../src/index.ts'
import { caller, goodRequest, hour, optionsIn, refusal, startSentry, temp } from './setup.ts'

const openssl = (...args: string[]): string => execFileSync('openssl', args, { stdio: 'pipe' }).toString()
const hasOpenssl = ((): boolean => {
  try {
    return openssl('version') !== ''
  } catch {
    return false
  }
})()

describe('a certificate', () => {
  it('is signed for the identity that is asked for', async () => {
    const running = await startSentry()
    const { signCertificate } = await caller(running)
    const request = goodRequest()
    const answer = await signCertificate(request)
    const [leaf, issuer, ...more] = readCertificates(Buffer.from(answer.workloadCertificate).toString(), 'it')
    expect(spiffeIdOf(leaf!)?.uri).toBe('spiffe://public/ns/default/orders')
    expect(more).toEqual([])
    expect(leaf!.checkIssued(issuer!)).toBe(true)
    expect(timestampMs(answer.validUntil!)).toBe(leaf!.validToDate.getTime())
    expect(leaf!.validToDate.getTime() - leaf!.validFromDate.getTime()).toBe(24.25 * hour)
    expect(Buffer.from(answer.trustChainCertificates[0]!).toString()).toBe(await running.anchors())
    expect(answer.jwt).toBeUndefined()
    expect(answer.perAudienceJwts).toEqual({})
  })

  it.skipIf(!hasOpenssl)('satisfies openssl, strictly', async () => {
    const running = await startSentry()
    const { signCertificate } = await caller(running)
    const { workloadCertificate } = await signCertificate(goodRequest())
    const folder = await temp()
    const file = join(folder, 'chain.pem')
    await writeFile(file, workloadCertificate)
    const root = join(running.folder, 'ca.crt')
    for (const purpose of ['sslserver', 'sslclient']) {
      const options = ['-x509_strict', '-purpose', purpose, '-CAfile', root, '-untrusted', file, file]
      expect(openssl('verify', ...options)).toContain('OK')
    }
    const text = openssl('x509', '-in', file, '-noout', '-text')
    expect(text).toContain('Signature Algorithm: ecdsa-with-SHA256')
    expect(text).toMatch(/Alternative Name: critical\s+URI:spiffe:\/\/public\/ns\/default\/orders/)
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/)
    expect(text).toContain('TLS Web Server Authentication, TLS Web Client Authentication')
    expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE/)
  })

  it.each([
    ['ed25519', () => generateKeyPairSync('ed25519')],
    ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ] as const)('may be for a key of another kind: %s', async (kind, make) => {
    // Newer versions of Dapr bring keys of this kind.
    if (!hasOpenssl) return
    const folder = await temp()
    const key = join(folder, 'key.pem')
    await writeFile(key, make().privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const csr = openssl('req', '-new', '-key', key, '-subj', '/')
    const { signCertificate } = await caller(await startSentry())
    const answer = await signCertificate({ ...goodRequest(), certificateSigningRequest: Buffer.from(csr) })
    const [leaf] = readCertificates(Buffer.from(answer.workloadCertificate).toString(), 'it')
    expect(leaf!.publicKey.asymmetricKeyType).toBe(kind.toLowerCase())
  })

  it('comes with tokens of the same identity where they are issued', async () => {
    const folder = await temp()
    const running = await startSentry({
      folder,
      tokens: {
        keyFile: join(folder, 'jwt.key'),
        keySetFile: join(folder, 'jwks.json'),
        issuer: 'https://issuer.example',
        algorithm: 'RS256',
        keyId: undefined,
        ttlMs: hour,
      },
    })
    const { signCertificate } = await caller(running)
    const { jwt, perAudienceJwts } = await signCertificate({
      ...goodRequest(),
      jwtAudiences: ['vault', 'vault'],
    })
    const { keys } = JSON.parse(await readFile(join(folder, 'jwks.json'), 'utf8'))
    expect(keys).toHaveLength(1)
    expect(keys[0]).not.toHaveProperty('d')
    const key = await importJWK(keys[0])
    const verify = async (token: string, audience: string) =>
      (await jwtVerify(token, key, { audience, issuer: 'https://issuer.example' })).payload
    const payload = await verify(jwt!, 'vault')
    expect(payload).toMatchObject({
      sub: 'spiffe://public/ns/default/orders',
      aud: ['public', 'vault'],
      use: 'sig',
    })
    expect(payload.exp! - payload.iat!).toBe(3600)
    expect(payload.iat! - payload.nbf!).toBe(900)
    expect(decodeProtectedHeader(jwt!)).toEqual({ alg: 'RS256', kid: keys[0].kid, typ: 'JWT' })
    expect(Object.keys(perAudienceJwts).sort()).toEqual(['public', 'vault'])
    expect((await verify(perAudienceJwts['vault']!.value, 'vault')).aud).toEqual(['vault'])
    expect((await stat(join(folder, 'jwt.key'))).mode & 0o777).toBe(0o600)
  })
})

describe('a request is refused', () => {
  const tampered = (): Buffer => {
    const { request } = createCertificateRequest()
    const der = Buffer.from(request.replace(/-----[^-]+-----/g, ''), 'base64')
    // A bit of the key that is to be signed.
    der[60]! ^= 1
    return Buffer.from(
      `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`,
    )
  }
  it.each<[string, object, RegExp]>([
    [
      'tampered with',
      { certificateSigningRequest: tampered() },
      /^INVALID_ARGUMENT: .*certificate signing request/,
    ],
    ['without a key', { certificateSigningRequest: Buffer.from('') }, /^INVALID_ARGUMENT: .*not in PEM/],
    ['far too long', { certificateSigningRequest: Buffer.alloc(70_000) }, /^INVALID_ARGUMENT: .*longer than/],
    ['larger than any', { certificateSigningRequest: Buffer.alloc(300_000) }, /^RESOURCE_EXHAUSTED/],
    ['of a wrong trust domain', { trustDomain: 'No Domain' }, /^INVALID_ARGUMENT: .*trust domain/],
    ['of sentry', { trustDomain: 'localhost', id: 'dapr-sentry' }, /^PERMISSION_DENIED: .*given to nobody/],
    ['with a long name', { id: 'a'.repeat(65) }, /^INVALID_ARGUMENT: .*longer than 64/],
    [
      'checked by whom there is not',
      { tokenValidator: 3, token: 'very-secret' },
      /^INVALID_ARGUMENT: .*there is insecure/,
    ],
    ['checked by whom nobody knows', { tokenValidator: 99 }, /^INVALID_ARGUMENT: .*there is insecure/],
  ])('%s', async (_, change, message) => {
    const running = await startSentry()
    const { signCertificate } = await caller(running)
    expect(await refusal(signCertificate({ ...goodRequest(), ...change }))).toMatch(message)
    const lines = running.logger.messages('warn')
    // What is too large for a message does not get so far.
    expect(lines).toHaveLength(message.source.includes('EXHAUSTED') ? 0 : 1)
    expect(JSON.stringify(running.logger.records)).not.toContain('very-secret')
    // And it goes on signing.
    await signCertificate(goodRequest())
  })

  it.skipIf(!hasOpenssl)('for a weak key', async () => {
    const folder = await temp()
    const key = join(folder, 'key.pem')
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const csr = openssl('req', '-new', '-key', key, '-subj', '/')
    const { signCertificate } = await caller(await startSentry())
    const request = { ...goodRequest(), certificateSigningRequest: Buffer.from(csr) }
    expect(await refusal(signCertificate(request))).toMatch(/^INVALID_ARGUMENT: .*at least 2048/)
  })
})

describe('the files of the authority', () => {
  it('are made when there are none, for their owner alone, and used again', async () => {
    const folder = join(await temp(), 'made', 'here')
    const first = await startSentry({ folder })
    for (const name of ['ca.crt', 'issuer.crt', 'issuer.key']) {
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
    }
    const anchors = await first.anchors()
    const second = await startSentry({ folder })
    expect(await second.anchors()).toBe(anchors)
  })

  it('may be those of another', async () => {
    const folder = await temp()
    const now = Date.now()
    const made = await createAuthority({ trustDomain: 'other', namespace: 'x', now, clockSkewMs: 0 })
    await writeFile(join(folder, 'ca.crt'), `a comment\n${made.trustAnchors}`)
    await writeFile(join(folder, 'issuer.crt'), made.issuerChain + made.trustAnchors)
    await writeFile(join(folder, 'issuer.key'), made.issuerKey)
    const { signCertificate } = await caller(await startSentry({ folder }))
    const answer = await signCertificate(goodRequest())
    // The root is not sent along.
    expect(readCertificates(Buffer.from(answer.workloadCertificate).toString(), 'it')).toHaveLength(2)
    expect(Buffer.from(answer.trustChainCertificates[0]!).toString()).toBe(made.trustAnchors)
  })

  it.each([['ca.crt'], ['issuer.crt'], ['issuer.key']])('must all be there: %s', async (missing) => {
    const folder = await temp()
    const running = await startSentry({ folder })
    await running.sentry.stop()
    const others = ['ca.crt', 'issuer.crt', 'issuer.key'].filter((name) => name !== missing)
    const before = await Promise.all(others.map((name) => readFile(join(folder, name), 'utf8')))
    await rm(join(folder, missing))
    const context = { clock: systemClock, random: systemRandom, logger: recordingLogger() }
    const sentry = createSentry(optionsIn(folder), context)
    await expect(sentry.start()).rejects.toThrow(`the authority lacks ${join(folder, missing)}`)
    expect(await Promise.all(others.map((name) => readFile(join(folder, name), 'utf8')))).toEqual(before)
  })
})
