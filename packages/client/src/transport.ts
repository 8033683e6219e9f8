import type { CallOptions } from './call.ts'
import type { BindingsPort } from './sections/bindings.ts'
import type { ConfigurationPort } from './sections/configuration.ts'
import type { CryptoPort } from './sections/crypto.ts'
import type { InvokePort } from './sections/invoke.ts'
import type { LockPort } from './sections/lock.ts'
import type { MetadataPort } from './sections/metadata.ts'
import type { PubSubPort } from './sections/pubsub.ts'
import type { SecretsPort } from './sections/secrets.ts'
import type { StatePort } from './sections/state.ts'

export type TransportName = 'http' | 'grpc' | 'in-process'

/** What a way to the sidecar must be able to do. Each port rejects with OutriggerErrors only. */
export interface Transport {
  readonly name: TransportName
  readonly state: StatePort
  readonly pubsub: PubSubPort
  readonly bindings: BindingsPort
  readonly secrets: SecretsPort
  readonly configuration: ConfigurationPort
  readonly lock: LockPort
  readonly crypto: CryptoPort
  readonly invoke: InvokePort
  readonly metadata: MetadataPort
  /** @param outbound without the application */
  health(outbound: boolean, options: CallOptions): Promise<void>
  shutdown(force: boolean, options: CallOptions): Promise<void>
  /** Ends connections and what is under way on them. */
  close(): void
}
