import {
  asText,
  connectRedis,
  redisFields,
  redisSettings,
  startPatienceMs,
  type RedisClient,
} from '@outrigger/common-redis'
import { fields } from '@outrigger/kit'
import { ComponentError, defineLockStore, isComponentError, type Logger } from '@outrigger/spec'
import { RedisLockStore } from './store.ts'

export default defineLockStore({
  type: 'lock.redis',
  title: 'Redis',
  description: 'Locks in Redis or Valkey (6.2 or later): one server, or one behind sentinels.',
  versions: {
    v1: {
      metadata: fields(redisFields),
      capabilities: [],
      async create(context) {
        const { metadata, clock, random, logger } = context
        const settings = redisSettings(metadata)
        if (settings.mode === 'cluster') {
          throw new ComponentError(
            'INVALID_METADATA',
            'redisType: cluster cannot keep locks safely: use one server, or failover: true with sentinels',
          )
        }
        const client = await connectRedis(settings, {
          clock,
          random,
          logger,
          signal: context.initSignal,
          patienceMs: startPatienceMs,
        })
        try {
          await checkReplicas(client, logger)
        } catch (error) {
          await client.close()
          throw error
        }
        return new RedisLockStore(client)
      },
    },
  },
})

/** Replicas follow with a delay: when one takes over, a lock that it has not seen yet is lost. */
async function checkReplicas(client: RedisClient, logger: Logger): Promise<void> {
  const { mode, where } = client.settings
  if (mode === 'sentinel') {
    logger.warn('a lock may be lost when the sentinels choose another master', { address: where })
    return
  }
  let info: string
  try {
    info = asText(await client.send('info', ['replication'], { repeatable: true }))
  } catch (error) {
    if (!isComponentError(error) || error.code !== 'PERMISSION_DENIED') throw error
    logger.warn('it is not known whether the server has replicas: this user may not ask with INFO')
    return
  }
  const replicas = Number(/^connected_slaves:(\d+)/m.exec(info)?.[1] ?? 0)
  if (replicas === 0) return
  throw new ComponentError(
    'INVALID_METADATA',
    `redisHost ${where} has ${replicas} replicas, and a lock would be lost when one takes over: use a server without, or failover: true with sentinels`,
  )
}
