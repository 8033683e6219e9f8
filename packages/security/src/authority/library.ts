import { randomBytes, type KeyObject, type webcrypto } from 'node:crypto'
// The library resolves its parts at run time, by metadata of classes.
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

export { x509 }

/** A serial number: positive, of up to 16 random bytes (RFC 5280, section 4.1.2.2). */
export function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes.toString('hex')
}

/** Certificates count whole seconds. */
export function wholeSeconds(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000)
}

type Curve = 'P-256' | 'P-384' | 'P-521'

const curves: Readonly<Record<string, Curve>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
}
const hashes: Readonly<Record<Curve, string>> = { 'P-256': 'SHA-256', 'P-384': 'SHA-384', 'P-521': 'SHA-512' }

/** A private key as the library signs with it. */
export interface SigningKey {
  readonly key: webcrypto.CryptoKey
  readonly algorithm: webcrypto.EcdsaParams
}

/** @throws Error for a kind of key that nothing can be signed with */
export function signingKey(key: KeyObject, what: string): SigningKey {
  const make = (algorithm: object, hash: string): SigningKey => ({
    key: key.toCryptoKey(algorithm as never, false, ['sign']),
    algorithm: { ...algorithm, hash } as webcrypto.EcdsaParams,
  })
  switch (key.asymmetricKeyType) {
    case 'ec': {
      const curve = curves[key.asymmetricKeyDetails?.namedCurve ?? '']
      if (curve !== undefined) return make({ name: 'ECDSA', namedCurve: curve }, hashes[curve])
      break
    }
    case 'rsa':
      return make({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, 'SHA-256')
    case 'ed25519':
      return make({ name: 'Ed25519' }, 'SHA-512')
    default:
  }
  throw new Error(`${what} is of a kind that cannot sign: use ECDSA (P-256, P-384, P-521), Ed25519 or RSA`)
}

/** Whether a certificate may be issued for a key of this kind and strength. */
export function isStrong(key: KeyObject): boolean {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'ec') return (details?.namedCurve ?? '') in curves
  return type === 'ed25519' || (type === 'rsa' && (details?.modulusLength ?? 0) >= 2048)
}
