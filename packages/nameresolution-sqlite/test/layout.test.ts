import { DatabaseSync } from 'node:sqlite'
import { createForTest } from '@outrigger/conformance'
import { recordingLogger } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import definition from '../src/index.ts'
import { freshPath, open, portsOf, registration } from './support.ts'

/** What Dapr's component leaves in a file. */
function daprFile(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  database.exec(`
    CREATE TABLE metadata (key text NOT NULL PRIMARY KEY, value text NOT NULL);
    INSERT INTO metadata VALUES ('nr-migrations', '1'), ('migrations', '1');
    CREATE TABLE hosts (registration_id TEXT NOT NULL PRIMARY KEY, address TEXT NOT NULL,
      app_id TEXT NOT NULL, namespace TEXT NOT NULL, last_update INTEGER NOT NULL);
    CREATE UNIQUE INDEX hosts_address_idx ON hosts (address);
    CREATE INDEX hosts_last_update_idx ON hosts (last_update);
    INSERT INTO hosts VALUES
      ('a', '10.0.0.1:1', 'orders', '', unixepoch()), ('b', '[::1]:2', 'orders', '', unixepoch()),
      ('c', '10.0.0.1:3', 'orders', '', unixepoch() - 5), ('d', '10.0.0.1:4', 'Orders', '', unixepoch()),
      ('e', 'nonsense', 'orders', '', unixepoch());`)
  return database
}

test('live rows of Dapr are found, in every namespace', async () => {
  const path = freshPath()
  daprFile(path).close()
  const resolver = await open(path, { updateInterval: '5s' })
  for (const namespace of ['default', 'other']) {
    const { instances } = await resolver.resolve({ appId: 'orders', namespace, metadata: {} }, {})
    expect(instances).toEqual([
      { host: '10.0.0.1', port: 1 },
      { host: '::1', port: 2 },
    ])
  }
})

test('what is registered here is what the statements of Dapr expect', async () => {
  const path = freshPath()
  const dapr = daprFile(path)
  const resolver = await open(path)
  await resolver.register!(registration('mine', 7), {})
  await resolver.register!(registration('mine', 8, { host: '2001:db8::1' }), {})
  const find = dapr.prepare(`SELECT address, registration_id, namespace FROM hosts
    WHERE app_id = ? AND unixepoch(CURRENT_TIMESTAMP) - last_update < 5 ORDER BY address`)
  const uuid = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4/) as string
  expect(find.all('mine')).toEqual([
    { address: '127.0.0.1:7', registration_id: uuid, namespace: 'default' },
    { address: '[2001:db8::1]:8', registration_id: uuid, namespace: 'default' },
  ])
  // One that starts on the address of one that was killed takes its row.
  await resolver.register!(registration('mine', 1, { host: '10.0.0.1' }), {})
  expect(await portsOf(resolver, 'orders')).toEqual([2])
  dapr.close()
})

test('a file that is made here has the tables and indexes that Dapr looks for', async () => {
  const path = freshPath()
  const resolver = await open(path, { tableName: 'h', metadataTableName: 'm' })
  await resolver.close()
  const file = new DatabaseSync(path)
  const names = file.prepare("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
  expect(names.all().map(({ name }) => name)).toEqual(['h', 'h_address_idx', 'h_last_update_idx', 'm'])
  expect(file.prepare('SELECT * FROM m').all()).toEqual([{ key: 'nr-migrations', value: '1' }])
  file.exec("UPDATE m SET value = '2'")
  file.close()
  await expect(open(path, { tableName: 'h', metadataTableName: 'm' })).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('level 2') as string,
  })
})

test.each([
  [{ tableName: 'a b' }, 'tableName'],
  [{ tableName: 'same', metadataTableName: 'Same' }, 'must differ'],
  [{ updateInterval: '2500ms' }, 'whole seconds'],
  [{ updateInterval: '5s', timeout: '4500ms' }, 'at least 1s more than timeout (4500ms), got 5000ms'],
])('wrong metadata is refused: %j', async (properties, message) => {
  await expect(open(':memory:', properties)).rejects.toMatchObject({
    code: 'INVALID_METADATA',
    message: expect.stringContaining(message) as string,
  })
})

test('without a connection string the error says what is missing', async () => {
  await expect(createForTest(definition, { properties: {} })).rejects.toThrow('connectionString is required')
})

test('a database in memory is told of', async () => {
  const logger = recordingLogger()
  await open(':memory:', {}, { logger })
  expect(logger.messages('warn')).toEqual([
    'connectionString names no file, so applications of other processes are not found',
  ])
})
