import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

// Certificates for tests (RFC 5280), made when they are needed so that none can expire and no key is stored.

/** A certificate and its key, in PEM. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

export interface Authority extends Identity {
  /** Issues a certificate for names and addresses. */
  issue(commonName: string, names?: readonly string[], addresses?: readonly string[]): Identity
}

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  const size = body.length
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}

const sequence = (...parts: Uint8Array[]): Buffer => der(0x30, ...parts)
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))
const octets = (...parts: Uint8Array[]): Buffer => der(0x04, ...parts)
const time = (text: string): Buffer => der(0x18, Buffer.from(text))
const yes = Buffer.from([0x01, 0x01, 0xff])
const signatureAlgorithm = sequence(oid('2a8648ce3d040302')) // ecdsa-with-SHA256
const commonNameOid = '550403'

const nameOf = (commonName: string): Buffer =>
  sequence(der(0x31, sequence(oid(commonNameOid), der(0x0c, Buffer.from(commonName)))))

function certificate(
  issuer: string,
  issuerKey: KeyObject,
  subject: string,
  publicKey: KeyObject,
  extensions: Buffer[],
): string {
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.from([1]), randomBytes(8)), // serial number
    signatureAlgorithm,
    nameOf(issuer),
    sequence(time('20200101000000Z'), time('99991231235959Z')),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  )
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, issuerKey))
  const base64 = sequence(body, signatureAlgorithm, signature).toString('base64').replaceAll(/.{64}/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`
}

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string
const keyId = (key: KeyObject): Buffer =>
  createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()

/** Makes an authority that signs itself. */
export function createAuthority(commonName: string): Authority {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const constraints = sequence(oid('551d13'), yes, octets(sequence(yes)))
  const identifier = sequence(oid('551d0e'), octets(octets(keyId(pair.publicKey))))
  return {
    cert: certificate(commonName, pair.privateKey, commonName, pair.publicKey, [constraints, identifier]),
    key: pemOf(pair.privateKey),
    issue(subject, names = [], addresses = []) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const alternatives = [
        ...names.map((name) => der(0x82, Buffer.from(name))),
        ...addresses.map((address) => der(0x87, Buffer.from(address.split('.').map(Number)))),
      ]
      const extensions = [
        sequence(oid('551d23'), octets(sequence(der(0x80, keyId(pair.publicKey))))),
        ...(alternatives.length === 0 ? [] : [sequence(oid('551d11'), octets(sequence(...alternatives)))]),
      ]
      return {
        cert: certificate(commonName, pair.privateKey, subject, own.publicKey, extensions),
        key: pemOf(own.privateKey),
      }
    },
  }
}
