import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { isComponentError } from '@outrigger/spec'
import { describe, expect, test } from 'vitest'
import { hchacha20 } from './aead.ts'
import { type Cipher, ciphers } from './ciphers.ts'
import { keyFromObject } from './key.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
const cipher = (name: string): Cipher => ciphers.get(name)!
const hexOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes!).toString('hex')

function codeOf(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return isComponentError(error) ? `${error.code}: ${error.message}` : String(error)
  }
}

// RFC 3394, section 4.
test.each([
  ['A128KW', 16, '00112233445566778899AABBCCDDEEFF', '1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5'],
  ['A192KW', 24, '00112233445566778899AABBCCDDEEFF', '96778B25AE6CA435F92B5B97C050AED2468AB8A17AD84E5D'],
  [
    'A256KW',
    32,
    '00112233445566778899AABBCCDDEEFF0001020304050607',
    'A8F9BC1612C68B3FF6E6F4FBE30E71E4769C8B80A32CB8958CD5D17D6B254DA1',
  ],
  [
    'A256KW',
    32,
    '00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F',
    '28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21',
  ],
])('%s gives the vector of its RFC', (name, length, plain, wrapped) => {
  const key = { secret: Uint8Array.from({ length }, (_, index) => index) }
  expect(hexOf(cipher(name).encrypt(key, hex(plain), {}).ciphertext)).toBe(wrapped.toLowerCase())
  expect(hexOf(cipher(name).decrypt(key, hex(wrapped), {}))).toBe(plain.toLowerCase())
})

// RFC 7518, appendix B.
test.each([
  ['A128CBC-HS256', 32, '652c3fa36b0a7c5b3219fab3a30bc1c4', '4bcad0', 'c80edf'],
  ['A192CBC-HS384', 48, '8490ac0e58949bfe51875d733f93ac2075168039ccc733d7', '5b0d77', 'ea65da'],
  [
    'A256CBC-HS512',
    64,
    '4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5',
    'ced4e6',
    '4affaa',
  ],
])('%s gives the vector of its RFC', (name, length, tag) => {
  const key = { secret: Uint8Array.from({ length }, (_, index) => index) }
  const plaintext = hex(`41206369706865722073797374656d206d757374206e6f7420626520726571756972656420746f206265
    207365637265742c20616e64206974206d7573742062652061626c6520746f2066616c6c20696e746f207468652068616e6473
    206f662074686520656e656d7920776974686f757420696e636f6e76656e69656e6365`)
  const nonce = hex('1af38c2dc2b96ffdd86694092341bc04')
  const associatedData = hex(
    '546865207365636f6e64207072696e6369706c65206f662041756775737465204b6572636b686f666673',
  )
  const sealed = cipher(name).encrypt(key, plaintext, { nonce, associatedData })
  expect(hexOf(sealed.tag)).toBe(tag)
  const again = cipher(name).decrypt(key, sealed.ciphertext, { nonce, associatedData, tag: sealed.tag })
  expect(hexOf(again)).toBe(plaintext.toString('hex'))
})

// draft-irtf-cfrg-xchacha, 2.2.1 and A.3.1.
test('HChaCha20 and XChaCha20-Poly1305 give the vectors of their draft', () => {
  const secret = Uint8Array.from({ length: 32 }, (_, index) => index)
  expect(hexOf(hchacha20(secret, hex('000000090000004a0000000031415927')))).toBe(
    '82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc',
  )
  const key = { secret: Uint8Array.from({ length: 32 }, (_, index) => 0x80 + index) }
  const plaintext = Buffer.from(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  )
  const nonce = Uint8Array.from({ length: 24 }, (_, index) => 0x40 + index)
  const associatedData = hex('50515253c0c1c2c3c4c5c6c7')
  const sealed = cipher('XC20P').encrypt(key, plaintext, { nonce, associatedData })
  expect(hexOf(sealed.ciphertext).slice(0, 32)).toBe('bd6d179d3e83d43b9576579493c0e939')
  expect(hexOf(sealed.tag)).toBe('c0875924c1c7987947deafd8780acf49')
})

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const rsaKey = keyFromObject(privateKey)
const sizes = new Map([
  ['A128CBC-HS256', [32, 16, 16]],
  ['A192CBC-HS384', [48, 16, 24]],
  ['A256CBC-HS512', [64, 16, 32]],
  ['C20P', [32, 12, 16]],
  ['C20PKW', [32, 12, 16]],
  ['XC20P', [32, 24, 16]],
  ['XC20PKW', [32, 24, 16]],
])

