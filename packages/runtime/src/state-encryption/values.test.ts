import { isComponentError } from '@outrigger/spec'
import { expect, test } from 'vitest'
import { valueCipher } from './values.ts'

const text = '{"n":12345678901234567890.10}'
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content)
const shown = (content: Uint8Array): string => new TextDecoder().decode(content)
const nonce = (): Uint8Array => Uint8Array.from({ length: 12 }, (_, index) => index)

/** `bits / 8` bytes that count up from 0x10. */
function key(name: string, bits: number, from = 0x10) {
  return { name, bytes: Uint8Array.from({ length: bits / 8 }, (_, index) => from + index) }
}

// Made from the documented format with another implementation of AES-GCM.
const fixtures = [
  [128, 'AAECAwQFBgcICQoLild69XosxsGGQSZg9zXRPYk4bYpRPLPO+iWgdS/Zj7QH9ehHp2lgbPmswRDv||state-key'],
  [192, 'AAECAwQFBgcICQoLUE6z6jFowg+5hSFuy2cMKF3FuZm19E/7chkg9gsy7HlL+6nJITc0i9y6zN50||state-key'],
  [256, 'AAECAwQFBgcICQoLoZ4Dhg7KCbKo5fL51WrAoWUjxq69HRQBu+Uevu14KRBwFKyp6GjIq/Z2b3J6||state-key'],
] as const

test.each(fixtures)('with %i bits a value is written and read byte for byte', (bits, stored) => {
  const cipher = valueCipher('orders', { primary: key('state-key', bits), secondary: undefined }, nonce)
  expect(shown(cipher.encrypt(bytes(text)))).toBe(stored)
  expect(shown(cipher.decrypt(bytes(stored)))).toBe(text)
})

test('an empty value is encrypted too', () => {
  const cipher = valueCipher('orders', { primary: key('state-key', 256), secondary: undefined }, nonce)
  const stored = 'AAECAwQFBgcICQoLIkzE8iVLSPs8PwRGYfNQew==||state-key'
  expect(shown(cipher.encrypt(bytes('')))).toBe(stored)
  expect(cipher.decrypt(bytes(stored))).toHaveLength(0)
  expect(cipher.decrypt(bytes(''))).toHaveLength(0)
})

test('after a rotation both keys read, and the new one writes', () => {
  const old = key('old', 128)
  const before = valueCipher('orders', { primary: old, secondary: undefined })
  const after = valueCipher('orders', { primary: key('new', 256), secondary: old })
  expect(shown(after.decrypt(before.encrypt(bytes(text))))).toBe(text)
  const rewritten = after.encrypt(bytes(text))
  expect(shown(rewritten)).toMatch(/\|\|new$/)
  expect(shown(after.decrypt(rewritten))).toBe(text)
})

test('no two values look alike', () => {
  const cipher = valueCipher('orders', { primary: key('k', 256), secondary: undefined })
  const seen = new Set(Array.from({ length: 100 }, () => shown(cipher.encrypt(bytes(text)))))
  expect(seen.size).toBe(100)
})

const [, stored] = fixtures[2]
test.each([
  ['plain text', 'hello', 'it names no key'],
  ['no name', stored.slice(0, -'state-key'.length), 'it names no key'],
  ['a key that is not here', `${stored}-2`, 'neither primaryEncryptionKey nor secondaryEncryptionKey'],
  ['cut off', `${stored.slice(0, 16)}||state-key`, 'too short'],
  ['changed', stored.replace('oZ4', 'oZ5'), 'it was changed'],
  ['no base64', '!!!!||state-key', 'too short'],
])('%s cannot be decrypted, and the error names the store only', (_, content, why) => {
  const primary = key('state-key', 256)
  const cipher = valueCipher('orders', { primary, secondary: undefined })
  let problem: unknown
  try {
    cipher.decrypt(bytes(content))
  } catch (error) {
    problem = error
  }
  expect(isComponentError(problem)).toBe(true)
  const { message } = problem as Error
  expect(message).toContain('state store orders')
  expect(message).toContain(why)
  expect(message).not.toContain(Buffer.from(primary.bytes).toString('hex'))
})

test('the same key bytes under another name do not read', () => {
  const cipher = valueCipher('orders', { primary: key('k', 256, 0x11), secondary: undefined })
  expect(() => cipher.decrypt(bytes(stored.replace('state-key', 'k')))).toThrow('it was changed')
})
