import type { ComponentDefinition, DefinitionInput } from './definition.ts'
import type { LiveComponent, Metadata, OperationOptions } from './operation.ts'

/** `subscribe`: changes are told as they happen. */
export type ConfigurationCapability = 'subscribe'

export interface ConfigurationItem {
  readonly value: string
  /** Opaque; another one whenever the value is another one. Absent where the store has no versions. */
  readonly version?: string | undefined
  readonly metadata?: Metadata | undefined
}

export type ConfigurationItems = Readonly<Record<string, ConfigurationItem>>

export interface ConfigurationGetRequest {
  /** Empty means every key. */
  readonly keys: readonly string[]
  readonly metadata: Metadata
}

/** What has changed: the items as they are now, `undefined` for a key that is gone. */
export type ConfigurationChanges = Readonly<Record<string, ConfigurationItem | undefined>>

/**
 * Tells the runtime what has changed. It never rejects, and may take long: the component awaits it before it tells the
 * same subscription more. Of a key that changes meanwhile the values between may be left out, the last one never.
 */
export type ConfigurationChange = (changes: ConfigurationChanges) => Promise<void>

/** A running subscription. It reconnects by itself and then tells what has changed meanwhile; what it cannot mend ends it. */
export interface ConfigurationSubscription {
  /** Nothing is told after it resolved; it awaits what is being told. May be called twice. */
  close(): Promise<void>
  /** Settles when the subscription is over: with `undefined` after `close`, with the error that ended it otherwise. */
  readonly ended: Promise<Error | undefined>
}

/** A configuration store that is connected. */
export interface ConfigurationStore extends LiveComponent {
  readonly capabilities: ReadonlySet<ConfigurationCapability>
  /** Keys that do not exist are left out. */
  get(request: ConfigurationGetRequest, options: OperationOptions): Promise<ConfigurationItems>
  /** Resolves when changes from now on will be told. Its signal aborts this call only. */
  subscribe?(
    request: ConfigurationGetRequest,
    onChange: ConfigurationChange,
    options: OperationOptions,
  ): Promise<ConfigurationSubscription>
}

export const configurationContract = 'configuration/1'
export type ConfigurationStoreDefinition = ComponentDefinition<
  typeof configurationContract,
  ConfigurationCapability,
  ConfigurationStore
>

/** Defines a configuration store. A package default-exports the result. */
export function defineConfigurationStore<V extends object>(
  definition: DefinitionInput<V, ConfigurationCapability, ConfigurationStore>,
): ConfigurationStoreDefinition {
  return { contract: configurationContract, ...definition } as ConfigurationStoreDefinition
}
