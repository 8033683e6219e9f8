import type { CipherGCMTypes } from 'node:crypto'
import { ComponentError } from '@outrigger/spec'
import type { EncryptionKey, EncryptionKeys } from './keys.ts'

const separator = '||'
const nonceBytes = 12
const tagBytes = 16

/** Encrypts and decrypts the values of one store. */
export interface ValueCipher {
  encrypt(plain: Uint8Array): Uint8Array
  /** @throws ComponentError that names the store, never a key */
  decrypt(stored: Uint8Array): Uint8Array
}

/**
 * Values in Dapr's format: base64 of nonce, AES-GCM ciphertext and tag, then `||` and the name of the key's secret.
 * @param nonce gives 12 bytes that never come twice with one key
 */
export function valueCipher(
  storeName: string,
  { primary, secondary }: EncryptionKeys,
  nonce?: () => Uint8Array,
): ValueCipher {
  // Loaded only where something is encrypted.
  const { createCipheriv, createDecipheriv, randomBytes } = process.getBuiltinModule('node:crypto')
  const keys = new Map(
    [...(secondary === undefined ? [] : [secondary]), primary].map((key) => [key.name, key]),
  )
  const suffix = separator + primary.name
  const algorithm = algorithmOf(primary)
  const failed = (why: string): ComponentError =>
    new ComponentError('FAILED_PRECONDITION', `cannot decrypt a value of state store ${storeName}: ${why}`)
  return {
    encrypt(plain) {
      const start = nonce?.() ?? randomBytes(nonceBytes)
      const cipher = createCipheriv(algorithm, primary.bytes, start)
      const sealed = Buffer.concat([start, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
      return Buffer.from(sealed.toString('base64') + suffix)
    },
    decrypt(stored) {
      if (stored.length === 0) return stored
      const { buffer, byteOffset, byteLength } = stored
      const text = Buffer.from(buffer, byteOffset, byteLength).toString()
      const at = text.lastIndexOf(separator)
      const name = at < 0 ? '' : text.slice(at + separator.length)
      if (name === '') throw failed('it names no key, so it was not written encrypted')
      const key = keys.get(name)
      if (key === undefined) {
        throw failed(
          'its key is neither primaryEncryptionKey nor secondaryEncryptionKey of the component: add the secret that it was written with as secondaryEncryptionKey',
        )
      }
      const sealed = Buffer.from(text.slice(0, at), 'base64')
      if (sealed.length < nonceBytes + tagBytes) throw failed('it is too short')
      const decipher = createDecipheriv(algorithmOf(key), key.bytes, sealed.subarray(0, nonceBytes))
      decipher.setAuthTag(sealed.subarray(-tagBytes))
      try {
        return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()])
      } catch (error) {
        throw new ComponentError(
          'FAILED_PRECONDITION',
          `cannot decrypt a value of state store ${storeName}: it was changed, or written with another key under the same name`,
          { cause: error },
        )
      }
    },
  }
}

function algorithmOf(key: EncryptionKey): CipherGCMTypes {
  return `aes-${key.bytes.length * 8}-gcm` as CipherGCMTypes
}
