import { connectRedis, redisFields, redisSettings, startPatienceMs } from '@outrigger/common-redis'
import { fields } from '@outrigger/kit'
import { defineConfigurationStore } from '@outrigger/spec'
import { RedisConfigurationStore } from './store.ts'

export default defineConfigurationStore({
  type: 'configuration.redis',
  title: 'Redis',
  description:
    'Configuration in strings of Redis or Valkey (6.2 or later), with changes told as they happen.',
  versions: {
    v1: {
      metadata: fields(redisFields),
      capabilities: ['subscribe'],
      async create(context) {
        const { metadata, clock, random, logger } = context
        const settings = redisSettings(metadata)
        const client = await connectRedis(settings, {
          clock,
          random,
          logger,
          signal: context.initSignal,
          patienceMs: startPatienceMs,
        })
        return new RedisConfigurationStore(client, { clock, random, logger })
      },
    },
  },
})
