import { constants, createCipheriv, createDecipheriv, privateDecrypt, publicEncrypt } from 'node:crypto'
import { isComponentError, type Ciphertext } from '@outrigger/spec'
import { type Aead, aesCbcHmac, aesGcm, chacha20, xchacha20 } from './aead.ts'
import { invalid, undecryptable } from './errors.ts'
import type { LocalKey } from './key.ts'

/** What goes with a message into a cipher. */
export interface Parameters {
  readonly nonce?: Uint8Array | undefined
  readonly associatedData?: Uint8Array | undefined
  readonly tag?: Uint8Array | undefined
}

/** One algorithm for messages and keys. Throws ComponentErrors only. */
export interface Cipher {
  encrypt(key: LocalKey, plaintext: Uint8Array, parameters: Parameters): Ciphertext
  decrypt(key: LocalKey, ciphertext: Uint8Array, parameters: Parameters): Uint8Array
}

const empty = new Uint8Array(0)
const blockBytes = 16

/** The bytes of a symmetric key of the right length. */
function secretOf(key: LocalKey, name: string, bytes: number): Uint8Array {
  const has = key.secret === undefined ? 'is not symmetric' : `has ${key.secret.length * 8} bits`
  if (key.secret?.length !== bytes)
    throw invalid(`${name} needs a symmetric key of ${bytes * 8} bits; this one ${has}`)
  return key.secret
}

function exactly(value: Uint8Array | undefined, what: string, name: string, bytes: number): Uint8Array {
  if (value?.length === bytes) return value
  throw invalid(`${name} needs a ${what} of ${bytes} bytes, got ${value?.length ?? 0}`)
}

function guarded(work: () => Uint8Array): Uint8Array {
  try {
    return work()
  } catch (error) {
    throw isComponentError(error) ? error : undecryptable()
  }
}

function aead(name: string, cipher: Aead): Cipher {
  const { keyBytes, nonceBytes, tagBytes } = cipher
  return {
    encrypt(key, plaintext, { nonce, associatedData = empty }) {
      const secret = secretOf(key, name, keyBytes)
      return cipher.seal(secret, exactly(nonce, 'nonce', name, nonceBytes), plaintext, associatedData)
    },
    decrypt(key, ciphertext, { nonce, tag, associatedData = empty }) {
      const secret = secretOf(key, name, keyBytes)
      const sealed = { ciphertext, tag: exactly(tag, 'tag', name, tagBytes) }
      const iv = exactly(nonce, 'nonce', name, nonceBytes)
      return guarded(() => cipher.open(secret, iv, sealed, associatedData))
    },
  }
}

function aesCbc(name: string, bits: number, padded: boolean): Cipher {
  const algorithm = `aes-${bits}-cbc`
  const whole = (what: string, data: Uint8Array): void => {
    if (data.length % blockBytes !== 0)
      throw invalid(`${name} needs ${what} of whole blocks of ${blockBytes} bytes, got ${data.length} bytes`)
  }
  return {
    encrypt(key, plaintext, { nonce }) {
      const secret = secretOf(key, name, bits / 8)
      const iv = exactly(nonce, 'nonce', name, blockBytes)
      if (!padded) whole('a message', plaintext)
      const cipher = createCipheriv(algorithm, secret, iv).setAutoPadding(padded)
      return { ciphertext: Buffer.concat([cipher.update(plaintext), cipher.final()]) }
    },
    decrypt(key, ciphertext, { nonce }) {
      const secret = secretOf(key, name, bits / 8)
      const iv = exactly(nonce, 'nonce', name, blockBytes)
      whole('a ciphertext', ciphertext)
      return guarded(() => {
        const decipher = createDecipheriv(algorithm, secret, iv).setAutoPadding(padded)
        return Buffer.concat([decipher.update(ciphertext), decipher.final()])
      })
    },
  }
}

const wrapIv = Buffer.alloc(8, 0xa6)

