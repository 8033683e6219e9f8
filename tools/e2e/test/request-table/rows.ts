import type { Item, Row } from './operations.ts'

const item = (key: string, value: string, more: Partial<Item> = {}): Item => ({ key, value, ...more })

/** Of each state store, for callers that share it. The key `none` is one that nobody writes. */
export function stateRows(store: string, caller: string): Row[] {
  const fresh = `fresh-${caller}`
  const save = (...items: Item[]) => ({ op: 'saveState', store, items }) as const
  const get = (key: string) => ({ op: 'getState', store, key }) as const
  return [
    { name: 'a value that is not there', when: get('none'), value: null },
    { name: 'saving', when: save(item('a', '{"n":1}')), value: null },
    {
      name: 'a value as it was sent, digit for digit',
      given: [save(item('number', '{"n":12345678901234567890.10}'))],
      when: get('number'),
      value: { data: '{"n":12345678901234567890.10}', etag: true },
      differs: { because: 'A state value goes through Go', on: 'HTTP' },
    },
    {
      name: 'text beyond ASCII',
      given: [save(item('text', '"grüße 🚀"'))],
      when: get('text'),
      value: { data: '"grüße 🚀"', etag: true },
    },
    { name: 'saving nothing', when: save(), value: null },
    { name: 'a key with ||', when: save(item('a||b', '1')), fails: 'STATE_ILLEGAL_KEY' },
    { name: 'reading a key with ||', when: get('a||b'), fails: 'STATE_ILLEGAL_KEY' },
    {
      name: 'an ETag that is not the one there is',
      given: [save(item('tagged', '1'))],
      when: save(item('tagged', '2', { etag: '999999' })),
      fails: 'STATE_SAVE_ETAG_MISMATCH',
    },
    {
      name: 'first-write where there is something',
      given: [save(item('first', '1'))],
      when: save(item('first', '2', { concurrency: 'first-write' })),
      fails: 'STATE_SAVE_ETAG_MISMATCH',
      differs: { because: '`state.redis`: a first write without ETag' },
    },
    {
      name: 'first-write where there is nothing',
      when: save(item(fresh, '1', { concurrency: 'first-write' })),
      value: null,
    },
    {
      name: 'deleting',
      given: [save(item('gone', '1')), { op: 'deleteState', store, key: 'gone' }],
      when: get('gone'),
      value: null,
    },
    { name: 'deleting what is not there', when: { op: 'deleteState', store, key: 'none' }, value: null },
    {
      name: 'deleting with an ETag that is not the one there is',
      given: [save(item('kept', '1'))],
      when: { op: 'deleteState', store, key: 'kept', etag: '999999' },
      fails: 'STATE_DELETE_ETAG_MISMATCH',
    },
    {
      name: 'several values at once',
      given: [save(item('m1', '1'), item('m2', '"two"'))],
      when: { op: 'getBulkState', store, keys: ['m1', 'm2', 'none'] },
      value: [
        { key: 'm1', data: 1, failed: false },
        { key: 'm2', data: 'two', failed: false },
        { key: 'none', data: null, failed: false },
      ],
    },
    { name: 'no values at once', when: { op: 'getBulkState', store, keys: [] }, value: [] },
    {
      name: 'a transaction',
      given: [
        save(item('t1', '1')),
        {
          op: 'transact',
          store,
          operations: [
            { operation: 'upsert', item: item('t2', '2') },
            { operation: 'delete', item: { key: 't1' } },
          ],
        },
      ],
      when: { op: 'getBulkState', store, keys: ['t1', 't2'] },
      value: [
        { key: 't1', data: null, failed: false },
        { key: 't2', data: 2, failed: false },
      ],
    },
    { name: 'a transaction of nothing', when: { op: 'transact', store, operations: [] }, value: null },
    {
      name: 'a transaction with an operation that is none',
      when: { op: 'transact', store, operations: [{ operation: 'merge' as 'upsert', item: item('x', '1') }] },
      fails: 'STATE_OPERATION_NOT_SUPPORTED',
    },
    {
      name: 'a transaction on a key with ||',
      when: { op: 'transact', store, operations: [{ operation: 'upsert', item: item('x||y', '1') }] },
      fails: 'STATE_ILLEGAL_KEY',
    },
    {
      name: 'a value that is null',
      given: [save(item('null', 'null'))],
      when: get('null'),
      value: { data: 'null', etag: true },
    },
    {
      name: 'a value that is an empty text',
      given: [save(item('empty', '""'))],
      when: get('empty'),
      value: { data: '""', etag: true },
    },
    {
      name: 'the last of two values of one key',
      given: [save(item('twice', '1'), item('twice', '2'))],
      when: get('twice'),
      value: { data: '2', etag: true },
      differs: { because: 'Of two values of one key in one request any may stay' },
    },
    {
      name: 'last-write over what is there',
      given: [save(item('over', '1')), save(item('over', '2', { concurrency: 'last-write' }))],
      when: get('over'),
      value: { data: '2', etag: true },
    },
    {
      name: 'a key with a slash, a blank and a percent',
      given: [save(item('a/b c%d', '1'))],
      when: get('a/b c%d'),
      value: { data: '1', etag: true },
    },
    {
      name: 'a key beyond ASCII',
      given: [save(item('schlüssel', '1'))],
      when: get('schlüssel'),
      value: { data: '1', etag: true },
    },
    {
      name: 'a value that has expired',
      given: [save(item('mortal', '1', { metadata: { ttlInSeconds: '-1' } }))],
      when: get('mortal'),
      value: { data: '1', etag: true },
    },
    {
      name: 'a time to live that is no number',
      when: save(item('soon', '1', { metadata: { ttlInSeconds: 'soon' } })),
      fails: 'MALFORMED_REQUEST',
      differs: { because: 'A bad `ttlInSeconds` is sometimes ignored' },
    },
    {
      name: 'strong consistency',
      given: [save(item('strong', '1'))],
      when: { op: 'getState', store, key: 'strong', consistency: 'strong' },
      value: { data: '1', etag: true },
    },
    {
      name: 'several values, some of which have a key with ||',
      when: { op: 'getBulkState', store, keys: ['a', 'b||c'] },
      fails: 'STATE_ILLEGAL_KEY',
    },
    {
      name: 'deleting a key with ||',
      when: { op: 'deleteState', store, key: 'a||b' },
      fails: 'STATE_ILLEGAL_KEY',
    },
    {
      name: 'a transaction that writes one key twice',
      given: [
        {
          op: 'transact',
          store,
          operations: [
            { operation: 'upsert', item: item('pair', '1') },
            { operation: 'upsert', item: item('pair', '2') },
          ],
        },
      ],
      when: get('pair'),
      value: { data: '2', etag: true },
    },
    {
      name: 'a transaction that writes and deletes one key',
      given: [
        {
          op: 'transact',
          store,
          operations: [
            { operation: 'upsert', item: item('brief', '1') },
            { operation: 'delete', item: { key: 'brief' } },
          ],
        },
      ],
      when: get('brief'),
      value: null,
    },
    {
      name: 'a query of a store that has none',
      when: { op: 'queryState', store, query: '{}' },
      fails: 'STATE_QUERY_NOT_SUPPORTED',
      differs: { because: '`state.redis` has queries' },
    },
  ]
}

