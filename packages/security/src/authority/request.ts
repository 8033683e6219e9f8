import { createPublicKey, type KeyObject } from 'node:crypto'
import { isStrong, x509 } from './library.ts'

// Before 1.12, daprd labelled its requests CERTIFICATE.
const block = /-----BEGIN (CERTIFICATE REQUEST|CERTIFICATE)-----([A-Za-z0-9+/=\s]+)-----END \1-----/

/**
 * The key that a certificate is asked for. Whatever else the request says does not count: who the key belongs to
 * has been decided before.
 * @param pem PKCS#10 in PEM
 * @throws Error with what is wrong with the request: not readable, not signed by its own key, too weak a key
 */
export async function readCertificateRequest(pem: string): Promise<KeyObject> {
  const match = block.exec(pem)
  if (match === null) throw new Error('the certificate signing request is not in PEM')
  let request: x509.Pkcs10CertificateRequest
  let key: KeyObject
  try {
    request = new x509.Pkcs10CertificateRequest(new Uint8Array(Buffer.from(match[2]!, 'base64')))
    key = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' })
  } catch (cause) {
    throw new Error('the certificate signing request cannot be read', { cause })
  }
  if (!isStrong(key)) {
    throw new Error(
      'the key of the certificate signing request is not ECDSA, Ed25519 or RSA of at least 2048 bits',
    )
  }
  // A library that cannot check a signature throws; either way it is none.
  if (!(await request.verify().catch(() => false))) {
    throw new Error('the signature of the certificate signing request is invalid')
  }
  return key
}
