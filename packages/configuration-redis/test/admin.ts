import { connectRedis, redisFields, redisSettings, type RedisClient } from '@outrigger/common-redis'
import { silentLogger, systemClock, systemRandom } from '@outrigger/conformance'
import { fields } from '@outrigger/kit'
import type { Service } from '@outrigger/services'
import { onTestFinished } from 'vitest'

/** A connection of an operator, for the time of a test. */
export async function admin({ host, port }: Service): Promise<RedisClient> {
  const parsed = fields(redisFields).parse({ redisHost: `${host}:${port}` })
  if (!('value' in parsed)) throw new Error('the address is wrong')
  const client = await connectRedis(redisSettings(parsed.value), {
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    signal: new AbortController().signal,
  })
  onTestFinished(() => client.close())
  return client
}