/** RFC 3394. */
function aesKeyWrap(name: string, bits: number): Cipher {
  const algorithm = `id-aes${bits}-wrap`
  return {
    encrypt(key, plaintext) {
      const secret = secretOf(key, name, bits / 8)
      if (plaintext.length < 16 || plaintext.length % 8 !== 0)
        throw invalid(`${name} wraps at least 16 bytes, in steps of 8; got ${plaintext.length}`)
      return { ciphertext: createCipheriv(algorithm, secret, wrapIv).update(plaintext) }
    },
    decrypt(key, ciphertext) {
      const secret = secretOf(key, name, bits / 8)
      if (ciphertext.length < 24 || ciphertext.length % 8 !== 0) throw undecryptable()
      return guarded(() => createDecipheriv(algorithm, secret, wrapIv).update(ciphertext))
    },
  }
}

/** Checks that a key is RSA and has the half that is needed. */
export function rsaKey(key: LocalKey, name: string, half: 'publicKey' | 'privateKey') {
  if (key.publicKey?.asymmetricKeyType !== 'rsa') throw invalid(`${name} needs an RSA key; this one is not`)
  const found = key[half]
  if (found === undefined) throw invalid(`${name} needs the private key, and only the public one is here`)
  return found
}

function rsa(name: string, padding: number, oaepHash?: string): Cipher {
  const settings = (label?: Uint8Array) => ({
    padding,
    ...(oaepHash !== undefined && {
      oaepHash,
      ...(label !== undefined && label.length > 0 && { oaepLabel: label }),
    }),
  })
  return {
    encrypt(key, plaintext, { associatedData }) {
      const found = rsaKey(key, name, 'publicKey')
      try {
        return { ciphertext: publicEncrypt({ key: found, ...settings(associatedData) }, plaintext) }
      } catch (error) {
        throw invalid(`${name} cannot take ${plaintext.length} bytes with this key`, error)
      }
    },
    decrypt(key, ciphertext, { associatedData }) {
      const found = rsaKey(key, name, 'privateKey')
      return guarded(() => privateDecrypt({ key: found, ...settings(associatedData) }, ciphertext))
    },
  }
}

/** Without the implicit rejection of OpenSSL 3.2, decrypting with this padding tells attackers too much. */
const hasRsa15 = Number.parseFloat(process.versions.openssl) >= 3.2
const { RSA_PKCS1_OAEP_PADDING: oaep, RSA_PKCS1_PADDING: pkcs1 } = constants

/** Every algorithm that can encrypt messages and wrap keys, by name. */
export const ciphers: ReadonlyMap<string, Cipher> = new Map<string, Cipher>([
  ...([128, 192, 256] as const).flatMap((bits): [string, Cipher][] => [
    [`A${bits}CBC`, aesCbc(`A${bits}CBC`, bits, true)],
    [`A${bits}CBC-NOPAD`, aesCbc(`A${bits}CBC-NOPAD`, bits, false)],
    [`A${bits}GCM`, aead(`A${bits}GCM`, aesGcm(bits))],
    [`A${bits}KW`, aesKeyWrap(`A${bits}KW`, bits)],
  ]),
  ['A128CBC-HS256', aead('A128CBC-HS256', aesCbcHmac(128, 'sha256'))],
  ['A192CBC-HS384', aead('A192CBC-HS384', aesCbcHmac(192, 'sha384'))],
  ['A256CBC-HS512', aead('A256CBC-HS512', aesCbcHmac(256, 'sha512'))],
  ['C20P', aead('C20P', chacha20)],
  ['C20PKW', aead('C20PKW', chacha20)],
  ['XC20P', aead('XC20P', xchacha20)],
  ['XC20PKW', aead('XC20PKW', xchacha20)],
  ...(hasRsa15 ? ([['RSA1_5', rsa('RSA1_5', pkcs1)]] as const) : []),
  ['RSA-OAEP', rsa('RSA-OAEP', oaep, 'sha1')],
  ['RSA-OAEP-256', rsa('RSA-OAEP-256', oaep, 'sha256')],
  ['RSA-OAEP-384', rsa('RSA-OAEP-384', oaep, 'sha384')],
  ['RSA-OAEP-512', rsa('RSA-OAEP-512', oaep, 'sha512')],
])
