import { connectRedis, redisFields, redisSettings, type RedisClient } from '@outrigger/common-redis'
import { silentLogger, systemClock, systemRandom } from '@outrigger/conformance'
import { fields } from '@outrigger/kit'

/** A connection of the test's own, to see and do what other writers would. */
export function admin(
  service: { readonly host: string; readonly port: number },
  database = 0,
): Promise<RedisClient> {
  const parsed = fields(redisFields).parse({
    redisHost: `${service.host}:${service.port}`,
    redisDB: String(database),
  })
  if ('issues' in parsed) throw new Error('the settings of the test are wrong')
  return connectRedis(redisSettings(parsed.value), {
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    signal: new AbortController().signal,
  })
}
