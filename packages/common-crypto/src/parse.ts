import { createPrivateKey, createPublicKey } from 'node:crypto'
import { badKey, keyFromJwk, keyFromObject, type LocalKey } from './key.ts'

/** How a key is written, where that is known beforehand. */
export type KeyFormat = 'jwk' | 'pem'

const opening = '-----'
const standard = /^[A-Za-z0-9+/]*$/
const url = /^[A-Za-z0-9_-]*$/

/**
 * A key as it is in a file: a JSON Web Key, PEM (PKCS #8, PKCS #1, SEC 1, SubjectPublicKeyInfo, a certificate), or the bytes of
 * a symmetric key, in base64 or as they are. Without a format, the beginning decides, as it does in Dapr:
 * what has just 16, 24 or 32 bytes is symmetric even where it begins like JSON.
 * @throws ComponentError FAILED_PRECONDITION, whose text shows nothing of the key
 */
export function parseKey(bytes: Uint8Array, format?: KeyFormat): LocalKey {
  if (bytes.length === 0) throw badKey('it is empty')
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const keySized = bytes.length === 16 || bytes.length === 24 || bytes.length === 32
  if (format === 'jwk' || (format === undefined && text.startsWith('{') && !keySized)) return fromJson(bytes)
  if (format === 'pem' || (text.startsWith(opening) && text.length > 10)) return fromPem(text)
  return { secret: symmetric(text, bytes) }
}

function fromJson(bytes: Uint8Array): LocalKey {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw badKey('it is not valid JSON')
  }
  return keyFromJwk(value)
}

function fromPem(text: string): LocalKey {
  try {
    return keyFromObject(text.includes('PRIVATE KEY') ? createPrivateKey(text) : createPublicKey(text))
  } catch {
    throw badKey(
      text.includes('ENCRYPTED')
        ? 'it is protected by a password, which is not supported'
        : 'it is not PEM that holds one key',
    )
  }
}

/** Base64, standard or for URLs, wins over the bytes themselves. */
function symmetric(text: string, bytes: Uint8Array): Uint8Array {
  const compact = text.replace(/[\n=]+$/, '').replaceAll(/[\r\n]/g, '')
  if (compact.length % 4 === 1) return bytes
  if (standard.test(compact)) return Buffer.from(compact, 'base64')
  return url.test(compact) ? Buffer.from(compact, 'base64url') : bytes
}
