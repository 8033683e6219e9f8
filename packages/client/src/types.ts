/** The types of a client, whatever its transport. */
export type { CallOptions } from './call.ts'
export type { Client, HealthOptions, ShutdownOptions } from './client.ts'
export type { ClientErrorCode, ErrorDetails } from './error.ts'
export type { ConfigurationUpdates } from './http/configuration.ts'
export type { BindingAnswer } from './sections/bindings.ts'
export type { SubscribeConfigurationOptions } from './sections/configuration.ts'
export type { ByteSource, DecryptOptions, EncryptOptions } from './sections/crypto.ts'
export type { Invoke, InvokeOptions } from './sections/invoke.ts'
export type { LockRequest, TryLockRequest, UnlockResult } from './sections/lock.ts'
export type { SidecarMetadata } from './sections/metadata.ts'
export type { BulkPublishEntry, BulkPublishResult, PublishOptions } from './sections/pubsub.ts'
export type {
  BulkStateResult,
  DeleteStateItem,
  DeleteStateOptions,
  GetBulkStateOptions,
  GetStateOptions,
  SaveStateItem,
  SaveStateOptions,
  StateItem,
  StateQueryResult,
  StateTransactionOperation,
} from './sections/state.ts'
export type { ConnectionOptions, Environment } from './settings.ts'
export type { TransportName } from './transport.ts'
export type { ConfigurationItem, ConfigurationItems, ConfigurationSubscription } from './updates.ts'
