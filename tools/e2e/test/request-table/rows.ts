import { messageRows } from './message-rows.ts'
import type { Row } from './operations.ts'
import { storeRows } from './state-rows.ts'

export { stateRows } from './state-rows.ts'

const absent = { store: 'absent' } as const

/** Everything that is asked once, of whichever store. */
export const rows: readonly Row[] = [
  ...storeRows,
  ...messageRows,
  {
    name: 'secrets: one',
    when: { op: 'getSecret', store: 'vault', key: 'password' },
    value: { password: 'swordfish' },
  },
  {
    name: 'secrets: all that are allowed',
    when: { op: 'getBulkSecret', store: 'vault' },
    value: { password: { password: 'swordfish' }, 'db:user': { 'db:user': 'sa' } },
  },
  {
    name: 'secrets: one that is denied',
    when: { op: 'getSecret', store: 'vault', key: 'hidden' },
    fails: 'SECRET_PERMISSION_DENIED',
  },
  {
    name: 'secrets: one that is not there',
    when: { op: 'getSecret', store: 'vault', key: 'absent' },
    fails: 'SECRET_GET',
  },
  {
    name: 'secrets: no such store',
    when: { op: 'getSecret', ...absent, key: 'a' },
    fails: 'SECRET_STORE_NOT_FOUND',
  },
  {
    name: 'secrets: all of no such store',
    when: { op: 'getBulkSecret', ...absent },
    fails: 'SECRET_STORE_NOT_FOUND',
  },
  {
    name: 'secrets: no store at all',
    empty: true,
    when: { op: 'getSecret', ...absent, key: 'a' },
    fails: 'SECRET_STORES_NOT_CONFIGURED',
  },
  {
    name: 'configuration: values',
    when: { op: 'getConfiguration', store: 'settings', keys: ['colour', 'size'] },
    value: { colour: 'red', size: 'large' },
  },
  {
    name: 'configuration: a value that is not there',
    when: { op: 'getConfiguration', store: 'settings', keys: ['absent'] },
    value: {},
  },
  {
    name: 'configuration: one of two is there',
    when: { op: 'getConfiguration', store: 'settings', keys: ['colour', 'absent'] },
    value: { colour: 'red' },
  },
  {
    name: 'configuration: the same key twice',
    when: { op: 'getConfiguration', store: 'settings', keys: ['colour', 'colour'] },
    value: { colour: 'red' },
  },
  {
    name: 'configuration: no such store',
    when: { op: 'getConfiguration', ...absent, keys: ['a'] },
    fails: 'CONFIGURATION_STORE_NOT_FOUND',
  },
  {
    name: 'configuration: no store at all',
    empty: true,
    when: { op: 'getConfiguration', ...absent, keys: ['a'] },
    fails: 'CONFIGURATION_STORE_NOT_CONFIGURED',
  },
  {
    name: 'configuration: subscribing to no such store',
    when: { op: 'subscribeConfiguration', ...absent, keys: ['a'] },
    fails: 'CONFIGURATION_STORE_NOT_FOUND',
  },
  {
    name: 'locks: a free one, a taken one, and giving it back',
    given: [{ op: 'tryLock', store: 'locks', resource: 'r1', owner: 'me', expiry: 60 }],
    when: { op: 'tryLock', store: 'locks', resource: 'r1', owner: 'you', expiry: 60 },
    value: false,
  },
  {
    name: 'locks: one of somebody else',
    when: { op: 'unlock', store: 'locks', resource: 'r1', owner: 'you' },
    value: 2,
  },
  {
    name: 'locks: giving one back',
    when: { op: 'unlock', store: 'locks', resource: 'r1', owner: 'me' },
    value: 0,
  },
  {
    name: 'locks: one that nobody holds',
    when: { op: 'unlock', store: 'locks', resource: 'r1', owner: 'me' },
    value: 1,
  },
  {
    name: 'locks: no resource',
    when: { op: 'tryLock', store: 'locks', resource: '', owner: 'me', expiry: 60 },
    fails: 'MALFORMED_REQUEST',
  },
  {
    name: 'locks: no owner',
    when: { op: 'tryLock', store: 'locks', resource: 'r', owner: '', expiry: 60 },
    fails: 'MALFORMED_REQUEST',
  },
  {
    name: 'locks: no expiry',
    when: { op: 'tryLock', store: 'locks', resource: 'r', owner: 'me', expiry: 0 },
    fails: 'MALFORMED_REQUEST',
  },
  {
    name: 'locks: no such store',
    when: { op: 'tryLock', ...absent, resource: 'r', owner: 'me', expiry: 60 },
    fails: 'LOCK_STORE_NOT_FOUND',
  },
  {
    name: 'locks: giving back to no such store',
    when: { op: 'unlock', ...absent, resource: 'r', owner: 'me' },
    fails: 'LOCK_STORE_NOT_FOUND',
  },
  {
    name: 'locks: no store at all',
    empty: true,
    when: { op: 'tryLock', ...absent, resource: 'r', owner: 'me', expiry: 60 },
    fails: 'LOCK_STORE_NOT_CONFIGURED',
  },
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
    empty: true,
    when: { op: 'encrypt', provider: 'absent', key: 'aes.key', algorithm: 'A256KW', data: 'hello' },
    fails: 'CRYPTO_PROVIDERS_NOT_CONFIGURED',
  },
  {
    name: 'crypto: what was never encrypted',
    when: { op: 'decrypt', provider: 'keys', data: 'plain text' },
    fails: 'CRYPTO',
  },
  { name: 'metadata: an own value', when: { op: 'setMetadata', key: 'mood', value: 'good' }, value: null },
]
