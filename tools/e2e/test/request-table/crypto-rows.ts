import type { Row } from './operations.ts'

/** Encrypted streams. */
export const cryptoRows: readonly Row[] = [
  {
    name: 'crypto: the scheme of what is encrypted',
    when: { op: 'encrypt', provider: 'keys', key: 'aes.key', algorithm: 'A256KW', data: 'hello' },
    value: 'dapr.io/enc/v1',
  },
  {
    name: 'crypto: there and back',
    when: {
      op: 'roundTrip',
      provider: 'keys',
      key: 'aes.key',
      algorithm: 'A256KW',
      data: 'hello '.repeat(30_000),
    },
    value: 'hello '.repeat(30_000),
  },
  {
    name: 'crypto: nothing, there and back',
    when: { op: 'roundTrip', provider: 'keys', key: 'aes.key', algorithm: 'A256KW', data: '' },
    value: '',
  },
  {
    name: 'crypto: an algorithm that there is not',
    when: { op: 'encrypt', provider: 'keys', key: 'aes.key', algorithm: 'ROT13', data: 'hello' },
    fails: 'CRYPTO',
  },
  {
    name: 'crypto: a key that is not there',
    when: { op: 'encrypt', provider: 'keys', key: 'absent.key', algorithm: 'A256KW', data: 'hello' },
    fails: 'CRYPTO',
  },
  {
    name: 'crypto: a key that is not for this algorithm',
    when: { op: 'encrypt', provider: 'keys', key: 'aes.key', algorithm: 'RSA-OAEP-256', data: 'hello' },
    fails: 'CRYPTO',
  },
  {
    name: 'crypto: no key named',
    when: { op: 'encrypt', provider: 'keys', key: '', algorithm: 'A256KW', data: 'hello' },
    fails: 'BAD_REQUEST',
  },
  {
    name: 'crypto: no algorithm named',
    when: { op: 'encrypt', provider: 'keys', key: 'aes.key', algorithm: '', data: 'hello' },
    fails: 'BAD_REQUEST',
  },
  {
    name: 'crypto: no such provider',
    when: { op: 'encrypt', provider: 'absent', key: 'aes.key', algorithm: 'A256KW', data: 'hello' },
    fails: 'CRYPTO_PROVIDER_NOT_FOUND',
  },
  {
    name: 'crypto: no provider at all',
    at: 'empty',
    when: { op: 'encrypt', provider: 'absent', key: 'aes.key', algorithm: 'A256KW', data: 'hello' },
    fails: 'CRYPTO_PROVIDERS_NOT_CONFIGURED',
  },
  {
    name: 'crypto: what was never encrypted',
    when: { op: 'decrypt', provider: 'keys', data: 'plain text' },
    fails: 'CRYPTO',
  },
  {
    name: 'crypto: decrypting, no such provider',
    when: { op: 'decrypt', provider: 'absent', data: 'plain text' },
    fails: 'CRYPTO_PROVIDER_NOT_FOUND',
  },
  {
    name: 'crypto: decrypting, no provider at all',
    at: 'empty',
    when: { op: 'decrypt', provider: 'absent', data: 'plain text' },
    fails: 'CRYPTO_PROVIDERS_NOT_CONFIGURED',
  },
  {
    name: 'crypto: with an RSA key, there and back',
    when: { op: 'roundTrip', provider: 'keys', key: 'rsa.pem', algorithm: 'RSA-OAEP-256', data: 'hello' },
    value: 'hello',
  },
]
