import type {
  Binding,
  ComponentDefinition,
  ConfigurationStore,
  CryptoProvider,
  LiveComponent,
  LockStore,
  PubSub,
  SecretStore,
  StateOperation,
  StateStore,
  HttpMiddleware,
  NameResolver,
} from '@outrigger/spec'
import type { ComponentResource } from '../resources/model.ts'

/** The instance that each kind of component has. */
export interface Kinds {
  readonly state: StateStore
  readonly pubsub: PubSub
  readonly bindings: Binding
  readonly secretstores: SecretStore
  readonly configuration: ConfigurationStore
  readonly lock: LockStore
  readonly crypto: CryptoProvider
  readonly middleware: HttpMiddleware
  readonly nameresolution: NameResolver
}

export type Kind = keyof Kinds

/** A component that was loaded, before wrapping. */
export interface LoadedComponent<I extends LiveComponent = LiveComponent> {
  readonly resource: ComponentResource
  readonly kind: Kind
  readonly definition: ComponentDefinition
  /** The version that was created: `v1`. */
  readonly version: string
  /** Metadata with secrets and variables resolved and templates filled, names as written. */
  readonly properties: Readonly<Record<string, string>>
  readonly instance: I
}

/** A live component as the handlers see it: wrapped, with what was decided for it at load. */
export interface Live<I extends LiveComponent> extends LoadedComponent<I> {
  readonly name: string
}

/** A state store, with what it takes to put something besides the caller's operations into one transaction. */
export interface LiveStateStore extends Live<StateStore> {
  /** The store as it was loaded, within its policy: keys without prefix, values as they are. */
  readonly bare: StateStore
  /** An operation as `instance` hands it to `bare`: its key prefixed, its value encrypted. */
  readonly wrap: (operation: StateOperation) => StateOperation
}
