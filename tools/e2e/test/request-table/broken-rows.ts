import type { Operation, Row } from './operations.ts'

const store = 'redis'
const deletion = '`state.redis`: whatever fails a deletion'
const item = { key: 'a', value: '1' }
const entry = { data: '1', contentType: 'application/json' }

const row = (name: string, when: Operation, fails: NonNullable<Row['fails']>, because?: string): Row => ({
  name: `broken: ${name}`,
  at: 'broken',
  when,
  fails,
  ...(because === undefined ? {} : { differs: { because } }),
})

/** What is asked of components whose servers and files have gone. */
export const brokenRows: readonly Row[] = [
  row('a value', { op: 'getState', store, key: 'a' }, 'STATE_GET'),
  row('saving', { op: 'saveState', store, items: [item] }, 'STATE_SAVE'),
  row('saving several', { op: 'saveState', store, items: [item, { key: 'b', value: '2' }] }, 'STATE_SAVE'),
  row('deleting', { op: 'deleteState', store, key: 'a' }, 'STATE_DELETE', deletion),
  row(
    'deleting several',
    { op: 'deleteBulkState', store, items: [{ key: 'a' }] },
    'STATE_BULK_DELETE',
    deletion,
  ),
  {
    name: 'broken: several values, each of which fails',
    at: 'broken',
    when: { op: 'getBulkState', store, keys: ['a', 'b'] },
    value: ['a', 'b'].map((key) => ({ key, data: null, failed: true })),
  },
  row(
    'a transaction',
    { op: 'transact', store, operations: [{ operation: 'upsert', item }] },
    'STATE_TRANSACTION',
  ),
  row('publishing', { op: 'publish', pubsub: 'stream', topic: 'orders', ...entry }, 'PUBSUB_PUBLISH'),
  {
    name: 'broken: publishing several, each of which fails',
    at: 'broken',
    when: {
      op: 'publishBulk',
      pubsub: 'stream',
      topic: 'orders',
      entries: ['1', '2'].map((entryId) => ({ entryId, ...entry })),
    },
    value: { failed: ['1', '2'] },
    differs: { because: 'A bulk publish over gRPC', on: 'gRPC' },
  },
  row(
    'subscribing',
    { op: 'subscribeTopic', pubsub: 'stream', topic: 'orders' },
    'PUBSUB_SUBSCRIBE',
    'A streaming subscription that is refused',
  ),
  row('a binding', { op: 'invokeBinding', name: 'web', operation: 'get', data: '' }, 'INVOKE_OUTPUT_BINDING'),
  row('configuration', { op: 'getConfiguration', store: 'settings', keys: ['a'] }, 'CONFIGURATION_GET'),
  row(
    'following configuration',
    { op: 'followConfiguration', store: 'settings', keys: ['a'] },
    'CONFIGURATION_SUBSCRIBE',
    '`configuration.redis` takes subscriptions',
  ),
  row('a lock', { op: 'tryLock', store: 'locks', resource: 'r', owner: 'me', expiry: 60 }, 'TRY_LOCK'),
  row('giving a lock back', { op: 'unlock', store: 'locks', resource: 'r', owner: 'me' }, 'UNLOCK'),
  row(
    'a key whose file has gone',
    { op: 'encrypt', provider: 'keys', key: 'gone.key', algorithm: 'A256KW', data: 'hello' },
    'CRYPTO',
  ),
  row(
    'a public key whose file has gone',
    { op: 'subtle', method: 'getKey', provider: 'keys', message: { name: 'gone.key' } },
    'CRYPTO_KEY',
    'The subtle cryptography routes work',
  ),
]
