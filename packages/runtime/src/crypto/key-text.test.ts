import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { serializeKey } from './key-text.ts'

const secret = Buffer.from([0xfb, 0xff, ...randomBytes(30)])
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' })
const spki = publicKey.export({ type: 'spki', format: 'der' })

test.each([
  ['bytes', secret, secret],
  ['base64', secret.toString('base64'), secret],
  ['base64 for URLs', secret.toString('base64url'), secret],
  ['base64 and a line break', `${secret.toString('base64')}\n`, secret],
  ['a symmetric JWK', JSON.stringify({ kty: 'oct', k: secret.toString('base64url') }), secret],
  ['a private JWK', JSON.stringify(privateKey.export({ format: 'jwk' })), pkcs8],
  ['a public JWK', JSON.stringify(publicKey.export({ format: 'jwk' })), spki],
  ['private PEM', privateKey.export({ type: 'sec1', format: 'pem' }), pkcs8],
  ['public PEM', publicKey.export({ type: 'spki', format: 'pem' }), spki],
])('%s', (_, given, expected) => {
  expect(Buffer.from(serializeKey(Buffer.from(given as string))!).equals(expected)).toBe(true)
})

test('DER is read by everyone', () => {
  expect(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).equals(privateKey)).toBe(true)
  expect(createPublicKey({ key: spki, format: 'der', type: 'spki' }).equals(publicKey)).toBe(true)
})

test.each([
  '',
  '{"kty":"oct"}',
  '{"kty":"oct","k":7,"padding":"................"}',
  '{"broken',
  '-----BEGIN NOTHING-----',
])('%j is no key', (text) => expect(serializeKey(Buffer.from(text))).toBeUndefined())
