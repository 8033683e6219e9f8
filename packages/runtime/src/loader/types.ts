import type { Clock, ComponentDefinition, Logger, Random } from '@outrigger/spec'
import type { LoadedComponent } from '../components/live.ts'
import type { ComponentResource, Source } from '../resources/model.ts'

/** Who loads, for templates, references to the environment and the context of each component. */
export interface LoadContext {
  readonly appId: string
  readonly namespace: string
  /** For `{podName}`; where it is absent, a value with that template is an error. */
  readonly podName?: string | undefined
  /** For `envRef`. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly baseDirectory: string
  /** What a `secretKeyRef` means without `auth.secretStore`: `kubernetes` in that mode. */
  readonly defaultSecretStore?: string | undefined
  /** Whether the Configuration decides that modules of WebAssembly get neither time nor chance from outside. */
  readonly strictSandbox?: boolean | undefined
}

/** How a component type becomes a package. */
export interface ResolveOptions {
  /** Definitions that are there already: these come before any package. */
  readonly definitions?: readonly ComponentDefinition[] | undefined
  /** Folders from which packages are looked for, in this order; the runtime's own place comes last by itself. */
  readonly searchFrom: readonly string[]
  /** Package scopes in the order in which they are tried. Default: `@outrigger`. */
  readonly scopes?: readonly string[] | undefined
  /** Type (`state.redis`) to package name, from the Configuration. Comes before scopes and aliases. */
  readonly modules?: Readonly<Record<string, string>> | undefined
}

export interface LoadOptions extends ResolveOptions {
  readonly resources: readonly ComponentResource[]
  readonly context: LoadContext
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  /** Aborts the loading: what was created is closed and the promise rejects. */
  readonly signal?: AbortSignal | undefined
  /** Types (`bindings.smtp`) and types with version (`state.redis/v1`) that must not be loaded. */
  readonly denied?: readonly string[] | undefined
}

/** A component that was not loaded. */
export interface LoadFailure {
  readonly resource: ComponentResource
  readonly source: Source
  /** One for each thing that is wrong: place, component, field, remedy. */
  readonly lines: readonly string[]
  /** Whether the resource said `ignoreErrors`. */
  readonly ignored: boolean
  readonly cause?: unknown
}

export interface LoadResult {
  /** In the order in which they were created. */
  readonly loaded: readonly LoadedComponent[]
  /** Only such as `ignoreErrors` allows. */
  readonly failures: readonly LoadFailure[]
}
