import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  createAuthority,
  issueCertificate,
  readAuthority,
  readCertificateRequest,
  type AuthorityFiles,
} from './authority.ts'
import { createCertificateRequest } from './csr.ts'
import { spiffeId, spiffeIdOf } from './spiffe.ts'

const now = Date.UTC(2026, 0, 1)
const hour = 3_600_000
const names = { trustAnchors: 'ca.crt', issuerChain: 'issuer.crt', issuerKey: 'issuer.key' }
const make = (): Promise<AuthorityFiles> =>
  createAuthority({ trustDomain: 'localhost', namespace: 'default', now, clockSkewMs: hour / 4 })

describe('an authority', () => {
  let files: AuthorityFiles
  let other: AuthorityFiles
  beforeAll(async () => {
    files = await make()
    other = await make()
  })

  it('is made of a root and an issuer, for a year', () => {
    const { anchors, chain, expiresAt } = readAuthority(files, now, names)
    expect(anchors).toHaveLength(1)
    expect(chain).toHaveLength(1)
    expect(chain[0]!.subject).toContain('O=spiffe://localhost/ns/default/dapr-sentry')
    expect(chain[0]!.checkIssued(anchors[0]!)).toBe(true)
    expect(expiresAt).toBe(now + 365 * 24 * hour)
    expect(chain[0]!.validFromDate.getTime()).toBe(now - hour / 4)
  })

  it('gives every root a name of its own', () => {
    const subject = (pem: string): string => new X509Certificate(pem).subject
    expect(subject(files.trustAnchors)).not.toBe(subject(other.trustAnchors))
  })

  it('issues a certificate for an identity that the root vouches for', async () => {
    const authority = readAuthority(files, now, names)
    const { publicKey } = createCertificateRequest()
    const id = spiffeId('public', 'default', 'orders')
    const certificate = await issueCertificate(authority, {
      publicKey,
      id,
      dnsNames: ['orders.default.svc'],
      notBefore: now - hour / 4,
      notAfter: now + 24 * hour,
    })
    expect(spiffeIdOf(certificate)).toEqual(id)
    expect(certificate.subjectAltName).toContain('DNS:orders.default.svc')
    expect(certificate.checkIssued(authority.chain[0]!)).toBe(true)
    expect(certificate.verify(authority.chain[0]!.publicKey)).toBe(true)
    expect(certificate.ca).toBe(false)
    expect(certificate.publicKey.equals(publicKey)).toBe(true)
    expect(certificate.validToDate.getTime()).toBe(now + 24 * hour)
  })

  it('issues nothing that outlives it', async () => {
    const authority = readAuthority(files, now, names)
    const { publicKey } = createCertificateRequest()
    const id = spiffeId('public', 'default', 'orders')
    const options = { publicKey, id, notBefore: now, notAfter: now + 1000 * 24 * hour }
    const certificate = await issueCertificate(authority, options)
    expect(certificate.validToDate.getTime()).toBe(authority.expiresAt)
  })

  it.each(['P-384', 'rsa', 'ed25519'])('signs with an issuer of its own kind: %s', async (kind) => {
    const pair =
      kind === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : kind === 'ed25519'
          ? generateKeyPairSync('ed25519')
          : generateKeyPairSync('ec', { namedCurve: kind })
    const authority = readAuthority(files, now, names)
    // What signs is the key alone; the chain lends its name.
    const { publicKey } = createCertificateRequest()
    const id = spiffeId('public', 'default', 'orders')
    const options = { publicKey, id, notBefore: now, notAfter: now + hour }
    const certificate = await issueCertificate({ ...authority, key: pair.privateKey }, options)
    expect(certificate.verify(pair.publicKey)).toBe(true)
  })

  it('reads several roots, of which one has signed the issuer', () => {
    const both = { ...files, trustAnchors: other.trustAnchors + files.trustAnchors }
    expect(readAuthority(both, now, names).anchors).toHaveLength(2)
  })

  it.each<[string, () => AuthorityFiles, number, RegExp]>([
    [
      'a foreign key',
      () => ({ ...files, issuerKey: other.issuerKey }),
      now,
      /issuer\.key is not that of .*issuer\.crt/,
    ],
    [
      'a foreign root',
      () => ({ ...files, trustAnchors: other.trustAnchors }),
      now,
      /none of the roots in ca\.crt/,
    ],
    [
      'an anchor that is no root',
      () => ({ ...files, trustAnchors: files.issuerChain }),
      now,
      /not self-signed/,
    ],
    ['no certificate', () => ({ ...files, issuerChain: 'nothing' }), now, /issuer\.crt has no certificate/],
    ['no key', () => ({ ...files, issuerKey: 'nothing' }), now, /issuer\.key has no private key/],
    ['an end', () => files, now + 366 * 24 * hour, /expired at 2027-01-01.*renew-certificate/],
    ['a beginning', () => files, now - hour, /is not valid before 2025-12-31/],
  ])('is refused with %s', (_, changed, at, message) => {
    expect(() => readAuthority(changed(), at, names)).toThrow(message)
  })
})

describe('a certificate request', () => {
  it('is read for its key', async () => {
    const { request, publicKey, key } = createCertificateRequest()
    expect((await readCertificateRequest(request)).equals(publicKey)).toBe(true)
    expect(createPublicKey(key).equals(publicKey)).toBe(true)
  })

  it('may be labelled as early versions did', async () => {
    const { request, publicKey } = createCertificateRequest()
    const early = request.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE')
    expect((await readCertificateRequest(early)).equals(publicKey)).toBe(true)
  })

  it('is refused when any bit of what it says was changed', async () => {
    const { request, publicKey } = createCertificateRequest()
    const der = Buffer.from(request.replace(/-----[^-]+-----/g, ''), 'base64')
    // The head of the outer sequence, then what is signed.
    const signedFrom = 3
    const signedTo = signedFrom + 2 + der[signedFrom + 1]!
    for (let bit = 0; bit < der.length * 8; bit++) {
      const changed = Buffer.from(der)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${changed.toString('base64')}\n-----END CERTIFICATE REQUEST-----`
      const key = await readCertificateRequest(pem).catch((error: Error) => error)
      const signed = bit >> 3 >= signedFrom && bit >> 3 < signedTo
      if (signed || key instanceof Error) expect(key, `bit ${bit}`).toBeInstanceOf(Error)
      // Around it there is more than one way to write the same.
      else expect(key.equals(publicKey), `bit ${bit}`).toBe(true)
    }
  })

  it.each(['', 'nothing', '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----'])(
    'is refused when it is none: %j',
    async (text) => {
      await expect(readCertificateRequest(text)).rejects.toThrow(/certificate signing request/)
    },
  )
})
