import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Database } from '../src/index.ts'
import { folder, open, run } from './support.ts'

async function table(
  properties: Record<string, string> = { connectionString: ':memory:' },
): Promise<Database> {
  const database = await open(properties)
  await database.write(() => database.statement('CREATE TABLE IF NOT EXISTS t(a PRIMARY KEY)').run())
  return database
}

const values = (database: Database): Promise<unknown[]> =>
  database.read(() =>
    database
      .statement('SELECT a FROM t ORDER BY rowid')
      .all()
      .map((row) => row['a']),
  )

test('writes of one turn share a transaction, in their order', async () => {
  const path = join(folder(), 'a.db')
  const database = await table({ connectionString: path })
  const other = await open({ connectionString: path })
  const insert = database.statement('INSERT INTO t VALUES (?)')
  const seen: unknown[] = []
  // What a second connection sees while the writes are being done: nothing, since none is committed.
  const writes = [1, 2, 3].map((value) =>
    database.write(() => {
      insert.run(value)
      seen.push(other.statement('SELECT count(*) AS n FROM t').get()!['n'])
    }),
  )
  await Promise.all(writes)
  expect(seen).toEqual([0, 0, 0])
  expect(await values(other)).toEqual([1, 2, 3])
})

test.each([true, false])('a write that fails takes no other with it (single: %s)', async (single) => {
  const database = await table()
  const insert = database.statement('INSERT INTO t VALUES (?)')
  const write = (...rows: number[]): Promise<string> =>
    database
      .write(
        () => {
          for (const row of rows) insert.run(row)
        },
        { single },
      )
      .then(
        () => 'written',
        (error: Error) => (error as { code?: string }).code!,
      )
  const outcomes = single
    ? await Promise.all([write(1), write(1), write(2)])
    : await Promise.all([write(1, 2), write(3, 1), write(4)])
  expect(outcomes).toEqual(['written', 'INTERNAL', 'written'])
  expect(await values(database)).toEqual(single ? [1, 2] : [1, 2, 4])
})

test('a write that fails alone is undone', async () => {
  const database = await table()
  const insert = database.statement('INSERT INTO t VALUES (?)')
  const failed = database.write(() => {
    insert.run(1)
    throw new Error('no')
  })
  await expect(failed).rejects.toMatchObject({ code: 'INTERNAL' })
  expect(await values(database)).toEqual([])
})

test('more writes than a group has are all done, in their order', async () => {
  const database = await table()
  const insert = database.statement('INSERT INTO t VALUES (?)')
  const all = Array.from({ length: 1000 }, (_, index) => index)
  await Promise.all(all.map((value) => database.write(() => insert.run(value))))
  expect(await values(database)).toEqual(all)
})

test('the queue has an end', async () => {
  const database = await table()
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20_001 }, () => database.write(() => undefined, { single: true })),
  )
  const rejected = outcomes.filter((outcome) => outcome.status === 'rejected')
  expect(rejected).toHaveLength(1)
  expect(rejected[0]!.reason).toMatchObject({ code: 'RESOURCE_EXHAUSTED' })
})

test('close does what waits, and then there is nothing more to do', async () => {
  const path = join(folder(), 'a.db')
  const database = await table({ connectionString: path })
  const written = database.write(() => database.statement('INSERT INTO t VALUES (7)').run())
  await Promise.all([database.close(), database.close()])
  await written
  await expect(database.write(() => undefined)).rejects.toMatchObject({ code: 'CLOSED' })
  await expect(database.read(() => undefined)).rejects.toMatchObject({ code: 'CLOSED' })
  expect(await values(await open({ connectionString: path }))).toEqual([7])
})

test('two connections of this process and two other processes write one file together', async () => {
  const path = join(folder(), 'a.db')
  const first = await table({ connectionString: path, busyTimeout: '30s' })
  const second = await table({ connectionString: path, busyTimeout: '30s' })
  const script = `import { DatabaseSync } from 'node:sqlite'
    const database = new DatabaseSync(process.argv.at(-2), { timeout: 30000 })
    database.exec('PRAGMA synchronous=NORMAL')
    const insert = database.prepare('INSERT INTO t VALUES (?)')
    for (let n = 0; n < 500; n++) { insert.run(process.argv.at(-1) + n); await new Promise(setImmediate) }
    database.close()`
  const children = ['c', 'd'].map((name) => once(run(script, path, name), 'exit'))
  const ours = [first, second].map(async (database, index) => {
    const insert = database.statement('INSERT INTO t VALUES (?)')
    for (let n = 0; n < 500; n++) await database.write(() => insert.run(`${'ab'[index]}${n}`))
  })
  await Promise.all(ours)
  expect((await Promise.all(children)).map(([code]) => code as number)).toEqual([0, 0])
  const rows = await values(first)
  expect(rows).toHaveLength(2000)
  for (const name of 'abcd') {
    const own = rows.filter((row) => String(row).startsWith(name))
    expect(own).toEqual(Array.from({ length: 500 }, (_, n) => `${name}${n}`))
  }
})

test('the data version tells of the writes of others only', async () => {
  const path = join(folder(), 'a.db')
  const first = await table({ connectionString: path })
  const second = await table({ connectionString: path })
  const before = first.dataVersion()
  await first.write(() => first.statement('INSERT INTO t VALUES (1)').run())
  expect(first.dataVersion()).toBe(before)
  await second.write(() => second.statement('INSERT INTO t VALUES (2)').run())
  expect(first.dataVersion()).not.toBe(before)
})
