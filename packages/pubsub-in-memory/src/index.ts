import { fields, int, quantity, string } from '@outrigger/kit'
import { definePubSub } from '@outrigger/spec'
import { MemoryBroker } from './broker.ts'

const metadata = fields({
  consumerID: string({
    description:
      'Consumer group of the subscriptions that name none in their own metadata. Without it, the app id.',
    example: 'orders',
  }),
  maxInFlight: int({
    description:
      'Deliveries under way at a time for a subscription that does not say how many. With 1, order is kept.',
    default: '10',
    minimum: 1,
  }),
  queueLimit: int({
    description: 'Messages that may wait for one group and topic. Publishing is refused beyond that.',
    default: '10000',
    minimum: 1,
  }),
  queueLimitBytes: quantity({
    description: 'Bytes that may wait for one group and topic. Publishing is refused beyond that.',
    default: '64Mi',
    minimum: 1,
  }),
})

/** `pubsub.in-memory`: a broker within one runtime; what it holds ends with the process. */
export default definePubSub({
  type: 'pubsub.in-memory',
  title: 'In-memory',
  description: 'Delivers within one runtime. For development and tests: messages end with the process.',
  versions: {
    v1: {
      metadata,
      capabilities: ['wildcards', 'pause'],
      create: ({ metadata: { consumerID, ...limits }, appId, clock, random, logger }) =>
        Promise.resolve(
          new MemoryBroker({ ...limits, group: consumerID ?? appId }, { clock, random, logger }),
        ),
    },
  },
})
