import type { ComponentDefinition, DefinitionInput } from './definition.ts'
import type { LiveComponent, Metadata, OperationOptions } from './operation.ts'

/**
 * `register`: announces this instance. `watch`: changes are told as they happen. `local`: all instances are on this
 * machine, so that loopback addresses are enough.
 */
export type NameResolutionCapability = 'register' | 'watch' | 'local'

export interface ResolveRequest {
  readonly appId: string
  readonly namespace: string
  /** Port of the internal API, for resolvers that cannot know it (DNS). */
  readonly port?: number | undefined
  /** What the caller says besides, for resolvers whose names are patterns. */
  readonly metadata: Metadata
}

/** Where one instance of an application has its internal API. */
export interface Instance {
  /** An IP address, IPv6 without brackets, or a name that the dialler looks up. */
  readonly host: string
  readonly port: number
}

/** The instances of an application. */
export interface ResolveResult {
  /** All that are healthy, in no particular order, each once. Empty when there is none: that is no error. */
  readonly instances: readonly Instance[]
  /** For how long the answer may be used again; without it, it holds for this call only. Watched answers need none. */
  readonly ttlMs?: number | undefined
}

/** This instance, as others shall find it. */
export interface Registration {
  readonly appId: string
  readonly namespace: string
  /** Address under which others reach this host: an IP address, IPv6 without brackets, or a name. */
  readonly host: string
  /** Port of the internal API. */
  readonly port: number
  /** Tells two instances of one application apart; without it, host and port do. */
  readonly instanceId?: string | undefined
  /** Port of the public HTTP API, where health can be asked for. */
  readonly httpPort?: number | undefined
  /** Port of the application; absent where it has none. */
  readonly appPort?: number | undefined
  readonly metadata: Metadata
}

/** An instance that is announced, and kept so until its close. */
export interface RegisteredInstance {
  /**
   * Follows the health of the application: an unhealthy instance is not found by others, a healthy one is again.
   * It is healthy at first. Calls are done in their order; one that changes nothing does nothing.
   */
  setHealthy(healthy: boolean, options: OperationOptions): Promise<void>
  /** Takes the instance out. May be called twice. */
  close(): Promise<void>
}

/** A running watch. It reconnects by itself and then tells what has changed meanwhile; what it cannot mend ends it. */
export interface InstanceWatch {
  /** Nothing is told after it was called. May be called twice. */
  close(): Promise<void>
  /** Settles when the watch is over: with `undefined` after a close, with the error that ended it otherwise. */
  readonly ended: Promise<Error | undefined>
}

/**
 * A resolver gives every instance; spreading load over them, leaving one that refuses, and caching is the runtime's
 * business. Closing it closes its registrations and watches.
 *
 * Its metadata is `spec.nameResolution.configuration` of the Configuration resource: a value that is a text as it is,
 * every other one as JSON text.
 */
export interface NameResolver extends LiveComponent {
  readonly capabilities: ReadonlySet<NameResolutionCapability>
  /** @throws `INVALID_ARGUMENT` for an id that cannot be a name here, `UNAVAILABLE` when nobody could be asked */
  resolve(request: ResolveRequest, options: OperationOptions): Promise<ResolveResult>
  /** Resolves when others can find the instance, as far as it can be known. Its signal aborts this call only. */
  register?(registration: Registration, options: OperationOptions): Promise<RegisteredInstance>
  /**
   * Tells all instances, once before it resolves and then whenever they are others. `onChange` must not throw.
   * Its signal aborts this call only.
   */
  watch?(
    request: ResolveRequest,
    onChange: (instances: readonly Instance[]) => void,
    options: OperationOptions,
  ): Promise<InstanceWatch>
}

export const nameResolutionContract = 'nameresolution/1'
export type NameResolverDefinition = ComponentDefinition<
  typeof nameResolutionContract,
  NameResolutionCapability,
  NameResolver
>

/** Defines a name resolver. A package default-exports the result. */
export function defineNameResolver<V extends object>(
  definition: DefinitionInput<V, NameResolutionCapability, NameResolver>,
): NameResolverDefinition {
  return { contract: nameResolutionContract, ...definition } as NameResolverDefinition
}
