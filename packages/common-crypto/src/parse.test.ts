import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { isComponentError } from '@outrigger/spec'
import { describe, expect, test } from 'vitest'
import { checkAllowed, keyFromJwk, type LocalKey } from './key.ts'
import { parseKey } from './parse.ts'

const secretText = (key: LocalKey): string => Buffer.from(key.secret!).toString('latin1')

describe('symmetric keys', () => {
  const bytes = Buffer.from([0xfb, 0xff, ...randomBytes(30)])
  test.each([
    ['base64', bytes.toString('base64')],
    ['base64 without padding', bytes.toString('base64').replaceAll('=', '')],
    ['base64 for URLs', bytes.toString('base64url')],
    ['base64 with a line break at its end', `${bytes.toString('base64')}\n`],
    ['base64 over several lines', bytes.toString('base64').replace(/(.{20})/g, '$1\r\n')],
  ])('%s', (_, text) => expect(Buffer.from(parseKey(Buffer.from(text)).secret!).equals(bytes)).toBe(true))

  test('bytes as they are', () => {
    expect(Buffer.from(parseKey(bytes).secret!).equals(bytes)).toBe(true)
    expect(secretText(parseKey(Buffer.from('this is not base64, is it? no...')))).toBe(
      'this is not base64, is it? no...',
    )
  })

  test('what has the length of a key is one, even where it begins like JSON', () => {
    const text = '{"kty":"oct","k":"AQIDBAUGBwg"} '
    expect(text).toHaveLength(32)
    expect(secretText(parseKey(Buffer.from(text)))).toBe(text)
    expect(parseKey(Buffer.from(text), 'jwk').secret).toHaveLength(8)
  })
})

const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const ed = generateKeyPairSync('ed25519')

describe('pairs of keys', () => {
  test.each([
    ['PKCS #8', rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }), 'rsa', true],
    ['PKCS #1', rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }), 'rsa', true],
    ['SEC 1', ec.privateKey.export({ type: 'sec1', format: 'pem' }), 'ec', true],
    ['Ed25519', ed.privateKey.export({ type: 'pkcs8', format: 'pem' }), 'ed25519', true],
    ['SubjectPublicKeyInfo', ec.publicKey.export({ type: 'spki', format: 'pem' }), 'ec', false],
    ['PKCS #1, public', rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }), 'rsa', false],
    ['JWK, private', JSON.stringify(ed.privateKey.export({ format: 'jwk' })), 'ed25519', true],
    ['JWK, public', JSON.stringify(rsa.publicKey.export({ format: 'jwk' })), 'rsa', false],
  ])('%s', (_, text, type, hasPrivate) => {
    const key = parseKey(Buffer.from(text as string))
    expect(key.publicKey?.asymmetricKeyType).toBe(type)
    expect(key.privateKey !== undefined).toBe(hasPrivate)
  })

  test('the public half keeps what was said of the key, and nothing that is secret', () => {
    const all = { ...rsa.privateKey.export({ format: 'jwk' }), kid: 'k1', use: 'enc', alg: 'RSA-OAEP' }
    const key = keyFromJwk(all)
    if (key.publicKey === undefined) throw new Error('no public key')
    const { kty, n, e } = all as Record<string, unknown>
    expect(key.publicJwk).toEqual({ kty, n, e, kid: 'k1', use: 'enc', alg: 'RSA-OAEP' })
  })
})

test.each([
  ['nothing', '', undefined],
  ['JSON that is none', '{"kty":"RSA","n":"SECRET"', undefined],
  ['PEM that is none', '-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----', undefined],
  ['JSON where PEM should be', '{"SECRET":1}', 'pem'],
  ['no object', '["SECRET, in a list, is no key"]', 'jwk'],
  ['an unknown kty', '{"kty":"SECRET","k":"SECRET"}', undefined],
  ['a symmetric key without k', '{"kty":"oct","x":"SECRET"}', undefined],
  ['a k that is no base64url', '{"kty":"oct","k":"SECRET+/="}', undefined],
  ['a curve that is not known', '{"kty":"EC","crv":"SECRET","x":"AQ","y":"AQ"}', undefined],
  ['key_ops that are no list', '{"kty":"oct","k":"AQIDBAUGBwg","key_ops":"SECRET"}', undefined],
  [
    'a protected key',
    '-----BEGIN ENCRYPTED PRIVATE KEY-----\nSECRET\n-----END ENCRYPTED PRIVATE KEY-----',
    undefined,
  ],
])('%s is refused, and none of it is shown', (_, text, format) => {
  let error: unknown
  try {
    parseKey(Buffer.from(text), format as 'pem')
  } catch (thrown) {
    error = thrown
  }
  expect(isComponentError(error) && error.code).toBe('FAILED_PRECONDITION')
  expect(String(error)).not.toContain('SECRET')
  expect((error as Error).cause).toBeUndefined()
})

test('a private RSA key without its primes says which members it needs', () => {
  const { kty, n, e, d } = rsa.privateKey.export({ format: 'jwk' })
  expect(() => keyFromJwk({ kty, n, e, d })).toThrow('needs "p", "q", "dp", "dq" and "qi"')
})

test('use, key_ops and alg are kept to', () => {
  const key = (said: object): LocalKey => keyFromJwk({ kty: 'oct', k: 'AQIDBAUGBwg', ...said })
  for (const operation of ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey', 'sign', 'verify'] as const) {
    const signing = operation === 'sign' || operation === 'verify'
    expect(() => checkAllowed(key({}), operation, 'X')).not.toThrow()
    expect(() => checkAllowed(key({ key_ops: [], use: '' }), operation, 'X')).not.toThrow()
    expect(() => checkAllowed(key({ key_ops: [operation], alg: 'X' }), operation, 'X')).not.toThrow()
    expect(() => checkAllowed(key({ key_ops: ['other'] }), operation, 'X')).toThrow('key_ops')
    expect(() => checkAllowed(key({ alg: 'Y' }), operation, 'X')).toThrow('alg is Y')
    const right = signing ? 'sig' : 'enc'
    expect(() => checkAllowed(key({ use: right }), operation, 'X')).not.toThrow()
    expect(() => checkAllowed(key({ use: signing ? 'enc' : 'sig' }), operation, 'X')).toThrow(
      `needs ${right}`,
    )
  }
})
