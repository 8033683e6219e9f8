import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { freshPath, json, open, textOf } from './support.ts'

/** What Dapr's state.sqlite leaves in a file: its tables, and rows as its HTTP and gRPC faces write them. */
function daprFile(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  database.exec(`
    CREATE TABLE metadata (key text NOT NULL PRIMARY KEY, value text NOT NULL);
    INSERT INTO metadata VALUES ('migrations', '1');
    CREATE TABLE state (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, is_binary BOOLEAN NOT NULL,
      etag TEXT NOT NULL, expiration_time TIMESTAMP DEFAULT NULL, update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
    INSERT INTO state (key, value, is_binary, etag) VALUES
      ('app||json', '{"n":1}', 0, '6f7cf2a4-6a05-4a5f-9a0f-0a5b6c7d8e9f'),
      ('app||binary', 'AP+A', 1, '1f7cf2a4-6a05-4a5f-9a0f-0a5b6c7d8e9f');
    INSERT INTO state (key, value, is_binary, etag, expiration_time) VALUES
      ('app||later', '1', 0, 'e', DATETIME(CURRENT_TIMESTAMP, '+3600 seconds')),
      ('app||past', '1', 0, 'e', DATETIME(CURRENT_TIMESTAMP, '-1 seconds'));`)
  return database
}

test('rows of a file that Dapr wrote are read', async () => {
  const path = freshPath()
  daprFile(path).close()
  const store = await open({ connectionString: path })
  expect(await store.get({ key: 'app||json', metadata: {} }, {})).toMatchObject({
    value: { kind: 'json', bytes: new Uint8Array(Buffer.from('{"n":1}')) },
    etag: '6f7cf2a4-6a05-4a5f-9a0f-0a5b6c7d8e9f',
    expiresAtMs: undefined,
  })
  const binary = await store.get({ key: 'app||binary', metadata: {} }, {})
  expect(binary!.value.kind).toBe('binary')
  expect([...binary!.value.bytes]).toEqual([0, 255, 128])
  const later = await store.get({ key: 'app||later', metadata: {} }, {})
  expect(Math.abs(later!.expiresAtMs! - Date.now() - 3_600_000)).toBeLessThan(60_000)
  expect(await textOf(store, 'app||past')).toBeUndefined()
})

test('what is written here is what the statements of Dapr expect', async () => {
  const path = freshPath()
  const dapr = daprFile(path)
  const store = await open({ connectionString: path })
  const bytes = Uint8Array.from([0, 255, 128])
  await store.set(json('a', '{"big":12345678901234567890.10}'), {})
  await store.set({ key: 'b', value: { kind: 'binary', bytes }, metadata: {} }, {})
  await store.set(json('c', '1', { ttlSeconds: 100 }), {})
  const read = dapr.prepare(`SELECT key, value, typeof(value) AS type, is_binary, etag, expiration_time,
    unixepoch(expiration_time) - unixepoch(CURRENT_TIMESTAMP) AS seconds FROM state
    WHERE key = ? AND (expiration_time IS NULL OR expiration_time > CURRENT_TIMESTAMP)`)
  expect(read.get('a')).toMatchObject({
    value: '{"big":12345678901234567890.10}',
    type: 'text',
    is_binary: 0,
    etag: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4/) as string,
    expiration_time: null,
  })
  expect(read.get('b')).toMatchObject({ value: 'AP+A', type: 'text', is_binary: 1 })
  const { seconds } = read.get('c') as { seconds: number }
  expect(Math.abs(seconds - 100)).toBeLessThan(60)
  // Its REPLACE and its ETag check work on our rows, and ours on what they leave.
  dapr.exec(`INSERT OR REPLACE INTO state (key, value, is_binary, etag, update_time, expiration_time)
    VALUES ('a', '2', 0, 'new', CURRENT_TIMESTAMP, NULL)`)
  await store.set(json('a', '3', { etag: 'new' }), {})
  expect(dapr.prepare("SELECT value FROM state WHERE key = 'a'").get()).toEqual({ value: '3' })
  dapr.close()
})

test('bytes that are not even UTF-8 come back as they are, and so does a byte order mark', async () => {
  const store = await open({ connectionString: freshPath() })
  for (const bytes of [
    Uint8Array.from([0xff, 0, 0x22]),
    Uint8Array.from([0xef, 0xbb, 0xbf, 0x31]),
    new Uint8Array(),
  ]) {
    await store.set({ key: 'k', value: { kind: 'json', bytes }, metadata: {} }, {})
    const item = await store.get({ key: 'k', metadata: {} }, {})
    expect([...item!.value.bytes]).toEqual([...bytes])
  }
})

test('the level of the layout is kept, and a newer one is refused', async () => {
  const path = freshPath()
  const store = await open({ connectionString: path, metadataTableName: 'levels', tableName: 'values_2' })
  await store.close()
  const database = new DatabaseSync(path)
  expect(database.prepare('SELECT * FROM levels').all()).toEqual([{ key: 'migrations', value: '1' }])
  database.exec("UPDATE levels SET value = '2'")
  database.close()
  await expect(
    open({ connectionString: path, metadataTableName: 'levels', tableName: 'values_2' }),
  ).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('level 2') as string,
  })
})

test.each([
  [{ tableName: 'a b' }, 'tableName'],
  [{ metadataTableName: 'x"; DROP TABLE state' }, 'metadataTableName'],
  [{ tableName: 'same', metadataTableName: 'Same' }, 'must differ'],
])('wrong names are refused: %j', async (names, message) => {
  await expect(open({ connectionString: ':memory:', ...names })).rejects.toMatchObject({
    code: 'INVALID_METADATA',
    message: expect.stringContaining(message) as string,
  })
})

test('two stores of one file with tables of their own do not see each other', async () => {
  const path = freshPath()
  const one = await open({ connectionString: path, tableName: 'one' })
  const two = await open({ connectionString: path, tableName: 'two' })
  await Promise.all([one.set(json('k', '1'), {}), two.set(json('k', '2'), {})])
  expect([await textOf(one, 'k'), await textOf(two, 'k')]).toEqual(['1', '2'])
})
