import { closeSync, existsSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { folder, open } from './support.ts'

test('relative paths start at the base directory, and missing folders are made', async () => {
  const base = folder()
  const database = await open({ connectionString: 'file:deep/er/a.db' }, { baseDirectory: base })
  expect(database.path).toBe(join(base, 'deep/er/a.db'))
  expect(existsSync(database.path)).toBe(true)
})

test('the journal is a write-ahead log unless that is turned off', async () => {
  const base = folder()
  const mode = async (properties: Record<string, string>): Promise<unknown> => {
    const database = await open(properties)
    return database.statement('PRAGMA journal_mode').get()!['journal_mode']
  }
  expect(await mode({ connectionString: join(base, 'a.db') })).toBe('wal')
  expect(await mode({ connectionString: join(base, 'b.db'), disableWAL: 'true' })).toBe('delete')
  expect(await mode({ connectionString: ':memory:' })).toBe('memory')
})

test('synchronous and the tuning pragmas are set', async () => {
  const path = join(folder(), 'a.db')
  const database = await open({ connectionString: `${path}?_pragma=cache_size(-1234)`, synchronous: 'full' })
  expect(database.statement('PRAGMA synchronous').get()).toMatchObject({ synchronous: 2 })
  expect(database.statement('PRAGMA cache_size').get()).toMatchObject({ cache_size: -1234 })
  const other = await open({ connectionString: path })
  expect(other.statement('PRAGMA synchronous').get()).toMatchObject({ synchronous: 1 })
})

test('what is no database, damaged, a folder, or missing is told as such', async () => {
  const base = folder()
  const text = join(base, 'text.db')
  writeFileSync(text, 'not a database at all, but long enough to be read as one\n'.repeat(100))
  await expect(open({ connectionString: text })).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: `SQLite database ${text} is not a SQLite database (or is an encrypted one)`,
  })

  const damaged = join(base, 'damaged.db')
  const healthy = new DatabaseSync(damaged)
  healthy.exec('CREATE TABLE t(a)')
  healthy.close()
  // Behind the header of 100 bytes stands the root of the schema.
  const file = openSync(damaged, 'r+')
  writeSync(file, Buffer.alloc(3996, 0xff), 0, 3996, 100)
  closeSync(file)
  await expect(open({ connectionString: damaged })).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('is damaged') as string,
  })

  const directory = join(base, 'directory')
  mkdirSync(directory)
  await expect(open({ connectionString: directory })).rejects.toMatchObject({
    code: 'INVALID_METADATA',
    message: expect.stringContaining('is a folder') as string,
  })
  await expect(open({ connectionString: join(text, 'a.db') })).rejects.toMatchObject({
    code: 'INVALID_METADATA',
  })
  const missing = join(base, 'missing.db')
  await expect(open({ connectionString: `file:${missing}?mode=rw` })).rejects.toMatchObject({
    code: 'INVALID_METADATA',
    message: expect.stringContaining('does not exist') as string,
  })
  expect(existsSync(missing)).toBe(false)
})

test('opening can be given up', async () => {
  const initSignal = AbortSignal.abort(new Error('enough'))
  await expect(open({ connectionString: ':memory:' }, { initSignal })).rejects.toMatchObject({
    code: 'CANCELLED',
  })
})
