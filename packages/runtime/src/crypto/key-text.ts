import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'

/**
 * A key to be wrapped, in the form in which it is wrapped: symmetric keys as their bytes, others in DER (PKCS #8 or
 * SubjectPublicKeyInfo). It may come as a JSON Web Key, as PEM, or as a symmetric key in base64 or as bytes; its beginning
 * decides, and what has just 16, 24 or 32 bytes is symmetric.
 * @returns undefined where it begins like JSON or PEM and is none
 */
export function serializeKey(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length === 0) return undefined
  const text = Buffer.from(bytes).toString('latin1')
  const keySized = bytes.length === 16 || bytes.length === 24 || bytes.length === 32
  try {
    if (text.startsWith('{') && !keySized)
      return ofJwk(JSON.parse(Buffer.from(bytes).toString()) as JsonWebKey)
    if (text.startsWith('-----') && text.length > 10)
      return der(text.includes('PRIVATE KEY') ? createPrivateKey(text) : createPublicKey(text))
  } catch {
    return undefined
  }
  const compact = text.replace(/[\n=]+$/, '').replaceAll(/[\r\n]/g, '')
  if (compact.length % 4 === 1) return bytes
  if (/^[A-Za-z0-9+/]*$/.test(compact)) return Buffer.from(compact, 'base64')
  return /^[A-Za-z0-9_-]*$/.test(compact) ? Buffer.from(compact, 'base64url') : bytes
}

function ofJwk(jwk: JsonWebKey): Uint8Array | undefined {
  if (jwk.kty === 'oct') {
    const right = typeof jwk.k === 'string' && /^[A-Za-z0-9_-]+$/.test(jwk.k)
    return right ? Buffer.from(jwk.k!, 'base64url') : undefined
  }
  const key = { key: jwk, format: 'jwk' } as const
  return der(jwk.d === undefined ? createPublicKey(key) : createPrivateKey(key))
}

function der(key: KeyObject): Uint8Array {
  return key.export({
    type: key.type === 'private' ? 'pkcs8' : 'spki',
    format: 'der',
  } as never) as unknown as Buffer
}

/** A public key as PEM (SubjectPublicKeyInfo). */
export function publicKeyPem(jwk: Readonly<Record<string, unknown>>): string {
  return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  }) as string
}
