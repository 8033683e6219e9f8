import type { ComponentDefinition, DefinitionInput } from './definition.ts'
import type { LiveComponent, Metadata, OperationOptions } from './operation.ts'

/** `multipleKeyValues`: one secret may hold several keys and values. */
export type SecretStoreCapability = 'multipleKeyValues'

/** The keys and values of one secret; a store with one value for each has it under the secret's own name. */
export type Secret = Readonly<Record<string, string>>

export interface SecretGetRequest {
  readonly name: string
  readonly metadata: Metadata
}

/** A secret store that is connected. */
export interface SecretStore extends LiveComponent {
  readonly capabilities: ReadonlySet<SecretStoreCapability>
  /** Absent is `undefined`. */
  get(request: SecretGetRequest, options: OperationOptions): Promise<Secret | undefined>
  /** Everything that the store lets this process read, by name. `UNSUPPORTED` where it cannot list. */
  bulkGet(metadata: Metadata, options: OperationOptions): Promise<Readonly<Record<string, Secret>>>
}

export const secretStoreContract = 'secretstores/1'
export type SecretStoreDefinition = ComponentDefinition<
  typeof secretStoreContract,
  SecretStoreCapability,
  SecretStore
>

/** Defines a secret store. A package default-exports the result. */
export function defineSecretStore<V extends object>(
  definition: DefinitionInput<V, SecretStoreCapability, SecretStore>,
): SecretStoreDefinition {
  return { contract: secretStoreContract, ...definition } as SecretStoreDefinition
}
