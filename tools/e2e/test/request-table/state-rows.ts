import type { Item, Row } from './operations.ts'

export const item = (key: string, value: string, more: Partial<Item> = {}): Item => ({ key, value, ...more })

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
      name: 'deleting several',
      given: [save(item('d1', '1'), item('d2', '2'))],
      when: { op: 'deleteBulkState', store, items: [{ key: 'd1' }, { key: 'd2' }] },
      value: null,
    },
    {
      name: 'deleting several, one with an ETag that is not the one there is',
      given: [save(item('d3', '1'))],
      when: { op: 'deleteBulkState', store, items: [{ key: 'd3', etag: '999999' }, { key: 'none' }] },
      fails: 'STATE_BULK_DELETE_ETAG_MISMATCH',
    },
    {
      name: 'deleting several, one with ||',
      when: { op: 'deleteBulkState', store, items: [{ key: 'a||b' }] },
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
