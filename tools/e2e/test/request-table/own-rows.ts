import type { Operation, Row } from './operations.ts'

const row = (name: string, when: Operation, fails: NonNullable<Row['fails']>): Row => ({
  name: `own: ${name}`,
  at: 'own',
  when,
  fails,
})
const upsert = (key: string) => ({ operation: 'upsert', item: { key, value: '1' } }) as const

/** What only stores with limits, without abilities, or with failures of a kind of their own bring about: see own.ts. */
export const ownRows: readonly Row[] = [
  row(
    'more operations than the store takes',
    { op: 'transact', store: 'limited', operations: ['a', 'b', 'c', 'd'].map(upsert) },
    'STATE_TOO_MANY_OPERATIONS',
  ),
  row(
    'a transaction of a store that has none',
    { op: 'transact', store: 'simple', operations: [upsert('a')] },
    'STATE_TRANSACTIONS_NOT_SUPPORTED',
  ),
  {
    name: 'own: several values of which one cannot be read',
    at: 'own',
    when: { op: 'getBulkState', store: 'simple', keys: ['a', 'unreadable'] },
    value: [
      { key: 'a', data: null, failed: false },
      { key: 'unreadable', data: null, failed: true },
    ],
  },
  row('several values at once', { op: 'getBulkState', store: 'bulky', keys: ['a'] }, 'STATE_BULK_GET'),
  row(
    'a query that cannot be read',
    { op: 'queryState', store: 'limited', query: '{' },
    'STATE_QUERY_INVALID',
  ),
  row('a query of what is encrypted', { op: 'queryState', store: 'sealed', query: '{}' }, 'STATE_QUERY'),
  row(
    'a query of a store that has none',
    { op: 'queryState', store: 'simple', query: '{}' },
    'STATE_QUERY_NOT_SUPPORTED',
  ),
  row(
    'a transaction whose events cannot be published',
    { op: 'transact', store: 'outboxed', operations: [upsert('a')] },
    'PUBLISH_OUTBOX',
  ),
  row(
    'subscribing to a broker that refuses it',
    { op: 'subscribeTopic', pubsub: 'deaf', topic: 'orders' },
    'PUBSUB_SUBSCRIBE',
  ),
  row('all secrets of a store that cannot list', { op: 'getBulkSecret', store: 'shy' }, 'SECRET_GET'),
  row(
    'following configuration that tells of no changes',
    { op: 'followConfiguration', store: 'still', keys: ['a'] },
    'CONFIGURATION_SUBSCRIBE',
  ),
]
