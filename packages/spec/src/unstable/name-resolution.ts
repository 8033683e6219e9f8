import type { ComponentDefinition, DefinitionInput } from '../definition.ts'
import type { LiveComponent, Metadata, OperationOptions } from '../operation.ts'

/** `register`: announces this instance. `watch`: changes are told as they happen. */
export type NameResolutionCapability = 'register' | 'watch'

export interface ResolveRequest {
  readonly appId: string
  readonly namespace: string
  /** Port of the internal API, for resolvers that cannot know it (DNS). */
  readonly port?: number | undefined
  readonly metadata: Metadata
}

export interface Instance {
  readonly host: string
  readonly port: number
}

/** This instance, as others shall find it. */
export interface Registration {
  readonly appId: string
  readonly namespace: string
  readonly host: string
  readonly port: number
  readonly metadata: Metadata
}

/** A resolver returns every instance; spreading load over them and caching for `ttlMs` is the runtime's business. */
export interface NameResolver extends LiveComponent {
  readonly capabilities: ReadonlySet<NameResolutionCapability>
  resolve(
    request: ResolveRequest,
    options: OperationOptions,
  ): Promise<{ readonly instances: readonly Instance[]; readonly ttlMs?: number | undefined }>
  /** Renewed by the component until `close` of the result, which takes the instance out. */
  register?(registration: Registration, options: OperationOptions): Promise<{ close(): Promise<void> }>
  watch?(
    request: ResolveRequest,
    onChange: (instances: readonly Instance[]) => void,
    options: OperationOptions,
  ): Promise<{ close(): Promise<void>; readonly ended: Promise<Error | undefined> }>
}

export const nameResolutionContract = 'nameresolution/0'
export type NameResolverDefinition = ComponentDefinition<
  typeof nameResolutionContract,
  NameResolutionCapability,
  NameResolver
>

export function defineNameResolver<V extends object>(
  definition: DefinitionInput<V, NameResolutionCapability, NameResolver>,
): NameResolverDefinition {
  return { contract: nameResolutionContract, ...definition } as NameResolverDefinition
}
