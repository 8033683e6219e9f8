import type { PubSub, PubSubCapability, PubSubDefinition } from '@outrigger/spec'
import { commonCases } from '../common.ts'
import { registerSuite, type Suite } from '../suite.ts'
import { groupCases } from './groups.ts'
import { messageCases } from './messages.ts'
import type { PubSubSuiteOptions } from './options.ts'
import { subscriptionCases } from './subscriptions.ts'

export const pubsubSuite: Suite<PubSubCapability, PubSub, PubSubSuiteOptions> = {
  kind: 'pub/sub',
  cases: [
    ...commonCases<PubSubCapability, PubSub, PubSubSuiteOptions>({
      contract: 'pubsub/1',
      typePrefix: 'pubsub',
      capabilities: ['ttl', 'wildcards', 'bulkPublish', 'bulkSubscribe', 'ordering', 'pause'],
      methods: { bulkPublish: ['bulkPublish'], bulkSubscribe: ['bulkSubscribe'] },
    }),
    ...messageCases,
    ...groupCases,
    ...subscriptionCases,
  ],
}

/** Registers the tests that a broker must pass. */
export function pubsubConformance(definition: PubSubDefinition, options: PubSubSuiteOptions): void {
  registerSuite(pubsubSuite, definition, options)
}
