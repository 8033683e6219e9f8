import type { Row } from './operations.ts'

const absent = { store: 'absent' } as const

/** Configuration. */
export const configurationRows: readonly Row[] = [
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
    at: 'empty',
    when: { op: 'getConfiguration', ...absent, keys: ['a'] },
    fails: 'CONFIGURATION_STORE_NOT_CONFIGURED',
  },
  {
    name: 'configuration: subscribing to no such store',
    when: { op: 'followConfiguration', ...absent, keys: ['a'] },
    fails: 'CONFIGURATION_STORE_NOT_FOUND',
  },
  {
    name: 'configuration: subscribing and unsubscribing',
    at: 'served',
    when: { op: 'followConfiguration', store: 'settings', keys: ['colour'] },
    value: { ok: true },
  },
  {
    name: 'configuration: subscribing to everything',
    at: 'served',
    when: { op: 'followConfiguration', store: 'settings', keys: [] },
    value: { ok: true },
  },
  {
    name: 'configuration: subscribing, no store at all',
    at: 'empty',
    when: { op: 'followConfiguration', ...absent, keys: ['a'] },
    fails: 'CONFIGURATION_STORE_NOT_CONFIGURED',
  },
  {
    name: 'configuration: unsubscribing what was never subscribed',
    when: { op: 'unsubscribeConfiguration', store: 'settings', id: 'nosuch' },
    value: { ok: false },
    differs: { because: 'Unsubscribing an unknown id answers', on: 'HTTP' },
  },
  {
    name: 'configuration: unsubscribing from no such store',
    when: { op: 'unsubscribeConfiguration', ...absent, id: 'nosuch' },
    fails: 'CONFIGURATION_STORE_NOT_FOUND',
    grpc: { value: { ok: false } },
  },
  {
    name: 'configuration: unsubscribing, no store at all',
    at: 'empty',
    when: { op: 'unsubscribeConfiguration', ...absent, id: 'nosuch' },
    fails: 'CONFIGURATION_STORE_NOT_CONFIGURED',
    grpc: { value: { ok: false } },
  },
]
