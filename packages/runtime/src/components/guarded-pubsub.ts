import type { PubSub } from '@outrigger/spec'
import { Guard } from './guard.ts'
import { guardItems } from './guard-items.ts'
import type { Policy } from '../resiliency/policy.ts'

/** A broker to which messages are published as a policy says; of several at once only those that failed are tried again. */
export function guardedPubSub(broker: PubSub, policy: Policy): PubSub {
  const guard = new Guard(policy)
  const { bulkPublish, bulkSubscribe, ping } = broker
  return {
    capabilities: broker.capabilities,
    publish: (request, options) => guard.run(options, (own) => broker.publish(request, own)),
    ...(bulkPublish && {
      bulkPublish: (request, options) =>
        guardItems(guard, options, {
          requests: request.entries,
          idOf: ({ entryId }) => entryId,
          idOfFailure: ({ entryId }) => entryId,
          failure: ({ entryId }, error) => ({ entryId, error }),
          call: (entries, own) => bulkPublish.call(broker, { ...request, entries }, own),
        }),
    }),
    // What fails here is tried again for ever by whoever subscribes.
    subscribe: (request, deliver, options) => broker.subscribe(request, deliver, options),
    ...(bulkSubscribe && {
      bulkSubscribe: (request, deliver, options) => bulkSubscribe.call(broker, request, deliver, options),
    }),
    ...(ping && { ping: (options) => ping.call(broker, options) }),
    close: () => broker.close(),
  }
}
