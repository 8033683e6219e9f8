import type { KeyObject, X509Certificate } from 'node:crypto'
import { isSelfSigned, readCertificates, readPrivateKey, validityOf } from '../certificates.ts'
import type { AuthorityFiles } from './create.ts'

/** An authority that can sign. */
export interface Authority {
  readonly anchors: readonly X509Certificate[]
  /** The issuer first, then what is between it and a root; no root. */
  readonly chain: readonly X509Certificate[]
  readonly key: KeyObject
  /** Until when it can sign, in milliseconds since the epoch: the earliest end in its chain. */
  readonly expiresAt: number
}

/** Longest chain from an issuer to its root. */
const longestChain = 10

/**
 * Reads the files of an authority and checks that they belong together.
 * @param now milliseconds since the epoch
 * @param names what the files are called, for errors
 * @throws Error that names the file and what is wrong with it, never the key
 */
export function readAuthority(
  files: AuthorityFiles,
  now: number,
  names: { readonly [K in keyof AuthorityFiles]: string },
): Authority {
  const anchors = readCertificates(files.trustAnchors, names.trustAnchors)
  const stranger = anchors.findIndex((anchor) => !isSelfSigned(anchor))
  if (stranger >= 0) {
    throw new Error(
      `certificate ${stranger + 1} of ${names.trustAnchors} is not self-signed: trust anchors are roots`,
    )
  }
  const chain = readCertificates(files.issuerChain, names.issuerChain)
  // Roots are not sent along: who verifies has them.
  if (chain.length > 1 && isSelfSigned(chain.at(-1)!)) chain.pop()
  const issuer = chain[0]!
  if (!issuer.ca) {
    throw new Error(
      `the certificate in ${names.issuerChain} must not sign others: it is not one of an authority`,
    )
  }
  const key = readPrivateKey(files.issuerKey, names.issuerKey)
  if (!issuer.checkPrivateKey(key)) {
    throw new Error(`the key in ${names.issuerKey} is not that of the certificate in ${names.issuerChain}`)
  }
  const root = rootOf(chain, anchors, names)
  const lasts = [...chain, root].map((certificate) => validityOf(certificate))
  const expiresAt = Math.min(...lasts.map(({ notAfter }) => notAfter))
  const beginsAt = Math.max(...lasts.map(({ notBefore }) => notBefore))
  if (now >= expiresAt || now < beginsAt) {
    const when = now >= expiresAt ? `expired at ${iso(expiresAt)}` : `is not valid before ${iso(beginsAt)}`
    throw new Error(
      `the issuer in ${names.issuerChain} or a certificate above it ${when}: renew it with "outrigger mtls renew-certificate"`,
    )
  }
  return { anchors, chain, key, expiresAt }
}

/** The anchor at the end of the chain. */
function rootOf(
  chain: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  names: { readonly [K in keyof AuthorityFiles]: string },
): X509Certificate {
  if (chain.length > longestChain)
    throw new Error(`${names.issuerChain} has more than ${longestChain} certificates`)
  for (const [index, certificate] of chain.entries()) {
    const above = chain[index + 1]
    if (above !== undefined && !signedBy(certificate, above)) {
      throw new Error(`certificate ${index + 1} of ${names.issuerChain} was not issued by the next one`)
    }
  }
  const last = chain.at(-1)!
  const root = anchors.find((anchor) => signedBy(last, anchor))
  if (root === undefined) {
    throw new Error(
      `the certificate in ${names.issuerChain} was issued by none of the roots in ${names.trustAnchors}`,
    )
  }
  return root
}

function signedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