function shapeOf(name: string): readonly [key: number, nonce: number, tag: number] {
  const size = sizes.get(name) as [number, number, number] | undefined
  if (size !== undefined) return size
  const key = Number(name.slice(1, 4)) / 8
  return name.includes('GCM') ? [key, 12, 16] : name.includes('CBC') ? [key, 16, 0] : [key, 0, 0]
}

describe.each([...ciphers.keys()])('%s', (name) => {
  const symmetric = !name.startsWith('RSA')
  const [keyBytes, nonceBytes, tagBytes] = symmetric ? shapeOf(name) : [0, 0, 0]
  const key = symmetric ? { secret: randomBytes(keyBytes) } : rsaKey
  const nonce = randomBytes(nonceBytes)
  const message = randomBytes(32)

  test('brings back what it encrypted, and not with another key', () => {
    const { ciphertext, tag } = cipher(name).encrypt(key, message, { nonce })
    expect(tag?.length ?? 0).toBe(tagBytes)
    expect(hexOf(cipher(name).decrypt(key, ciphertext, { nonce, tag }))).toBe(message.toString('hex'))
    if (!symmetric || (name.endsWith('NOPAD') && tagBytes === 0)) return
    const other = { secret: randomBytes(keyBytes) }
    // Padding may look right by chance, one in 256 times; the message does not.
    let result: string | undefined
    try {
      result = hexOf(cipher(name).decrypt(other, ciphertext, { nonce, tag }))
    } catch {}
    expect(result).not.toBe(message.toString('hex'))
  })

  test('refuses what does not fit', () => {
    const wrong = symmetric ? { secret: randomBytes(7) } : { secret: randomBytes(32) }
    expect(codeOf(() => cipher(name).encrypt(wrong, message, { nonce }))).toMatch(/^INVALID_ARGUMENT: .* key/)
    expect(codeOf(() => cipher(name).decrypt(wrong, message, { nonce }))).toMatch(/^INVALID_ARGUMENT: .* key/)
    if (symmetric) expect(codeOf(() => cipher(name).encrypt(rsaKey, message, { nonce }))).toMatch(/symmetric/)
    if (nonceBytes > 0)
      expect(codeOf(() => cipher(name).encrypt(key, message, { nonce: randomBytes(5) }))).toBe(
        `INVALID_ARGUMENT: ${name} needs a nonce of ${nonceBytes} bytes, got 5`,
      )
  })

  test('tells nothing of why a ciphertext is refused', () => {
    const { ciphertext, tag } = cipher(name).encrypt(key, message, { nonce })
    const refused = 'INVALID_ARGUMENT: the message cannot be decrypted with this key'
    if (tagBytes > 0) {
      const bad = Buffer.from(tag!)
      bad[3]! ^= 1
      expect(codeOf(() => cipher(name).decrypt(key, ciphertext, { nonce, tag: bad }))).toBe(refused)
      const changed = Buffer.from(ciphertext)
      changed[3]! ^= 1
      expect(codeOf(() => cipher(name).decrypt(key, changed, { nonce, tag }))).toBe(refused)
      const associatedData = Buffer.of(1)
      expect(codeOf(() => cipher(name).decrypt(key, ciphertext, { nonce, tag, associatedData }))).toBe(
        refused,
      )
    } else if (name.endsWith('KW') || name.startsWith('RSA-OAEP')) {
      const changed = Buffer.from(ciphertext)
      changed[3]! ^= 1
      expect(codeOf(() => cipher(name).decrypt(key, changed, {}))).toBe(refused)
      expect(codeOf(() => cipher(name).decrypt(key, ciphertext.subarray(8), {}))).toBe(refused)
    }
  })
})

test('the label of RSA-OAEP counts', () => {
  const associatedData = Buffer.from('label')
  const { ciphertext } = cipher('RSA-OAEP-256').encrypt(rsaKey, Buffer.from('m'), { associatedData })
  expect(cipher('RSA-OAEP-256').decrypt(rsaKey, ciphertext, { associatedData }).toString()).toBe('m')
  expect(codeOf(() => cipher('RSA-OAEP-256').decrypt(rsaKey, ciphertext, {}))).toMatch(/cannot be decrypted/)
})

test('a message that is too long for an RSA key, and a private half that is missing', () => {
  const publicOnly = { ...rsaKey, privateKey: undefined }
  expect(codeOf(() => cipher('RSA-OAEP').encrypt(rsaKey, randomBytes(300), {}))).toMatch(
    /cannot take 300 bytes/,
  )
  expect(codeOf(() => cipher('RSA-OAEP').decrypt(publicOnly as never, randomBytes(256), {}))).toMatch(
    /private key/,
  )
})
