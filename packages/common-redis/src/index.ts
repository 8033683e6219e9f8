/** Connection and authentication of the Redis components. */
export * from './bytes.ts'
export { RedisClient, type RedisArgument, type RedisScript, type Send, type SendOptions } from './client.ts'
export { connectRedis, connectRedisSubscriber, startPatienceMs, type ConnectOptions } from './connect.ts'
export { replyCode, toComponentError } from './errors.ts'
export { redisFields } from './fields.ts'
export {
  outageWaitMs,
  redisSettings,
  type RedisAddress,
  type RedisMetadata,
  type RedisSettings,
} from './settings.ts'
export { RedisSubscriber, type SubscriberEvents } from './subscriber.ts'
