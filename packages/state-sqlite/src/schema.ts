import { databaseError, isConstraint, quoteIdentifier, type Database } from '@outrigger/common-sqlite'
import { ComponentError } from '@outrigger/spec'

/** Level of the layout below, as Dapr counts it in the metadata table. */
const level = 1

/**
 * Creates what is missing. Tables and columns are Dapr's, so that both read each other's files;
 * the index is ours and is in nobody's way.
 * @returns the name of the state table, quoted
 */
export async function prepareSchema(
  database: Database,
  names: { readonly tableName: string; readonly metadataTableName: string },
): Promise<string> {
  const table = quoteIdentifier('tableName', names.tableName)
  const metadata = quoteIdentifier('metadataTableName', names.metadataTableName)
  if (table.toLowerCase() === metadata.toLowerCase()) {
    throw new ComponentError(
      'INVALID_METADATA',
      `tableName and metadataTableName are both ${table}; they must differ`,
    )
  }
  const { encoding } = database.statement('PRAGMA encoding').get() as { encoding: string }
  if (encoding !== 'UTF-8') {
    throw new ComponentError(
      'FAILED_PRECONDITION',
      `SQLite database ${database.path} is encoded in ${encoding}; only UTF-8 can be used`,
    )
  }
  await database.write(() => {
    const run = (sql: string): unknown => database.statement(sql).run()
    run(`CREATE TABLE IF NOT EXISTS ${metadata} (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)`)
    const found = database.statement(`SELECT value FROM ${metadata} WHERE key = 'migrations'`).get()?.[
      'value'
    ]
    if (found !== undefined && Number(found) > level) {
      throw new ComponentError(
        'FAILED_PRECONDITION',
        `SQLite database ${database.path} has a layout of level ${String(found)} in ${table}; this version knows level ${level} and below`,
      )
    }
    run(`CREATE TABLE IF NOT EXISTS ${table} (
      key TEXT NOT NULL PRIMARY KEY,
      value TEXT NOT NULL,
      is_binary BOOLEAN NOT NULL,
      etag TEXT NOT NULL,
      expiration_time TIMESTAMP DEFAULT NULL,
      update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
    )`)
    run(`CREATE INDEX IF NOT EXISTS "${names.tableName}_expiry" ON ${table} (expiration_time)
      WHERE expiration_time IS NOT NULL`)
    run(`INSERT INTO ${metadata} (key, value) VALUES ('migrations', '${level}')
      ON CONFLICT (key) DO UPDATE SET value = excluded.value`)
  })
  return table
}

/** Whether a failure concerns one row only, so that the other rows of a bulk can go on. */
export function ownFailure(error: unknown, database: Database): ComponentError | undefined {
  const failure = databaseError(error, database.path)
  const own = isConstraint(error) || failure.code === 'INVALID_ARGUMENT' || failure.code === 'ETAG_MISMATCH'
  return own ? failure : undefined
}
