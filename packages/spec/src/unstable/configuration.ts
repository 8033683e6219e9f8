import type { ComponentDefinition, DefinitionInput } from '../definition.ts'
import type { LiveComponent, Metadata, OperationOptions } from '../operation.ts'

/** `subscribe`: changes are told as they happen. */
export type ConfigurationCapability = 'subscribe'

export interface ConfigurationItem {
  readonly value: string
  readonly version?: string | undefined
  readonly metadata?: Metadata | undefined
}

export type ConfigurationItems = Readonly<Record<string, ConfigurationItem>>

export interface ConfigurationGetRequest {
  /** Empty means every key. */
  readonly keys: readonly string[]
  readonly metadata: Metadata
}

/** Tells of changed items. A key that was deleted comes with an empty value and no version. It never rejects. */
export type ConfigurationChange = (items: ConfigurationItems) => Promise<void>

export interface ConfigurationSubscription {
  close(): Promise<void>
  /** As `Subscription.ended` of pub/sub. */
  readonly ended: Promise<Error | undefined>
}

export interface ConfigurationStore extends LiveComponent {
  readonly capabilities: ReadonlySet<ConfigurationCapability>
  /** Keys that do not exist are left out. */
  get(request: ConfigurationGetRequest, options: OperationOptions): Promise<ConfigurationItems>
  /** Resolves when changes from now on will be told. */
  subscribe?(
    request: ConfigurationGetRequest,
    onChange: ConfigurationChange,
    options: OperationOptions,
  ): Promise<ConfigurationSubscription>
}

export const configurationContract = 'configuration/0'
export type ConfigurationStoreDefinition = ComponentDefinition<
  typeof configurationContract,
  ConfigurationCapability,
  ConfigurationStore
>

export function defineConfigurationStore<V extends object>(
  definition: DefinitionInput<V, ConfigurationCapability, ConfigurationStore>,
): ConfigurationStoreDefinition {
  return { contract: configurationContract, ...definition } as ConfigurationStoreDefinition
}
