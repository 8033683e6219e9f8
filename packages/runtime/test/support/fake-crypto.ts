import {
  constants,
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  privateDecrypt,
  publicEncrypt,
  sign,
  verify,
} from 'node:crypto'
import { ComponentError, type CryptoProvider, type CryptoRequest, type KeyRequest } from '@outrigger/spec'

const aesIv = Buffer.alloc(8, 0xa6)
const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }

export interface FakeKeys {
  /** 32 bytes, of which the CBC algorithms take the first ones. */
  readonly kek: Uint8Array
  readonly rsa: Buffer
  readonly ed25519: string
}

/** A provider of three keys, `kek`, `rsa` and `ed25519`; `down` cannot be reached, and `leaky` fails with a secret in its error. */
export class FakeCrypto implements CryptoProvider {
  readonly capabilities = new Set(['publicKeys', 'encrypt', 'wrap', 'sign'] as const)
  readonly algorithms = { encrypt: ['A256GCM'], wrap: ['A256KW'], sign: ['EdDSA'] }
  /** What was asked for. */
  readonly asked: (KeyRequest & Partial<CryptoRequest>)[] = []
  readonly #keys: FakeKeys

  constructor(keys: FakeKeys) {
    this.#keys = keys
  }

  getKey: NonNullable<CryptoProvider['getKey']> = async (request) => {
    this.#check(request)
    const jwk = createPublicKey(createPrivateKey(this.#keys.ed25519)).export({ format: 'jwk' })
    return { name: `${request.keyName}/v1`, jwk: jwk as Record<string, unknown> }
  }

  encrypt: NonNullable<CryptoProvider['encrypt']> = async ({
    plaintext,
    nonce,
    associatedData,
    ...request
  }) => {
    this.#check(request)
    if (nonce?.length !== 12) throw new ComponentError('INVALID_ARGUMENT', 'a nonce of 12 bytes is needed')
    const cipher = createCipheriv('aes-256-gcm', this.#keys.kek, nonce)
    cipher.setAAD(associatedData ?? Buffer.alloc(0))
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
    return { ciphertext, tag: cipher.getAuthTag() }
  }

  decrypt: NonNullable<CryptoProvider['decrypt']> = async ({
    ciphertext,
    nonce,
    tag,
    associatedData,
    ...request
  }) => {
    this.#check(request)
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#keys.kek, nonce!, { authTagLength: 16 })
      decipher.setAAD(associatedData ?? Buffer.alloc(0)).setAuthTag(tag!)
      return Buffer.concat([decipher.update(ciphertext), decipher.final()])
    } catch {
      throw new ComponentError('INVALID_ARGUMENT', 'the padding has a WEAKNESS')
    }
  }

  wrapKey: NonNullable<CryptoProvider['wrapKey']> = async ({ plaintextKey, nonce, ...request }) => {
    this.#check(request)
    const { algorithm } = request
    if (algorithm === 'RSA-OAEP-256')
      return { wrappedKey: publicEncrypt({ key: this.#keys.rsa, ...oaep }, plaintextKey) }
    if (algorithm === 'A256KW')
      return { wrappedKey: createCipheriv('id-aes256-wrap', this.#keys.kek, aesIv).update(plaintextKey) }
    const cipher = createCipheriv(...this.#cbc(algorithm, nonce)).setAutoPadding(false)
    return { wrappedKey: Buffer.concat([cipher.update(plaintextKey), cipher.final()]) }
  }

  unwrapKey: NonNullable<CryptoProvider['unwrapKey']> = async ({ wrappedKey, nonce, ...request }) => {
    this.#check(request)
    const { algorithm } = request
    try {
      if (algorithm === 'RSA-OAEP-256') return privateDecrypt({ key: this.#keys.rsa, ...oaep }, wrappedKey)
      if (algorithm === 'A256KW')
        return createDecipheriv('id-aes256-wrap', this.#keys.kek, aesIv).update(wrappedKey)
    } catch {
      throw new ComponentError('INVALID_ARGUMENT', 'the wrapping has a WEAKNESS')
    }
    const cipher = createDecipheriv(...this.#cbc(algorithm, nonce)).setAutoPadding(false)
    return Buffer.concat([cipher.update(wrappedKey), cipher.final()])
  }

  sign: NonNullable<CryptoProvider['sign']> = async ({ digest, ...request }) => {
    this.#check(request)
    return sign(null, digest, this.#keys.ed25519)
  }

  verify: NonNullable<CryptoProvider['verify']> = async ({ digest, signature, ...request }) => {
    this.#check(request)
    return verify(null, digest, this.#keys.ed25519, signature)
  }

  async close(): Promise<void> {}

  #cbc(algorithm: string, iv: Uint8Array | undefined): [name: string, key: Uint8Array, iv: Uint8Array] {
    const bits = /^A(\d+)CBC-NOPAD$/.exec(algorithm)?.[1]
    if (bits === undefined) throw new ComponentError('UNSUPPORTED', `no algorithm ${algorithm}`)
    if (iv?.length !== 16) throw new ComponentError('INVALID_ARGUMENT', 'a nonce of 16 bytes is needed')
    return [`aes-${bits}-cbc`, this.#keys.kek.subarray(0, Number(bits) / 8), iv]
  }

  #check(request: KeyRequest & Partial<CryptoRequest>): void {
    this.asked.push({ keyName: request.keyName, ...(request.algorithm && { algorithm: request.algorithm }) })
    if (request.keyName === 'down') throw new ComponentError('UNAVAILABLE', 'the vault cannot be reached')
    if (request.keyName === 'leaky') throw new Error('SECRET')
    if (!['kek', 'rsa', 'rsa/v2', 'ed25519'].includes(request.keyName))
      throw new ComponentError('NOT_FOUND', `there is no key ${request.keyName}`)
    if (request.algorithm === 'ROT13') throw new ComponentError('UNSUPPORTED', 'no algorithm ROT13')
  }
}
