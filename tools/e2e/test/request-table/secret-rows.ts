import type { Row } from './operations.ts'

const absent = { store: 'absent' } as const

/** Secrets. `vault` hides one, `strict` shows one, `closed` none, and `open` has no scope. */
export const secretRows: readonly Row[] = [
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
    at: 'empty',
    when: { op: 'getSecret', ...absent, key: 'a' },
    fails: 'SECRET_STORES_NOT_CONFIGURED',
  },
  {
    name: 'secrets: all of no store at all',
    at: 'empty',
    when: { op: 'getBulkSecret', ...absent },
    fails: 'SECRET_STORES_NOT_CONFIGURED',
  },
  {
    name: 'secrets: one with several values, by its full name',
    when: { op: 'getSecret', store: 'vault', key: 'db:user' },
    value: { 'db:user': 'sa' },
  },
  {
    name: 'secrets: without a scope everything is allowed',
    when: { op: 'getBulkSecret', store: 'open' },
    value: {
      password: { password: 'swordfish' },
      hidden: { hidden: 'never' },
      'db:user': { 'db:user': 'sa' },
    },
  },
  {
    name: 'secrets: one of an allowed list',
    when: { op: 'getSecret', store: 'strict', key: 'password' },
    value: { password: 'swordfish' },
  },
  {
    name: 'secrets: one that an allowed list does not name, though access is allowed',
    when: { op: 'getSecret', store: 'strict', key: 'hidden' },
    fails: 'SECRET_PERMISSION_DENIED',
  },
  {
    name: 'secrets: one that is not there and that an allowed list does not name',
    when: { op: 'getSecret', store: 'strict', key: 'absent' },
    fails: 'SECRET_PERMISSION_DENIED',
  },
  {
    name: 'secrets: all of an allowed list',
    when: { op: 'getBulkSecret', store: 'strict' },
    value: { password: { password: 'swordfish' } },
  },
  {
    name: 'secrets: one where access is denied',
    when: { op: 'getSecret', store: 'closed', key: 'password' },
    fails: 'SECRET_PERMISSION_DENIED',
  },
  {
    name: 'secrets: all where access is denied',
    when: { op: 'getBulkSecret', store: 'closed' },
    value: {},
  },
]