const absent = { store: 'absent' } as const

export const rows: readonly Row[] = [
  {
    name: 'state: no such store',
    when: { op: 'getState', ...absent, key: 'a' },
    fails: 'STATE_STORE_NOT_FOUND',
  },
  {
    name: 'state: saving to no such store',
    when: { op: 'saveState', ...absent, items: [item('a', '1')] },
    fails: 'STATE_STORE_NOT_FOUND',
  },
  {
    name: 'state: deleting from no such store',
    when: { op: 'deleteState', ...absent, key: 'a' },
    fails: 'STATE_STORE_NOT_FOUND',
  },
  {
    name: 'state: several from no such store',
    when: { op: 'getBulkState', ...absent, keys: ['a'] },
    fails: 'STATE_STORE_NOT_FOUND',
  },
  {
    name: 'state: a transaction on no such store',
    when: { op: 'transact', ...absent, operations: [{ operation: 'upsert', item: item('a', '1') }] },
    fails: 'STATE_STORE_NOT_FOUND',
  },
  {
    name: 'state: a query of no such store',
    when: { op: 'queryState', ...absent, query: '{}' },
    fails: 'STATE_STORE_NOT_FOUND',
  },
  {
    name: 'state: no store at all',
    empty: true,
    when: { op: 'getState', ...absent, key: 'a' },
    fails: 'STATE_STORE_NOT_CONFIGURED',
  },
  {
    name: 'state: saving, no store at all',
    empty: true,
    when: { op: 'saveState', ...absent, items: [item('a', '1')] },
    fails: 'STATE_STORE_NOT_CONFIGURED',
  },
  ...['a topic', 'JSON', 'bytes', 'a CloudEvent'].map((kind, index): Row => ({
    name: `publish: ${kind}`,
    when: {
      op: 'publish',
      pubsub: 'bus',
      topic: 'orders',
      data: [
        'text',
        '{"n":1}',
        '\u0001\u0002',
        '{"specversion":"1.0","id":"1","type":"t","source":"s","data":1}',
      ][index]!,
      contentType: [
        'text/plain',
        'application/json',
        'application/octet-stream',
        'application/cloudevents+json',
      ][index]!,
    },
    value: null,
  })),
  {
    name: 'publish: no such broker',
    when: { op: 'publish', pubsub: 'absent', topic: 'orders', data: '1', contentType: 'application/json' },
    fails: 'PUBSUB_NOT_FOUND',
  },
  {
    name: 'publish: no broker at all',
    empty: true,
    when: { op: 'publish', pubsub: 'absent', topic: 'orders', data: '1', contentType: 'application/json' },
    fails: 'PUBSUB_NOT_FOUND',
  },
  {
    name: 'publish: a topic that is not allowed',
    when: { op: 'publish', pubsub: 'bus', topic: 'secret', data: '1', contentType: 'application/json' },
    fails: 'PUBSUB_FORBIDDEN',
  },
  {
    name: 'publish: a CloudEvent that is none',
    when: {
      op: 'publish',
      pubsub: 'bus',
      topic: 'orders',
      data: 'no',
      contentType: 'application/cloudevents+json',
    },
    fails: 'PUBSUB_CLOUD_EVENT',
  },
  {
    name: 'publish: rawPayload that is neither true nor false',
    when: {
      op: 'publish',
      pubsub: 'bus',
      topic: 'orders',
      data: '1',
      contentType: 'application/json',
      metadata: { rawPayload: 'perhaps' },
    },
    fails: 'PUBSUB_METADATA',
  },
  {
    name: 'publish: several',
    when: {
      op: 'publishBulk',
      pubsub: 'bus',
      topic: 'orders',
      entries: [
        { entryId: '1', data: '{"n":1}', contentType: 'application/json' },
        { entryId: '2', data: '"two"', contentType: 'application/json' },
      ],
    },
    value: null,
  },
  {
    name: 'publish: several with the same id',
    when: {
      op: 'publishBulk',
      pubsub: 'bus',
      topic: 'orders',
      entries: ['1', '1'].map((entryId) => ({ entryId, data: '1', contentType: 'application/json' })),
    },
    fails: 'PUBSUB_ENTRIES',
  },
  {
    name: 'publish: several without id',
    when: {
      op: 'publishBulk',
      pubsub: 'bus',
      topic: 'orders',
      entries: [{ entryId: '', data: '1', contentType: 'application/json' }],
    },
    fails: 'PUBSUB_ENTRIES',
  },
  {
    name: 'publish: several to no such broker',
    when: {
      op: 'publishBulk',
      pubsub: 'absent',
      topic: 'orders',
      entries: [{ entryId: '1', data: '1', contentType: 'application/json' }],
    },
    fails: 'PUBSUB_NOT_FOUND',
  },
  {
    name: 'publish: several to a topic that is not allowed',
    when: {
      op: 'publishBulk',
      pubsub: 'bus',
      topic: 'secret',
      entries: [{ entryId: '1', data: '1', contentType: 'application/json' }],
    },
    fails: 'PUBSUB_FORBIDDEN',
  },
  {
    name: 'publish: a time to live that is none',
    when: {
      op: 'publish',
      pubsub: 'bus',
      topic: 'orders',
      data: '1',
      contentType: 'application/json',
      metadata: { ttlInSeconds: 'soon' },
    },
    fails: 'PUBSUB_METADATA',
    differs: { because: 'A bad `ttlInSeconds` is sometimes ignored' },
  },
  {
    name: 'publish: JSON that is none',
    when: { op: 'publish', pubsub: 'bus', topic: 'orders', data: '{', contentType: 'application/json' },
    value: null,
  },
  {
    name: 'publish: raw bytes',
    when: {
      op: 'publish',
      pubsub: 'bus',
      topic: 'orders',
      data: '{',
      contentType: 'application/json',
      metadata: { rawPayload: 'true' },
    },
    value: null,
  },
  {
    name: 'publish: a CloudEvent that lacks what it must have',
    when: {
      op: 'publish',
      pubsub: 'bus',
      topic: 'orders',
      data: '{"data":1}',
      contentType: 'application/cloudevents+json',
    },
    value: null,
  },
  {
    name: 'publish: a topic with a slash',
    when: { op: 'publish', pubsub: 'bus', topic: 'orders/new', data: '1', contentType: 'application/json' },
    fails: 'PUBSUB_FORBIDDEN',
  },
  {
    name: 'publish: no entries at all',
    when: { op: 'publishBulk', pubsub: 'bus', topic: 'orders', entries: [] },
    value: null,
  },
  {
    name: 'bindings: a list of files',
    when: {
      op: 'invokeBinding',
      name: 'files',
      operation: 'list',
      data: '',
      metadata: { fileName: 'absent-folder' },
    },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'bindings: a file outside of its folder',
    when: {
      op: 'invokeBinding',
      name: 'files',
      operation: 'get',
      data: '',
      metadata: { fileName: '../secrets.json' },
    },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'bindings: no operation',
    when: { op: 'invokeBinding', name: 'files', operation: '', data: '' },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'bindings: what was written is read',
    given: [
      {
        op: 'invokeBinding',
        name: 'files',
        operation: 'create',
        data: 'hello',
        metadata: { fileName: 'row.txt' },
      },
    ],
    when: {
      op: 'invokeBinding',
      name: 'files',
      operation: 'get',
      data: '',
      metadata: { fileName: 'row.txt' },
    },
    value: 'hello',
  },
  {
    name: 'bindings: no such binding',
    when: { op: 'invokeBinding', name: 'absent', operation: 'create', data: '' },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'bindings: an operation that there is not',
    when: { op: 'invokeBinding', name: 'files', operation: 'dance', data: '' },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'bindings: a file that is not there',
    when: {
      op: 'invokeBinding',
      name: 'files',
      operation: 'get',
      data: '',
      metadata: { fileName: 'absent.txt' },
    },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
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
