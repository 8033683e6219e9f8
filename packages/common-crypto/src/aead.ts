import {
  type CipherChaCha20Poly1305Types,
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createHmac,
  timingSafeEqual,
} from 'node:crypto'
import { undecryptable } from './errors.ts'

/** A cipher with an authentication tag, given what fits it. */
export interface Aead {
  readonly keyBytes: number
  readonly nonceBytes: number
  readonly tagBytes: number
  seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, data: Uint8Array): Sealed
  /** Throws what it likes where the tag is not right. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: { readonly ciphertext: Uint8Array; readonly tag: Uint8Array },
    data: Uint8Array,
  ): Uint8Array
}

interface Sealed {
  readonly ciphertext: Uint8Array
  readonly tag: Uint8Array
}

type Name = CipherGCMTypes | CipherChaCha20Poly1305Types

/** A cipher that OpenSSL has, with nonces of 12 and tags of 16 bytes. */
function native(name: Name, keyBytes: number): Aead {
  const options = { authTagLength: 16 }
  return {
    keyBytes,
    nonceBytes: 12,
    tagBytes: 16,
    seal(key, nonce, plaintext, data) {
      const cipher = createCipheriv(name as CipherGCMTypes, key, nonce, options)
      cipher.setAAD(data)
      const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
      return { ciphertext, tag: cipher.getAuthTag() }
    },
    open(key, nonce, { ciphertext, tag }, data) {
      const decipher = createDecipheriv(name as CipherGCMTypes, key, nonce, options)
      decipher.setAAD(data)
      decipher.setAuthTag(tag)
      return Buffer.concat([decipher.update(ciphertext), decipher.final()])
    },
  }
}

export const aesGcm = (bits: 128 | 192 | 256): Aead => native(`aes-${bits}-gcm`, bits / 8)
export const chacha20: Aead = native('chacha20-poly1305', 32)

const constants = Buffer.from('expand 32-byte k')
const block = new Uint8Array(64)

/**
 * HChaCha20 (draft-irtf-cfrg-xchacha, 2.2). OpenSSL does not have it, but its key stream is the same permutation of the same
 * words with those words added at the end: taking them away again gives the result.
 */
export function hchacha20(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const stream = createCipheriv('chacha20', key, nonce).update(block)
  const result = Buffer.alloc(32)
  for (let at = 0; at < 16; at += 4) {
    result.writeUInt32LE((stream.readUInt32LE(at) - constants.readUInt32LE(at)) >>> 0, at)
    const word = Buffer.from(nonce.buffer, nonce.byteOffset + at, 4).readUInt32LE()
    result.writeUInt32LE((stream.readUInt32LE(48 + at) - word) >>> 0, 16 + at)
  }
  return result
}

/** XChaCha20-Poly1305: ChaCha20-Poly1305 under a key of its own for each of its nonces of 24 bytes. */
export const xchacha20: Aead = {
  keyBytes: 32,
  nonceBytes: 24,
  tagBytes: 16,
  seal: (key, nonce, ...rest) =>
    chacha20.seal(hchacha20(key, nonce.subarray(0, 16)), shortened(nonce), ...rest),
  open: (key, nonce, ...rest) =>
    chacha20.open(hchacha20(key, nonce.subarray(0, 16)), shortened(nonce), ...rest),
}

function shortened(nonce: Uint8Array): Uint8Array {
  return Buffer.concat([new Uint8Array(4), nonce.subarray(16)])
}

/** AES-CBC with HMAC (RFC 7518, 5.2): the first half of the key is for the MAC, the second for the cipher. */
export function aesCbcHmac(bits: 128 | 192 | 256, hash: 'sha256' | 'sha384' | 'sha512'): Aead {
  const half = bits / 8
  const name = `aes-${bits}-cbc`
  const mac = (key: Uint8Array, nonce: Uint8Array, ciphertext: Uint8Array, data: Uint8Array): Buffer => {
    const dataBits = Buffer.alloc(8)
    dataBits.writeBigUInt64BE(BigInt(data.length) * 8n)
    const hmac = createHmac(hash, key.subarray(0, half))
    return hmac.update(data).update(nonce).update(ciphertext).update(dataBits).digest().subarray(0, half)
  }
  return {
    keyBytes: 2 * half,
    nonceBytes: 16,
    tagBytes: half,
    seal(key, nonce, plaintext, data) {
      const cipher = createCipheriv(name, key.subarray(half), nonce)
      const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
      return { ciphertext, tag: mac(key, nonce, ciphertext, data) }
    },
    open(key, nonce, { ciphertext, tag }, data) {
      if (!timingSafeEqual(mac(key, nonce, ciphertext, data), tag)) throw undecryptable()
      const decipher = createDecipheriv(name, key.subarray(half), nonce)
      return Buffer.concat([decipher.update(ciphertext), decipher.final()])
    },
  }
}
