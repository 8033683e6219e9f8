import type { Row } from './operations.ts'

const absent = { store: 'absent' } as const

/** Locks. */
export const lockRows: readonly Row[] = [
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
    at: 'empty',
    when: { op: 'tryLock', ...absent, resource: 'r', owner: 'me', expiry: 60 },
    fails: 'LOCK_STORE_NOT_CONFIGURED',
  },
  {
    name: 'locks: giving back, no store at all',
    at: 'empty',
    when: { op: 'unlock', ...absent, resource: 'r', owner: 'me' },
    fails: 'LOCK_STORE_NOT_CONFIGURED',
  },
  {
    name: 'locks: giving back no resource',
    when: { op: 'unlock', store: 'locks', resource: '', owner: 'me' },
    fails: 'MALFORMED_REQUEST',
  },
  {
    name: 'locks: giving back without an owner',
    when: { op: 'unlock', store: 'locks', resource: 'r', owner: '' },
    fails: 'MALFORMED_REQUEST',
  },
  {
    name: 'locks: a resource with ||',
    when: { op: 'tryLock', store: 'locks', resource: 'a||b', owner: 'me', expiry: 60 },
    fails: 'TRY_LOCK',
  },
  {
    name: 'locks: giving back a resource with ||',
    when: { op: 'unlock', store: 'locks', resource: 'a||b', owner: 'me' },
    fails: 'UNLOCK',
  },
]
