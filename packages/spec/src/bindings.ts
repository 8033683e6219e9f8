import type { ComponentDefinition, DefinitionInput } from './definition.ts'
import type { LiveComponent, Metadata, OperationOptions } from './operation.ts'

/**
 * - `input`: events come in from it
 * - `output`: operations go out to it
 * - `streaming`: takes a request body as a stream without holding it whole
 */
export type BindingCapability = 'input' | 'output' | 'streaming'

/** Held whole, or as a stream that can be read once. */
export type BindingData = Uint8Array | AsyncIterable<Uint8Array>

export interface BindingRequest {
  /** One of the operations that the binding lists. */
  readonly operation: string
  /** A stream only where the instance has the `streaming` capability. */
  readonly data: BindingData
  readonly contentType?: string | undefined
  readonly metadata: Metadata
}

export interface BindingResponse {
  readonly data?: BindingData | undefined
  readonly contentType?: string | undefined
  readonly metadata?: Metadata | undefined
}

export interface BindingEvent {
  readonly data: Uint8Array
  readonly contentType?: string | undefined
  readonly metadata: Metadata
}

/** What the application answered to an event. */
export type BindingReply =
  | {
      readonly settlement: 'ack'
      readonly data?: Uint8Array | undefined
      readonly contentType?: string | undefined
    }
  | { readonly settlement: 'nack'; readonly error?: Error | undefined }

/** Hands one event to the application. It never rejects. The source decides what a nack means: redelivery where it can. */
export type DeliverEvent = (event: BindingEvent, options: OperationOptions) => Promise<BindingReply>

/** A binding that is being read. */
export interface BindingReader {
  /** Stops reading, then awaits the deliveries under way; what is unsettled when `signal` aborts is nacked. May be called twice. */
  close(signal?: AbortSignal): Promise<void>
  /** As `Subscription.ended`. */
  readonly ended: Promise<Error | undefined>
}

/** A binding that is connected. Methods exist exactly when the matching capability is listed. */
export interface Binding extends LiveComponent {
  readonly capabilities: ReadonlySet<BindingCapability>
  /** The operations of the output side: `create`, `get`, `delete`, `list` and what else there is. */
  readonly operations?: readonly string[] | undefined
  invoke?(request: BindingRequest, options: OperationOptions): Promise<BindingResponse>
  /** Begins to read. Called once at most. */
  read?(deliver: DeliverEvent, options: OperationOptions): Promise<BindingReader>
}

export const bindingsContract = 'bindings/1'
export type BindingDefinition = ComponentDefinition<typeof bindingsContract, BindingCapability, Binding>

/** Defines a binding, input, output or both. A package default-exports the result. */
export function defineBinding<V extends object>(
  definition: DefinitionInput<V, BindingCapability, Binding>,
): BindingDefinition {
  return { contract: bindingsContract, ...definition } as BindingDefinition
}
