import { X509Certificate, type KeyObject } from 'node:crypto'
import type { SpiffeId } from '../spiffe.ts'
import { serialNumber, signingKey, wholeSeconds, x509 } from './library.ts'
import type { Authority } from './read.ts'

export interface WorkloadOptions {
  readonly publicKey: KeyObject
  readonly id: SpiffeId
  /** Names beside the identity, for services that are reached by those who know nothing of identities. */
  readonly dnsNames?: readonly string[] | undefined
  /** Milliseconds since the epoch; cut off where the authority itself ends. */
  readonly notBefore: number
  readonly notAfter: number
}

/** Signs. Nothing is checked here: who may have which identity has been decided before. */
export async function issueCertificate(
  authority: Authority,
  { publicKey, id, dnsNames = [], notBefore, notAfter }: WorkloadOptions,
): Promise<X509Certificate> {
  const issuer = new x509.X509Certificate(new Uint8Array(authority.chain[0]!.raw))
  const { key, algorithm } = signingKey(authority.key, 'the key of the issuer')
  const issuerKeyId = issuer.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId
  const usages = x509.ExtendedKeyUsage
  const names: x509.JsonGeneralName[] = [
    { type: 'url', value: id.uri },
    ...dnsNames.map((value) => ({ type: 'dns', value }) as const),
  ]
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    issuer: issuer.subjectName,
    notBefore: wholeSeconds(notBefore),
    notAfter: wholeSeconds(Math.min(notAfter, authority.expiresAt)),
    publicKey: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    signingKey: key,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usages.serverAuth, usages.clientAuth]),
      // Critical, because there is no subject beside it (RFC 5280, section 4.1.2.6).
      new x509.SubjectAlternativeNameExtension(names, true),
      ...(issuerKeyId === undefined ? [] : [new x509.AuthorityKeyIdentifierExtension(issuerKeyId)]),
    ],
  })
  return new X509Certificate(Buffer.from(certificate.rawData))
}
