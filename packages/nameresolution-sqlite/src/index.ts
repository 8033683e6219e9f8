import { databaseFields, openDatabase, type DatabaseContext } from '@outrigger/common-sqlite'
import { duration, fields, string } from '@outrigger/kit'
import { ComponentError, defineNameResolver } from '@outrigger/spec'
import { FileKeeper } from './file.ts'
import { HostTable } from './hosts.ts'
import { capabilities, SqliteResolver } from './resolver.ts'
import { prepareSchema } from './schema.ts'

const metadata = fields({
  ...databaseFields,
  // Somebody waits for an answer, so these are shorter than elsewhere.
  timeoutMs: duration({
    name: 'timeout',
    default: '1s',
    minimum: 1000,
    description: 'The longest that a write may wait, all in all.',
  }),
  busyTimeoutMs: duration({
    name: 'busyTimeout',
    default: '800ms',
    minimum: 0,
    description: 'How long to wait for a lock that another process holds. Waiting blocks nothing else.',
  }),
  tableName: string({ default: 'hosts', description: 'Table of the instances: letters, digits and `_`.' }),
  metadataTableName: string({
    default: 'metadata',
    description: 'Table that says which layout the file has: letters, digits and `_`.',
  }),
  updateIntervalMs: duration({
    name: 'updateInterval',
    default: '5s',
    minimum: 2000,
    maximum: 86_400_000,
    description:
      'An instance that has not been renewed for so long counts as gone; it is renewed more than twice in that time. Whole seconds, and at least one more than `timeout`. The same for all who share the file.',
  }),
  cleanupIntervalMs: duration({
    name: 'cleanupInterval',
    aliases: ['cleanupIntervalInSeconds'],
    default: '1h',
    minimum: 1000,
    maximum: 2 ** 31 - 1,
    description: 'How often rows of instances that are gone are removed from the file.',
  }),
})

export default defineNameResolver({
  type: 'nameresolution.sqlite',
  title: 'SQLite',
  description: 'Instances of one machine, in a SQLite file in the layout of Dapr. Needs no network.',
  versions: {
    v1: {
      metadata,
      capabilities,
      async create(context) {
        const { updateIntervalMs, timeoutMs } = context.metadata
        if (updateIntervalMs % 1000 !== 0 || updateIntervalMs - timeoutMs < 1000) {
          throw new ComponentError(
            'INVALID_METADATA',
            `updateInterval must be whole seconds and at least 1s more than timeout (${timeoutMs}ms), got ${updateIntervalMs}ms`,
          )
        }
        const database = await openDatabase(context)
        try {
          if (database.inMemory) {
            context.logger.warn(
              'connectionString names no file, so applications of other processes are not found',
            )
          }
          const names = await prepareSchema(database, context.metadata)
          const resolver = new SqliteResolver(new HostTable(database, names, context), context)
          if (!database.inMemory) await keepFile(database.path, resolver, context)
          return resolver
        } catch (error) {
          await database.close()
          throw error
        }
      },
    },
  },
})

type Context = DatabaseContext & {
  readonly metadata: { readonly tableName: string; readonly metadataTableName: string }
}

async function keepFile(path: string, resolver: SqliteResolver, context: Context): Promise<void> {
  const { metadata: values, clock, random, logger, baseDirectory } = context
  const ended = new AbortController()
  const around = { metadata: values, clock, random, logger, baseDirectory, initSignal: ended.signal }
  const keeper = await FileKeeper.start(path, {
    clock,
    logger,
    changed: (database) => resolver.use(database),
    async reopen() {
      const database = await openDatabase(around)
      try {
        await prepareSchema(database, values)
        return database
      } catch (error) {
        await database.close()
        throw error
      }
    },
  })
  resolver.onClose(() => {
    ended.abort()
    keeper.close()
  })
}
