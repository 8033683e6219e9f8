import { databaseFields, openDatabase } from '@outrigger/common-sqlite'
import { duration, fields, int, quantity, string } from '@outrigger/kit'
import { definePubSub } from '@outrigger/spec'
import { capabilities, SqlitePubSub } from './broker.ts'
import { prepareSchema } from './schema.ts'

/** Timers hold no more. */
const longestMs = 2 ** 31 - 1

const metadata = fields({
  ...databaseFields,
  busyTimeoutMs: duration({
    name: 'busyTimeout',
    default: '10s',
    minimum: 0,
    description: 'How long to wait for a lock that another process holds. Waiting blocks nothing else.',
  }),
  consumerID: string({
    description:
      'Name of the group of consumers; instances that share it share messages. The app id without it.',
  }),
  visibilityTimeoutMs: duration({
    name: 'visibilityTimeout',
    aliases: ['processingTimeout'],
    default: '15s',
    minimum: 100,
    maximum: longestMs,
    description:
      'After this time the messages of a process that died go to another. The lease of one that lives is prolonged.',
  }),
  redeliverIntervalMs: duration({
    name: 'redeliverInterval',
    default: '1s',
    minimum: 0,
    maximum: longestMs,
    description: 'When a nacked message is delivered again; doubled with each further time.',
  }),
  maxRedeliverIntervalMs: duration({
    name: 'maxRedeliverInterval',
    default: '1m',
    minimum: 0,
    maximum: longestMs,
    description: 'The longest that a nacked message waits.',
  }),
  maxInFlight: int({
    aliases: ['concurrency'],
    default: '100',
    minimum: 1,
    maximum: 10_000,
    description:
      'Messages of one subscription that are handed over and not settled, where the subscription says nothing else.',
  }),
  pollIntervalMs: duration({
    name: 'pollInterval',
    default: '100ms',
    minimum: 1,
    maximum: 60_000,
    description:
      'How soon messages of other processes are noticed at the latest, where the operating system does not tell.',
  }),
  retentionMs: duration({
    name: 'retention',
    default: '168h',
    minimum: 1000,
    description: 'Messages older than this are dropped, and so is a group that was not used for so long.',
  }),
  maxSize: quantity({
    default: '4Gi',
    minimum: 65_536,
    description: 'Bytes that the file may hold before publishing is refused.',
  }),
})

export default definePubSub({
  type: 'pubsub.sqlite',
  title: 'SQLite',
  description: 'An embedded at-least-once broker for the processes of one machine. Needs no server.',
  versions: {
    v1: {
      metadata,
      capabilities,
      async create(context) {
        const database = await openDatabase(context)
        try {
          await prepareSchema(database)
          const { clock, random, logger, appId } = context
          const { visibilityTimeoutMs: leaseMs, consumerID, ...options } = context.metadata
          return new SqlitePubSub(database, {
            ...options,
            leaseMs,
            consumerID: consumerID ?? appId,
            clock,
            random,
            logger,
          })
        } catch (error) {
          await database.close()
          throw error
        }
      },
    },
  },
})
