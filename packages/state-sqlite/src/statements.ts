import type { Database } from '@outrigger/common-sqlite'

/** The statements of one store, prepared once. `table` is a quoted name. */
export function prepareStatements(database: Database, table: string) {
  const columns = 'key, CAST(value AS BLOB) AS value, is_binary, etag, expiration_time'
  const live = '(expiration_time IS NULL OR expiration_time > :now)'
  // Bound as a blob and cast: the bytes go in and come out as they are, without being decoded.
  const insert = `INSERT INTO ${table} (key, value, is_binary, etag, expiration_time, update_time)
    VALUES (:key, CAST(:value AS TEXT), :isBinary, :etag, :expiration, :now)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, is_binary = excluded.is_binary, etag = excluded.etag,
      expiration_time = excluded.expiration_time, update_time = excluded.update_time`
  const page = `SELECT key FROM ${table} WHERE key GLOB :pattern AND key > :after AND ${live} ORDER BY key LIMIT :limit`
  const chunk = (which: string, limit: number): string =>
    `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE ${which} LIMIT ${limit})`
  return {
    get: database.statement(`SELECT ${columns} FROM ${table} WHERE key = :key AND ${live}`),
    getMany: database.statement(
      `SELECT ${columns} FROM ${table} WHERE key IN (SELECT value FROM json_each(:keys)) AND ${live}`,
    ),
    upsert: database.statement(insert),
    /** Only where there is nothing, or nothing that still lives. */
    insertFirst: database.statement(`${insert} WHERE ${table}.expiration_time <= :now`),
    update: database.statement(
      `UPDATE ${table} SET value = CAST(:value AS TEXT), is_binary = :isBinary, etag = :etag,
        expiration_time = :expiration, update_time = :now
       WHERE key = :key AND etag = :current AND ${live}`,
    ),
    delete: database.statement(`DELETE FROM ${table} WHERE key = ?`),
    deleteCurrent: database.statement(
      `DELETE FROM ${table} WHERE key = :key AND etag = :current AND ${live}`,
    ),
    keys: database.statement(page),
    deletePrefix: database.statement(`${chunk('key GLOB :pattern', 1000)} RETURNING ${live} AS live`),
    deleteExpired: database.statement(
      chunk('expiration_time IS NOT NULL AND expiration_time <= :now ORDER BY expiration_time', 500),
    ),
    one: database.statement('SELECT 1'),
  }
}

export type Statements = ReturnType<typeof prepareStatements>
