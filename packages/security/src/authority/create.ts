import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { spiffeId } from '../spiffe.ts'
import { serialNumber, signingKey, wholeSeconds, x509 } from './library.ts'

/** The files of an authority, each in PEM. */
export interface AuthorityFiles {
  /** The roots: ca.crt. */
  readonly trustAnchors: string
  /** The certificate that signs, and those between it and the root: issuer.crt. */
  readonly issuerChain: string
  /** issuer.key. A secret. */
  readonly issuerKey: string
}

export interface NewAuthorityOptions {
  readonly trustDomain: string
  /** Where sentry runs. */
  readonly namespace: string
  /** Milliseconds since the epoch. */
  readonly now: number
  /** How far the certificates begin in the past. */
  readonly clockSkewMs: number
  /** Default 365 days. */
  readonly validityMs?: number | undefined
}

const defaultValidityMs = 365 * 24 * 60 * 60 * 1000

/**
 * Makes a root and an issuer that it has signed (ECDSA, P-256). The root's key is forgotten: a new issuer comes with
 * a new root, and both roots are trusted while one replaces the other. So that they are never taken for each other,
 * each has a name of its own.
 */
export async function createAuthority(options: NewAuthorityOptions): Promise<AuthorityFiles> {
  const { trustDomain, namespace, now, clockSkewMs, validityMs = defaultValidityMs } = options
  const sentry = spiffeId(trustDomain, namespace, 'dapr-sentry').uri
  const mark = randomBytes(4).toString('hex')
  const validity = { notBefore: wholeSeconds(now - clockSkewMs), notAfter: wholeSeconds(now + validityMs) }
  const root = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const rootSigning = signingKey(root.privateKey, 'the key of the root')
  const rootName = [{ O: [trustDomain] }, { CN: [`root ${mark}`] }]
  const usages = x509.KeyUsageFlags
  const rootCertificate = await x509.X509CertificateGenerator.create({
    ...validity,
    serialNumber: serialNumber(),
    subject: rootName,
    issuer: rootName,
    publicKey: spki(root.publicKey),
    signingKey: rootSigning.key,
    signingAlgorithm: rootSigning.algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(usages.digitalSignature | usages.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(spki(root.publicKey)),
    ],
  })
  const issuerCertificate = await x509.X509CertificateGenerator.create({
    ...validity,
    serialNumber: serialNumber(),
    subject: [{ O: [sentry] }, { CN: [`issuer ${mark}`] }],
    issuer: rootCertificate.subjectName,
    publicKey: spki(issuer.publicKey),
    signingKey: rootSigning.key,
    signingAlgorithm: rootSigning.algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(usages.digitalSignature | usages.keyCertSign | usages.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(spki(issuer.publicKey)),
      await x509.AuthorityKeyIdentifierExtension.create(spki(root.publicKey)),
    ],
  })
  return {
    trustAnchors: `${rootCertificate.toString('pem')}\n`,
    issuerChain: `${issuerCertificate.toString('pem')}\n`,
    issuerKey: issuer.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function spki(key: KeyObject): Uint8Array<ArrayBuffer> {
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }))
}
