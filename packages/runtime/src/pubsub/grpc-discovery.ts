import type { Logger } from '@outrigger/spec'
import { grpcStatus, isGrpcError } from '@outrigger/wire/grpc'
import { callbacks } from '../app/callbacks.ts'
import { neverReached, type GrpcAppChannel } from '../app/channel.ts'
import { defaultBulk, type SubscriptionSource } from './subscriptions.ts'

/** Asks an application over gRPC; one that answers, but not with a list, has no subscriptions. */
export async function listSubscriptions(
  channel: GrpcAppChannel,
  logger: Logger,
  signal: AbortSignal,
): Promise<readonly SubscriptionSource[]> {
  try {
    const { subscriptions } = await channel.call(
      callbacks.listTopicSubscriptions,
      {},
      { signal, patient: true },
    )
    return subscriptions.map(toSource)
  } catch (error) {
    if (!isGrpcError(error) || neverReached(error) || signal.aborted) throw error
    if (error.code === grpcStatus.UNAVAILABLE) throw error
    if (error.code === grpcStatus.UNIMPLEMENTED)
      logger.debug('the application has no subscriptions: ListTopicSubscriptions is not implemented')
    else
      logger.error('the application answered ListTopicSubscriptions with an error', {
        problem: error.message,
      })
    return []
  }
}

type Listed = ReturnType<
  (typeof callbacks)['listTopicSubscriptions']['output']['decode']
>['subscriptions'][number]

function toSource(listed: Listed, index: number): SubscriptionSource {
  const { pubsubName, topic, metadata, routes, deadLetterTopic, bulkSubscribe } = listed
  const fallback = routes?.default ?? ''
  const rules = (routes?.rules ?? []).map(({ match, path }) => ({ match, path }))
  return {
    owner: `item ${index + 1} of ListTopicSubscriptions (topic "${topic}")`,
    type: 'PROGRAMMATIC',
    pubsubName,
    topic,
    rules,
    // Over gRPC an application needs no paths: events without one come all the same.
    defaultPath: fallback !== '' || rules.length === 0 ? fallback : undefined,
    metadata,
    deadLetterTopic,
    bulk:
      bulkSubscribe?.enabled === true
        ? {
            maxMessages: bulkSubscribe.maxMessagesCount || defaultBulk.maxMessages,
            maxWaitMs: bulkSubscribe.maxAwaitDurationMs || defaultBulk.maxWaitMs,
          }
        : undefined,
  }
}
