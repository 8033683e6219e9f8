import { constants, createCipheriv, createPublicKey, generateKeyPairSync, privateEncrypt } from 'node:crypto'
import type { Operation, Row, Texts } from './operations.ts'

type Method = Extract<Operation, { op: 'subtle' }>['method']

/** Keys that every sidecar has, by the names of their files. */
export const aesKey = Buffer.alloc(32, 7)
export const rsaKey = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
}).privateKey

const base64 = (value: string | Uint8Array): string => Buffer.from(value).toString('base64')
const nonce = Buffer.alloc(12, 1)
const cipher = createCipheriv('aes-256-gcm', aesKey, nonce)
cipher.setAAD(Buffer.from('context'))
const ciphertext = base64(Buffer.concat([cipher.update('hello'), cipher.final()]))
const tag = base64(cipher.getAuthTag())
const gcm = {
  algorithm: 'A256GCM',
  keyName: 'aes.key',
  nonce: base64(nonce),
  associatedData: base64('context'),
}

const inner = Buffer.alloc(16, 9)
const wrapper = createCipheriv('id-aes256-wrap', aesKey, Buffer.alloc(8, 0xa6))
const wrappedKey = base64(Buffer.concat([wrapper.update(inner), wrapper.final()]))
const kw = { algorithm: 'A256KW', keyName: 'aes.key' }

// The digest is what is signed, not the message.
const digest = Buffer.alloc(32, 3)
const info = Buffer.from('3031300d060960864801650304020105000420', 'hex')
const rs = { algorithm: 'RS256', keyName: 'rsa.pem', digest: base64(digest) }
const signature = base64(
  privateEncrypt({ key: rsaKey, padding: constants.RSA_PKCS1_PADDING }, Buffer.concat([info, digest])),
)
const publicKey = createPublicKey(rsaKey)
const { kty, n, e } = publicKey.export({ format: 'jwk' })

const ask = (method: Method, message: Texts, provider = 'keys') =>
  ({ op: 'subtle', method, provider, message }) as const
const works = { because: 'The subtle cryptography routes work' }
const row = (name: string, rest: Omit<Row, 'name'>): Row => ({
  name: `subtle: ${name}`,
  differs: works,
  ...rest,
})

const methods = ['getKey', 'encrypt', 'decrypt', 'wrapKey', 'unwrapKey', 'sign', 'verify'] as const

/** Single operations with keys; what must come back is computed here by other means. */
export const subtleRows: readonly Row[] = [
  row('a public key as PEM', {
    when: ask('getKey', { name: 'rsa.pem', format: 'PEM' }),
    value: { name: 'rsa.pem', publicKey: publicKey.export({ type: 'spki', format: 'pem' }) },
  }),
  row('a public key as JSON', {
    when: ask('getKey', { name: 'rsa.pem', format: 'JSON' }),
    value: { name: 'rsa.pem', publicKey: { kty, n, e } },
  }),
  row('a key that is not there', { when: ask('getKey', { name: 'absent.pem' }), fails: 'CRYPTO_KEY' }),
  row('a secret key is not given away', { when: ask('getKey', { name: 'aes.key' }), fails: 'CRYPTO_KEY' }),
  row('encrypting', {
    when: ask('encrypt', { ...gcm, plaintext: base64('hello') }),
    value: { ciphertext, tag },
  }),
  row('decrypting', {
    when: ask('decrypt', { ...gcm, ciphertext, tag }),
    value: { plaintext: base64('hello') },
  }),
  row('decrypting what was changed', {
    when: ask('decrypt', { ...gcm, ciphertext: base64('jello'), tag }),
    fails: 'CRYPTO',
  }),
  row('encrypting without a nonce', {
    when: ask('encrypt', { algorithm: 'A256GCM', keyName: 'aes.key', plaintext: base64('hello') }),
    fails: 'CRYPTO',
  }),
  row('wrapping a key', {
    when: ask('wrapKey', { ...kw, plaintextKey: base64(inner) }),
    value: { wrappedKey },
  }),
  row('unwrapping a key', {
    when: ask('unwrapKey', { ...kw, wrappedKey }),
    value: { plaintextKey: base64(inner) },
  }),
  row('unwrapping what was changed', {
    when: ask('unwrapKey', { ...kw, wrappedKey: base64(Buffer.alloc(24, 1)) }),
    fails: 'CRYPTO',
  }),
  row('signing', { when: ask('sign', rs), value: { signature } }),
  row('a signature that is right', { when: ask('verify', { ...rs, signature }), value: { valid: true } }),
  row('a signature of something else', {
    when: ask('verify', { ...rs, digest: base64(Buffer.alloc(32, 4)), signature }),
    value: { valid: false },
  }),
  row('signing with a key that is not for it', {
    when: ask('sign', { ...rs, keyName: 'aes.key' }),
    fails: 'CRYPTO',
  }),
  row('an algorithm that there is not', {
    when: ask('sign', { ...rs, algorithm: 'ROT13' }),
    fails: 'CRYPTO',
  }),
  ...methods.flatMap((method) => [
    row(`${method} of no such provider`, {
      when: ask(method, {}, 'absent'),
      fails: 'CRYPTO_PROVIDER_NOT_FOUND',
    }),
    row(`${method}, no provider at all`, {
      at: 'empty',
      when: ask(method, {}, 'absent'),
      fails: 'CRYPTO_PROVIDERS_NOT_CONFIGURED',
    }),
  ]),
]
