import {
  asText,
  connectRedis,
  redisFields,
  redisSettings,
  replyCode,
  startPatienceMs,
  type RedisClient,
} from '@outrigger/common-redis'
import { fields, int, string } from '@outrigger/kit'
import {
  ComponentError,
  defineStateStore,
  isComponentError,
  type Logger,
  type StateCapability,
} from '@outrigger/spec'
import { createArguments, parseQueryIndexes, type QueryIndex } from './indexes.ts'
import { RedisStateStore } from './store.ts'

const capabilities = [
  'etag',
  'transactional',
  'ttl',
  'keysLike',
  'deleteWithPrefix',
  'actor',
  'query',
] as const satisfies readonly StateCapability[]

export default defineStateStore({
  type: 'state.redis',
  title: 'Redis',
  description:
    'State in hashes of Redis or Valkey (6.2 or later): one server, behind sentinels, or a cluster.',
  versions: {
    v1: {
      metadata: fields({
        ...redisFields,
        ttlInSeconds: int({
          minimum: -1,
          description: 'Time to live of values that are written without one, in seconds. `-1` is no end.',
          example: '600',
        }),
        queryIndexes: string({
          description:
            'Indexes for queries, as JSON: `[{ "name": "orders", "indexes": [{ "key": "person.org", "type": "TEXT" }] }]`, types `TEXT`, `TAG` and `NUMERIC`. They are made anew at each start. Needs the modules RediSearch and RedisJSON on one server; queries find what was written with the metadata `contentType` of `application/json`.',
        }),
      }),
      capabilities,
      async create(context) {
        const { metadata, clock, random, logger } = context
        const settings = redisSettings(metadata)
        const indexes = parseQueryIndexes(metadata.queryIndexes)
        const cluster = settings.mode === 'cluster'
        if (cluster && indexes.size > 0) {
          throw new ComponentError('INVALID_METADATA', 'queryIndexes: a cluster has no queries; take it away')
        }
        const client = await connectRedis(settings, {
          clock,
          random,
          logger,
          signal: context.initSignal,
          patienceMs: startPatienceMs,
        })
        const ttl = metadata.ttlInSeconds
        const documents = await keepsDocuments(client)
        await createIndexes(client, indexes, logger)
        return new RedisStateStore({
          client,
          documents,
          indexes,
          capabilities: new Set(
            capabilities.filter((capability) => {
              // The keys of one actor are spread over a cluster, so that its state cannot be changed as a whole.
              if (capability === 'actor') return !cluster
              return capability !== 'query' || indexes.size > 0
            }),
          ),
          logger,
          now: () => clock.now(),
          defaultTtlSeconds: ttl === undefined || ttl <= 0 ? undefined : ttl,
          replicas: await connectedReplicas(client, logger),
          waitMs: metadata.readTimeoutMs > 0 ? Math.min(1000, Math.ceil(metadata.readTimeoutMs / 2)) : 1000,
        })
      },
    },
  },
})

/** Whether the server has the module RedisJSON: without it, it does not know the command. */
async function keepsDocuments(client: RedisClient): Promise<boolean> {
  try {
    await client.send('json.get', [], { repeatable: true })
    return true
  } catch (error) {
    if (isComponentError(error) && (error.code === 'UNSUPPORTED' || error.code === 'PERMISSION_DENIED')) {
      return false
    }
    if (isComponentError(error) && replyCode(error.cause) === 'ERR') return true
    await client.close()
    throw error
  }
}

/** Makes the indexes as they are wanted now: one that is there may be of other fields. */
async function createIndexes(
  client: RedisClient,
  indexes: ReadonlyMap<string, QueryIndex>,
  logger: Logger,
): Promise<void> {
  const create = (index: QueryIndex): Promise<unknown> => client.send('ft.create', createArguments(index))
  try {
    for (const index of indexes.values()) {
      try {
        await create(index)
      } catch (error) {
        if (!/index already exists/i.test(String((error as Error).message))) throw error
        await client.send('ft.dropindex', [index.name])
        await create(index)
      }
      logger.info(`query index ${index.name} was made`)
    }
  } catch (error) {
    await client.close()
    if (!isComponentError(error) || error.code !== 'UNSUPPORTED') throw error
    throw new ComponentError(
      'FAILED_PRECONDITION',
      'queryIndexes needs the modules RediSearch and RedisJSON on the server (Redis 8 or Redis Stack), and this one does not have them',
      { cause: error },
    )
  }
}

/** How many replicas there are now. Strong writes wait for as many. */
async function connectedReplicas(client: RedisClient, logger: Logger): Promise<number> {
  try {
    const info = asText(await client.send('info', ['replication'], { repeatable: true }))
    return Number(/^connected_slaves:(\d+)/m.exec(info)?.[1] ?? 0)
  } catch (error) {
    if (isComponentError(error) && error.code === 'PERMISSION_DENIED') {
      logger.warn('strong writes do not wait for replicas: this user may not ask with INFO')
      return 0
    }
    await client.close()
    throw error
  }
}
