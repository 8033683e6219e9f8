import type { Row } from './operations.ts'
import { item } from './state-rows.ts'

const absent = { store: 'absent' } as const

/** State: stores that are not there, and what only some stores know. */
export const storeRows: readonly Row[] = [
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
    at: 'empty',
    when: { op: 'getState', ...absent, key: 'a' },
    fails: 'STATE_STORE_NOT_CONFIGURED',
  },
  {
    name: 'state: saving, no store at all',
    at: 'empty',
    when: { op: 'saveState', ...absent, items: [item('a', '1')] },
    fails: 'STATE_STORE_NOT_CONFIGURED',
  },
  ...(
    [
      ['deleting', { op: 'deleteState', ...absent, key: 'a' }],
      ['deleting several', { op: 'deleteBulkState', ...absent, items: [{ key: 'a' }] }],
      ['several', { op: 'getBulkState', ...absent, keys: ['a'] }],
      ['a transaction', { op: 'transact', ...absent, operations: [] }],
      ['a query', { op: 'queryState', ...absent, query: '{}' }],
    ] as const
  ).map(([what, when]): Row => ({
    name: `state: ${what}, no store at all`,
    at: 'empty',
    when,
    fails: 'STATE_STORE_NOT_CONFIGURED',
  })),
  {
    name: 'state: an ETag that is no number, where ETags are numbers',
    when: { op: 'saveState', store: 'redis', items: [item('a', '1', { etag: 'letters' })] },
    fails: 'STATE_SAVE_ETAG_INVALID',
  },
  {
    name: 'state: deleting several with an ETag that is no number, where ETags are numbers',
    when: { op: 'deleteBulkState', store: 'redis', items: [{ key: 'a', etag: 'letters' }] },
    fails: 'STATE_BULK_DELETE_ETAG_INVALID',
    differs: { because: '`state.redis`: whatever fails a deletion' },
  },
  {
    name: 'state: deleting with an ETag that is no number, where ETags are numbers',
    when: { op: 'deleteState', store: 'redis', key: 'a', etag: 'letters' },
    fails: 'STATE_DELETE_ETAG_INVALID',
    differs: { because: '`state.redis`: whatever fails a deletion' },
  },
  {
    name: 'state: a transaction with an ETag that is not the one there is',
    given: [{ op: 'saveState', store: 'memory', items: [item('committed', '1')] }],
    when: {
      op: 'transact',
      store: 'memory',
      operations: [{ operation: 'upsert', item: item('committed', '2', { etag: '999999' }) }],
    },
    fails: 'STATE_TRANSACTION',
  },
]
