import { databaseFields, openDatabase } from '@outrigger/common-sqlite'
import { duration, fields, string } from '@outrigger/kit'
import { defineStateStore } from '@outrigger/spec'
import { prepareSchema } from './schema.ts'
import { prepareStatements } from './statements.ts'
import { capabilities, SqliteStore } from './store.ts'
import { Sweeper } from './sweeper.ts'

const metadata = fields({
  ...databaseFields,
  tableName: string({ default: 'state', description: 'Table of the values: letters, digits and `_`.' }),
  metadataTableName: string({
    default: 'metadata',
    description: 'Table that says which layout the file has: letters, digits and `_`.',
  }),
  cleanupIntervalMs: duration({
    name: 'cleanupInterval',
    aliases: ['cleanupIntervalInSeconds'],
    default: '1h',
    maximum: 2 ** 31 - 1,
    description:
      'How often expired values are removed from the file; `0` never. They are invisible as soon as they expire.',
  }),
})

export default defineStateStore({
  type: 'state.sqlite',
  title: 'SQLite',
  description: 'State in a SQLite file, in the layout of Dapr. Needs no server.',
  aliases: ['state.sqlite3'],
  versions: {
    v1: {
      metadata,
      capabilities,
      async create(context) {
        const database = await openDatabase(context)
        try {
          const table = await prepareSchema(database, context.metadata)
          const statements = prepareStatements(database, table)
          const sweeper = new Sweeper(database, statements, context)
          sweeper.start(context.metadata.cleanupIntervalMs)
          return new SqliteStore(database, statements, context, sweeper)
        } catch (error) {
          await database.close()
          throw error
        }
      },
    },
  },
})
