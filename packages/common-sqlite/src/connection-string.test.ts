import { expect, test } from 'vitest'
import { parseConnectionString } from './connection-string.ts'

const parse = (text: string) => parseConnectionString(text, '/base')

test.each([
  ['data.db', '/base/data.db'],
  ['./sub/data.db', '/base/sub/data.db'],
  ['/abs/data.db', '/abs/data.db'],
  ['file:data.db', '/base/data.db'],
  ['file:data.db?cache=shared&_txlock=immediate', '/base/data.db'],
  ['data.db?mode=rwc', '/base/data.db'],
  ['file:/abs/data.db', '/abs/data.db'],
  ['file:///abs/data.db', '/abs/data.db'],
  ['file://localhost/abs/data.db#x', '/abs/data.db'],
  ['FILE:with%20space.db', '/base/with space.db'],
  ['100%.db', '/base/100%.db'],
])('%s is the file %s', (text, path) => {
  expect(parse(text)).toEqual({ path, inMemory: false, mustExist: false, pragmas: [] })
})

test.each([
  ':memory:',
  ':memory:?cache=shared',
  'file::memory:',
  'file::memory:?cache=shared',
  'file:x?mode=memory',
])('%s is in memory', (text) => expect(parse(text)).toMatchObject({ path: ':memory:', inMemory: true }))

test('mode=rw asks for a file that exists', () => {
  expect(parse('file:data.db?mode=rw')).toMatchObject({ path: '/base/data.db', mustExist: true })
})

test('tuning pragmas are taken over in their order', () => {
  expect(parse('data.db?_pragma=cache_size(-4000)&_pragma=mmap_size=0').pragmas).toEqual([
    'PRAGMA cache_size=-4000',
    'PRAGMA mmap_size=0',
  ])
})

test.each([
  ['', 'names no file'],
  ['file:', 'names no file'],
  ['file:data.db?mode=ro', 'for reading only'],
  ['file:data.db?immutable=1', 'for reading only'],
  ['file:data.db?mode=fast', 'must be rw, rwc or memory'],
  ['file://server/data.db', 'names the host server'],
  ['file:%zz.db', 'percent'],
  ['data.db?_pragma=busy_timeout(1)', 'metadata field busyTimeout'],
  ['data.db?_pragma=journal_mode(OFF)', 'metadata field disableWAL'],
  ['data.db?_pragma=writable_schema(1)', 'may not be set'],
  ['data.db?_pragma=cache_size(1);drop', 'must look like'],
])('%j is refused: %s', (text, message) => {
  expect(() => parse(text)).toThrow(message)
  expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'INVALID_METADATA' }))
})
