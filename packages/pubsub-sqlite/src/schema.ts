import type { Database } from '@outrigger/common-sqlite'
import { ComponentError } from '@outrigger/spec'

const level = 1

/** Creates the tables where they are missing. The README says what each is for. */
export async function prepareSchema(database: Database): Promise<void> {
  await database.write(() => {
    const run = (sql: string): unknown => database.statement(sql).run()
    run('CREATE TABLE IF NOT EXISTS pubsub_layout (level INTEGER NOT NULL)')
    const found = database.statement('SELECT level FROM pubsub_layout').get()?.['level']
    if (found === level) return
    if (found !== undefined) {
      throw new ComponentError(
        'FAILED_PRECONDITION',
        `SQLite database ${database.path} has messages in a layout of level ${String(found)}; this version knows level ${level}`,
      )
    }
    // AUTOINCREMENT: an id is never given twice, so the cursor of a group never meets one it has passed.
    run(`CREATE TABLE pubsub_messages (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      topic TEXT NOT NULL,
      data BLOB NOT NULL,
      content_type TEXT,
      metadata TEXT NOT NULL,
      published_at INTEGER NOT NULL,
      expires_at INTEGER
    )`)
    run('CREATE INDEX pubsub_messages_topic ON pubsub_messages (topic, id)')
    run('CREATE INDEX pubsub_messages_expiry ON pubsub_messages (expires_at) WHERE expires_at IS NOT NULL')
    run(`CREATE TABLE pubsub_groups (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      topic TEXT NOT NULL,
      name TEXT NOT NULL,
      cursor INTEGER NOT NULL,
      used_at INTEGER NOT NULL,
      UNIQUE (topic, name)
    )`)
    run(`CREATE TABLE pubsub_deliveries (
      group_id INTEGER NOT NULL,
      message_id INTEGER NOT NULL,
      owner TEXT,
      visible_at INTEGER NOT NULL,
      attempts INTEGER NOT NULL,
      PRIMARY KEY (group_id, message_id)
    ) WITHOUT ROWID`)
    run('CREATE INDEX pubsub_deliveries_visible ON pubsub_deliveries (group_id, visible_at)')
    run(`INSERT INTO pubsub_layout (level) VALUES (${level})`)
  })
}
