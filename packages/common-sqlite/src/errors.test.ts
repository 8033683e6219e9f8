import { DatabaseSync } from 'node:sqlite'
import { ComponentError } from '@outrigger/spec'
import { expect, test } from 'vitest'
import { databaseError, isBusy, isConstraint } from './errors.ts'

function thrown(sql: string): unknown {
  const database = new DatabaseSync(':memory:')
  database.exec('CREATE TABLE t(a PRIMARY KEY)')
  try {
    database.exec(sql)
  } catch (error) {
    return error
  } finally {
    database.close()
  }
  throw new Error('nothing was thrown')
}

const sqlite = (errcode: number): Error =>
  Object.assign(new Error('x'), { code: 'ERR_SQLITE_ERROR', errcode })

test.each([
  [5, 'UNAVAILABLE'],
  [6, 'UNAVAILABLE'],
  [8, 'PERMISSION_DENIED'],
  [10, 'UNAVAILABLE'],
  [11, 'FAILED_PRECONDITION'],
  [13, 'RESOURCE_EXHAUSTED'],
  [26, 'FAILED_PRECONDITION'],
  [1, 'INTERNAL'],
])('result code %i is %s and the message names the file', (errcode, code) => {
  expect(databaseError(sqlite(errcode), '/a/b.db')).toMatchObject({ code })
  expect(databaseError(sqlite(errcode), '/a/b.db').message).toContain('/a/b.db')
})

test('extended result codes count as their primary ones', () => {
  expect(isBusy(sqlite(517))).toBe(true)
  expect(isBusy(sqlite(261))).toBe(true)
  expect(isBusy(sqlite(1555))).toBe(false)
})

test('errors that SQLite throws are recognised', () => {
  expect(isConstraint(thrown('INSERT INTO t VALUES (1), (1)'))).toBe(true)
  expect(databaseError(thrown('SELECT absent FROM t'), 'f').message).toContain('no such column')
})

test('a component error passes, and other errors keep their text in the cause only', () => {
  const own = new ComponentError('NOT_FOUND', 'x')
  expect(databaseError(own, 'f')).toBe(own)
  expect(databaseError(new Error('secret'), 'f').message).not.toContain('secret')
})
