import { quoteIdentifier, type Database } from '@outrigger/common-sqlite'
import { ComponentError } from '@outrigger/spec'

/** Level of the layout below, as Dapr counts it in the metadata table. */
const level = 1

/** The names of the tables, quoted. */
export interface TableNames {
  readonly hosts: string
  readonly metadata: string
}

/** Creates what is missing. Tables, columns and indexes are Dapr's, so that both can share a file. */
export async function prepareSchema(
  database: Database,
  names: { readonly tableName: string; readonly metadataTableName: string },
): Promise<TableNames> {
  const hosts = quoteIdentifier('tableName', names.tableName)
  const metadata = quoteIdentifier('metadataTableName', names.metadataTableName)
  if (hosts.toLowerCase() === metadata.toLowerCase()) {
    throw new ComponentError(
      'INVALID_METADATA',
      `tableName and metadataTableName are both ${hosts}; they must differ`,
    )
  }
  await database.write(() => {
    const run = (sql: string): unknown => database.statement(sql).run()
    run(`CREATE TABLE IF NOT EXISTS ${metadata} (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)`)
    const key = "key = 'nr-migrations'"
    const found = database.statement(`SELECT value FROM ${metadata} WHERE ${key}`).get()?.['value']
    if (found !== undefined && Number(found) > level) {
      throw new ComponentError(
        'FAILED_PRECONDITION',
        `SQLite database ${database.path} has a layout of level ${String(found)} in ${hosts}; this version knows level ${level} and below`,
      )
    }
    run(`CREATE TABLE IF NOT EXISTS ${hosts} (
      registration_id TEXT NOT NULL PRIMARY KEY,
      address TEXT NOT NULL,
      app_id TEXT NOT NULL,
      namespace TEXT NOT NULL,
      last_update INTEGER NOT NULL
    )`)
    run(`CREATE UNIQUE INDEX IF NOT EXISTS "${names.tableName}_address_idx" ON ${hosts} (address)`)
    run(`CREATE INDEX IF NOT EXISTS "${names.tableName}_last_update_idx" ON ${hosts} (last_update)`)
    run(`INSERT INTO ${metadata} (key, value) VALUES ('nr-migrations', '${level}')
      ON CONFLICT (key) DO UPDATE SET value = excluded.value`)
  })
  return { hosts, metadata }
}
