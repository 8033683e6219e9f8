import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'

/** Most certificates that are read from one file or answer. */
const mostCertificates = 100

const block = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

/**
 * The certificates in a text in PEM; what stands between them is left out.
 * @param what names the text in errors
 * @throws Error when there is none, or one that cannot be read
 */
export function readCertificates(pem: string, what: string): X509Certificate[] {
  const blocks = pem.match(block) ?? []
  if (blocks.length === 0) throw new Error(`${what} has no certificate in PEM`)
  if (blocks.length > mostCertificates)
    throw new Error(`${what} has more than ${mostCertificates} certificates`)
  return blocks.map((text, index) => {
    try {
      return new X509Certificate(text)
    } catch (cause) {
      throw new Error(`certificate ${index + 1} of ${what} cannot be read`, { cause })
    }
  })
}

/** Certificates in PEM, one behind the other and nothing else. */
export function writeCertificates(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString()).join('')
}

/** @throws Error that names `what`, never the key */
export function readPrivateKey(pem: string, what: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    // What the library says may show a part of the key.
    throw new Error(`${what} has no private key in PEM that can be read`)
  }
}

/** When a certificate is valid, in milliseconds since the epoch. */
export function validityOf(certificate: X509Certificate): { notBefore: number; notAfter: number } {
  return { notBefore: certificate.validFromDate.getTime(), notAfter: certificate.validToDate.getTime() }
}

/** Whether a certificate has signed itself. */
export function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey)
}
