import type { BindingEventResponse } from '@outrigger/proto/appcallback'
import type { Binding, Clock, Logger, OperationOptions, Random } from '@outrigger/spec'
import type { AppChannel } from '../app/channel.ts'
import type { Live } from '../components/live.ts'
import type { Overload } from '../overload/guard.ts'
import type { Policy } from '../resiliency/policy.ts'

/** Does what an application asks for by its answer to an event. Never rejects. */
export interface AppResponder {
  http(live: Live<Binding>, body: Uint8Array, options: OperationOptions): Promise<void>
  grpc(live: Live<Binding>, response: BindingEventResponse, options: OperationOptions): Promise<void>
}

export interface InputBindingsOptions {
  readonly bindings: ReadonlyMap<string, Live<Binding>>
  /** Absent when there is no application: nothing is read then. */
  readonly channel: AppChannel | undefined
  /** Absent, answers only go back to the component. */
  readonly responder?: AppResponder | undefined
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  /** `--app-binding-options-timeout`. Default 3000. */
  readonly optionsTimeoutMs?: number | undefined
  /** Bytes of an application's answer to an event. Default 4 MiB. */
  readonly maxReplyBytes?: number | undefined
  /** What applies to the events of a binding. Default: nothing, each is tried once. */
  readonly policyOf?: ((name: string) => Policy | undefined) | undefined
  /** Whether events are held back. Default: never. */
  readonly overload?: Overload | undefined
}

export interface InputBindings {
  /** Finds out which bindings the application wants and reads them. */
  start(signal?: AbortSignal): Promise<void>
  /** The application is not healthy: events are given back to their sources until `resume`. */
  pause(): void
  resume(): void
  /** For ever. What is under way when `signal` aborts is given back to the sources. */
  stop(signal?: AbortSignal): Promise<void>
  /** Names of the bindings that are being read. */
  list(): readonly string[]
}
