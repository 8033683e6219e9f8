export { createPubSubEngine } from './engine.ts'
export { PubSubProblem } from './problem.ts'
export type { PubSubProblemKind } from './problem.ts'
export type {
  BulkPublishInput,
  BulkPublishInputEntry,
  PublishFailure,
  PublishInput,
  PubSubEngine,
  PubSubEngineOptions,
  PubSubLimits,
  SubscriptionInfo,
} from './types.ts'
