import { join } from 'node:path'
import { expect, test } from 'vitest'
import { folder, holdLock, open } from './support.ts'

test('a write waits for the lock of another process while the event loop keeps turning', async () => {
  const path = join(folder(), 'a.db')
  const database = await open({ connectionString: path, busyTimeout: '30s' })
  await database.write(() => database.statement('CREATE TABLE t(a)').run())
  const lock = await holdLock(path)

  let settled = false
  const written = database
    .write(() => database.statement('INSERT INTO t VALUES (1)').run())
    .finally(() => (settled = true))
  let longest = 0
  let last = performance.now()
  for (let tick = 0; tick < 100; tick++) {
    await new Promise((resolve) => setTimeout(resolve, 2))
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }
  expect(settled).toBe(false)
  // Far below any wait for the lock, far above what a busy machine delays a tick.
  expect(longest).toBeLessThan(2000)
  expect(await database.read(() => database.statement('SELECT count(*) AS n FROM t').get()!['n'])).toBe(0)

  await lock.release()
  await written
  expect(await database.read(() => database.statement('SELECT count(*) AS n FROM t').get()!['n'])).toBe(1)
})

test('a lock that stays is an error that names the file, and later writes succeed', async () => {
  const path = join(folder(), 'a.db')
  const database = await open({ connectionString: path, busyTimeout: '100ms' })
  await database.write(() => database.statement('CREATE TABLE t(a)').run())
  const lock = await holdLock(path)
  const write = (): Promise<unknown> =>
    database.write(() => database.statement('INSERT INTO t VALUES (1)').run())

  const outcomes = await Promise.allSettled([write(), write()])
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE', retryable: true } })
    expect(String((outcome as PromiseRejectedResult).reason)).toContain(path)
  }
  await lock.release()
  await write()
  expect(await database.read(() => database.statement('SELECT count(*) AS n FROM t').get()!['n'])).toBe(1)
})

test('a write that waits for a lock can be cancelled and does not happen', async () => {
  const path = join(folder(), 'a.db')
  const database = await open({ connectionString: path, busyTimeout: '30s' })
  await database.write(() => database.statement('CREATE TABLE t(a)').run())
  const lock = await holdLock(path)
  const controller = new AbortController()
  const insert = (value: number) => (): unknown => database.statement('INSERT INTO t VALUES (?)').run(value)
  const cancelled = database.write(insert(1), { signal: controller.signal })
  const other = database.write(insert(2))
  await new Promise((resolve) => setTimeout(resolve, 20))
  controller.abort()
  await expect(cancelled).rejects.toMatchObject({ code: 'CANCELLED' })
  await lock.release()
  await other
  expect(
    await database.read(() =>
      database
        .statement('SELECT a FROM t')
        .all()
        .map((row) => row['a']),
    ),
  ).toEqual([2])
})

test('opening waits for a lock and then says that there is one', async () => {
  const path = join(folder(), 'a.db')
  // Without a log yet, so that the change of the journal mode needs the lock.
  const lock = await holdLock(path)
  await expect(open({ connectionString: path, busyTimeout: '50ms' })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  })
  const opening = open({ connectionString: path, busyTimeout: '30s' })
  await new Promise((resolve) => setTimeout(resolve, 20))
  await lock.release()
  await opening
})

test('without a write-ahead log a reader of another process delays the commit and nothing is lost', async () => {
  const path = join(folder(), 'a.db')
  const database = await open({ connectionString: path, disableWAL: 'true', busyTimeout: '30s' })
  await database.write(() => database.statement('CREATE TABLE t(a)').run())
  const lock = await holdLock(path)
  const writes = [1, 2, 3].map((value) =>
    database.write(() => database.statement('INSERT INTO t VALUES (?)').run(value)),
  )
  await new Promise((resolve) => setTimeout(resolve, 20))
  await lock.release()
  await Promise.all(writes)
  const rows = await database.read(() => database.statement('SELECT a FROM t ORDER BY rowid').all())
  expect(rows.map((row) => row['a'])).toEqual([1, 2, 3])
})

test('a write that waits longer than the timeout is given up, whatever the patience with locks', async () => {
  const path = join(folder(), 'a.db')
  const database = await open({ connectionString: path, busyTimeout: '60s', timeout: '1s' })
  await database.write(() => database.statement('CREATE TABLE t(a)').run())
  const lock = await holdLock(path)
  const write = database.write(() => database.statement('INSERT INTO t VALUES (1)').run())
  await expect(write).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  await lock.release()
})
