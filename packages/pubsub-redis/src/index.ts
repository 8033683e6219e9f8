import { connectRedis, redisFields, redisSettings, startPatienceMs } from '@outrigger/common-redis'
import { duration, fields, int, string } from '@outrigger/kit'
import { definePubSub } from '@outrigger/spec'
import { capabilities, RedisPubSub } from './pubsub.ts'

export default definePubSub({
  type: 'pubsub.redis',
  title: 'Redis Streams',
  description:
    'Streams of Redis or Valkey (6.2 or later): one server, behind sentinels, or a cluster. At least once.',
  versions: {
    v1: {
      metadata: fields({
        ...redisFields,
        consumerID: string({
          description:
            'Name of the consumer group. Instances with the same name share the messages. The app id without it.',
          example: 'orders',
        }),
        processingTimeoutMs: duration({
          name: 'processingTimeout',
          bareUnit: 'ms',
          default: '60s',
          minimum: 0,
          description:
            'A message that was handed out and not confirmed is delivered again when its consumer gave no sign of life for this long. Consumers that live extend it while they work. `0` never delivers again.',
        }),
        redeliverIntervalMs: duration({
          name: 'redeliverInterval',
          bareUnit: 'ms',
          default: '15s',
          minimum: 0,
          description:
            'How often to look for messages that must be delivered again. `0` never delivers again.',
        }),
        queueDepth: int({
          default: '100',
          minimum: 1,
          description: 'The most messages that one read asks for.',
        }),
        concurrency: int({
          default: '10',
          minimum: 1,
          description: 'How many messages of one subscription are worked at at the same time.',
        }),
        maxLenApprox: int({
          minimum: 0,
          description:
            'Streams are cut to about this many messages, the oldest first, whether they were delivered or not. `0` or nothing keeps all. Wins over `streamTTL`.',
          example: '10000',
        }),
        streamTtlMs: duration({
          name: 'streamTTL',
          minimum: 0,
          description:
            'Messages older than about this are cut off, whether they were delivered or not. Nothing keeps all.',
          example: '720h',
        }),
      }),
      capabilities,
      async create(context) {
        const { metadata, clock, random, logger } = context
        const maxLenApprox = metadata.maxLenApprox === 0 ? undefined : metadata.maxLenApprox
        const streamTtlMs = metadata.streamTtlMs === 0 ? undefined : metadata.streamTtlMs
        if (maxLenApprox !== undefined && streamTtlMs !== undefined) {
          logger.warn('streamTTL has no effect: a stream is cut by one rule only, and maxLenApprox is given')
        }
        const client = await connectRedis(redisSettings(metadata), {
          clock,
          random,
          logger,
          signal: context.initSignal,
          patienceMs: startPatienceMs,
        })
        return new RedisPubSub({
          client,
          group: metadata.consumerID ?? context.appId,
          concurrency: metadata.concurrency,
          queueDepth: metadata.queueDepth,
          processingTimeoutMs: Math.ceil(metadata.processingTimeoutMs),
          redeliverIntervalMs: metadata.redeliverIntervalMs,
          maxLenApprox,
          streamTtlMs,
          clock,
          random,
          logger,
        })
      },
    },
  },
})
