import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

/** A key of its own for each certificate, and the request to sign it. */
export interface CertificateRequest {
  /** PKCS#8, PEM. */
  readonly key: string
  readonly publicKey: KeyObject
  /** PKCS#10, PEM. */
  readonly request: string
}

const sequence = 0x30
const bitString = 0x03
const attributes = 0xa0
const version0 = Buffer.from([0x02, 0x01, 0x00])
/** ecdsa-with-SHA256, 1.2.840.10045.4.3.2 */
const ecdsaWithSha256 = Buffer.from([0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])

/**
 * Makes a key (ECDSA, P-256) and a request that says nothing but the key: who it is for is decided by the
 * authority. Written by hand, because a library for it is worth more memory than a sidecar has to spare.
 */
export function createCertificateRequest(): CertificateRequest {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  // RFC 2986, section 4: version, subject (empty), key, attributes (none).
  const info = der(
    sequence,
    version0,
    der(sequence),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(attributes),
  )
  const signature = sign('sha256', info, privateKey)
  const request = der(
    sequence,
    info,
    der(sequence, ecdsaWithSha256),
    der(bitString, Buffer.from([0]), signature),
  )
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey,
    request: pem('CERTIFICATE REQUEST', request),
  }
}

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), content])
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
