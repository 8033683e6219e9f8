import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  timingSafeEqual,
} from 'node:crypto'
import { noncePrefixBytes, type StreamCipher, tagBytes } from './scheme.ts'

const names: Readonly<Record<StreamCipher, string>> = {
  'AES-GCM': 'aes-256-gcm',
  'CHACHA20-POLY1305': 'chacha20-poly1305',
}
const options = { authTagLength: tagBytes }

/** The key of one stream and what is derived from it: one key for the header, one for the segments. */
export class FileKey {
  readonly #headerKey: Uint8Array
  readonly #payloadKey: Uint8Array
  readonly #cipher: CipherGCMTypes
  readonly #nonce: Buffer

  constructor(fileKey: Uint8Array, noncePrefix: Uint8Array, cipher: StreamCipher) {
    this.#headerKey = new Uint8Array(hkdfSync('sha256', fileKey, new Uint8Array(0), 'header', 32))
    this.#payloadKey = new Uint8Array(hkdfSync('sha256', fileKey, noncePrefix, 'payload', 32))
    this.#cipher = names[cipher] as CipherGCMTypes
    this.#nonce = Buffer.alloc(12)
    this.#nonce.set(noncePrefix)
  }

  /** The MAC over the first two lines, line breaks included, in base64. */
  mac(lines: Uint8Array): string {
    return createHmac('sha256', this.#headerKey).update(lines).digest('base64')
  }

  isMac(lines: Uint8Array, candidate: Uint8Array): boolean {
    const expected = Buffer.from(this.mac(lines))
    return candidate.length === expected.length && timingSafeEqual(candidate, expected)
  }

  /** Encrypts a segment; the tag is at its end. */
  seal(plaintext: Uint8Array, index: number, last: boolean): Uint8Array {
    const cipher = createCipheriv(this.#cipher, this.#payloadKey, this.#nonceOf(index, last), options)
    const ciphertext = cipher.update(plaintext)
    return Buffer.concat([ciphertext, cipher.final(), cipher.getAuthTag()])
  }

  /** Decrypts a segment; `undefined` where it is not what was sealed, at this place. */
  open(sealed: Uint8Array, index: number, last: boolean): Uint8Array | undefined {
    // An empty segment has no place in the format.
    if (sealed.length <= tagBytes) return undefined
    const decipher = createDecipheriv(this.#cipher, this.#payloadKey, this.#nonceOf(index, last), options)
    decipher.setAuthTag(sealed.subarray(-tagBytes))
    const plaintext = decipher.update(sealed.subarray(0, -tagBytes))
    try {
      decipher.final()
    } catch {
      return undefined
    }
    return plaintext
  }

  #nonceOf(index: number, last: boolean): Uint8Array {
    this.#nonce.writeUInt32BE(index, noncePrefixBytes)
    this.#nonce[11] = last ? 1 : 0
    return this.#nonce
  }
}
