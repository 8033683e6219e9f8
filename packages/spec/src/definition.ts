import type { ComponentContext } from './context.ts'
import type { MetadataSchema } from './metadata.ts'
import type { LiveComponent } from './operation.ts'

/** One version (`v1`, `v2`) of a component type. */
export interface ComponentVersion<M, C extends string, I> {
  readonly metadata: MetadataSchema<M>
  /** What is possible with some configuration. The instance says what is possible with the one it has. */
  readonly capabilities: readonly C[]
  /** Returns a connected component, or throws a ComponentError. There is no half-initialised object. */
  create(context: ComponentContext<M>): Promise<I>
}

/** A capability that Dapr's component of this name has and this one lacks. */
export interface Deviation {
  readonly capability: string
  readonly reason: string
}

/** What every definition has, whatever its kind. */
export interface ComponentDefinition<
  Contract extends string = string,
  C extends string = string,
  I extends LiveComponent = LiveComponent,
> {
  /** Kind and version of the contract: `state/1`. Checked at load. */
  readonly contract: Contract
  /** Component type, lower-case, without version: `state.redis`. */
  readonly type: string
  readonly title: string
  readonly description?: string | undefined
  /** Other type names that mean this component. */
  readonly aliases?: readonly string[] | undefined
  /** The first listed version is the one meant where a resource names none. */
  // oxlint-disable-next-line typescript/no-explicit-any -- each version has metadata of its own
  readonly versions: Readonly<Record<string, ComponentVersion<any, C, I>>>
  readonly deviations?: readonly Deviation[] | undefined
}

/** What a component package hands to a define function: everything but the contract literal. */
export interface DefinitionInput<V extends object, C extends string, I> {
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly aliases?: readonly string[]
  readonly versions: { readonly [K in keyof V]: ComponentVersion<V[K], C, I> }
  readonly deviations?: readonly Deviation[]
}
