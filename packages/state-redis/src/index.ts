import { asText, connectRedis, redisFields, redisSettings, type RedisClient } from '@outrigger/common-redis'
import { fields, int, string } from '@outrigger/kit'
import { defineStateStore, isComponentError, type Logger, type StateCapability } from '@outrigger/spec'
import { RedisStateStore } from './store.ts'

const capabilities = [
  'etag',
  'transactional',
  'ttl',
  'keysLike',
  'deleteWithPrefix',
  'actor',
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
          description: 'Accepted for compatibility and without effect: there are no queries.',
        }),
      }),
      capabilities,
      async create(context) {
        const { metadata, clock, random, logger } = context
        const settings = redisSettings(metadata)
        if (metadata.queryIndexes !== undefined)
          logger.warn('queryIndexes has no effect: there are no queries')
        const client = await connectRedis(settings, { clock, random, logger, signal: context.initSignal })
        const ttl = metadata.ttlInSeconds
        return new RedisStateStore({
          client,
          // The keys of one actor are spread over a cluster, so that its state cannot be changed as a whole.
          capabilities: new Set(
            settings.mode === 'cluster'
              ? capabilities.filter((capability) => capability !== 'actor')
              : capabilities,
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
  deviations: [
    {
      capability: 'query',
      reason: 'needs the modules RediSearch and RedisJSON on the server; not built yet',
    },
  ],
})

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
