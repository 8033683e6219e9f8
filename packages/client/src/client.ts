import { noOptions, type CallOptions } from './call.ts'
import { BindingsClient } from './sections/bindings.ts'
import { ConfigurationClient } from './sections/configuration.ts'
import { CryptoClient } from './sections/crypto.ts'
import { invokeWith, type Invoke } from './sections/invoke.ts'
import { LockClient } from './sections/lock.ts'
import { MetadataClient } from './sections/metadata.ts'
import { PubSubClient } from './sections/pubsub.ts'
import { SecretsClient } from './sections/secrets.ts'
import { StateClient } from './sections/state.ts'
import type { Transport, TransportName } from './transport.ts'

export interface HealthOptions extends CallOptions {
  /** Only whether components can be used: the application may be missing still. */
  readonly outbound?: boolean | undefined
}

export interface ShutdownOptions extends CallOptions {
  /** At once, without letting finish what is under way. */
  readonly force?: boolean | undefined
}

/** A sidecar, or a runtime in this process. All calls reject with an `OutriggerError`, the same whatever the transport. */
export interface Client extends AsyncDisposable {
  readonly transport: TransportName
  readonly state: StateClient
  readonly pubsub: PubSubClient
  readonly bindings: BindingsClient
  readonly secrets: SecretsClient
  readonly configuration: Pick<ConfigurationClient, 'get' | 'subscribe'>
  readonly lock: LockClient
  readonly crypto: CryptoClient
  readonly invoke: Invoke
  readonly metadata: MetadataClient
  /** Whether everything is ready. False as well when there is no answer. */
  health(options?: HealthOptions): Promise<boolean>
  /** Asks the sidecar to end. */
  shutdown(options?: ShutdownOptions): Promise<void>
  /** Ends subscriptions and connections, and with them what is under way. May be called twice; the sidecar goes on. */
  close(): Promise<void>
}

export function clientOver(transport: Transport): Client {
  const configuration = new ConfigurationClient(transport.configuration)
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= configuration.close().finally(() => transport.close()))
  return {
    transport: transport.name,
    state: new StateClient(transport.state),
    pubsub: new PubSubClient(transport.pubsub),
    bindings: new BindingsClient(transport.bindings),
    secrets: new SecretsClient(transport.secrets),
    configuration,
    lock: new LockClient(transport.lock),
    crypto: new CryptoClient(transport.crypto),
    invoke: invokeWith(transport.invoke),
    metadata: new MetadataClient(transport.metadata),
    async health({ outbound = false, ...options } = noOptions as HealthOptions) {
      try {
        await transport.health(outbound, options)
        return true
      } catch {
        return false
      }
    },
    shutdown: ({ force = false, ...options } = noOptions as ShutdownOptions) =>
      transport.shutdown(force, options),
    close,
    [Symbol.asyncDispose]: close,
  }
}
