import type { ComponentDefinition, DefinitionInput } from '../definition.ts'
import type { LiveComponent } from '../operation.ts'

/** There are no optional abilities yet. */
export type MiddlewareCapability = never

/** Header fields, names lower-case. The server's own objects satisfy this. */
export interface MiddlewareFields {
  get(name: string): string | undefined
  getAll(name: string): readonly string[]
  has(name: string): boolean
  set(name: string, value: string): void
  append(name: string, value: string): void
  delete(name: string): void
  [Symbol.iterator](): Iterator<readonly [name: string, value: string]>
}

/** A body: a stream that can be read once, or taken whole within a limit of bytes. */
export interface MiddlewareBody extends AsyncIterable<Uint8Array> {
  bytes(limitBytes?: number): Promise<Uint8Array>
}

export interface MiddlewareRequest {
  method: string
  /** Path as sent, without the query. */
  path: string
  /** Query as sent, without `?`. */
  query: string
  readonly fields: MiddlewareFields
  readonly body: MiddlewareBody
  /** Replaces the body that the next handler sees. */
  replaceBody(body: Uint8Array | AsyncIterable<Uint8Array>): void
  readonly signal: AbortSignal
}

export interface MiddlewareResponse {
  status: number
  readonly fields: MiddlewareFields
  body: Uint8Array | AsyncIterable<Uint8Array>
}

/** Calls on the rest of the pipeline. */
export type Next = (request: MiddlewareRequest) => Promise<MiddlewareResponse>

/** One handler of a pipeline, created at load. It answers itself, or calls `next` and may change what comes back. */
export interface HttpMiddleware extends LiveComponent {
  readonly capabilities: ReadonlySet<MiddlewareCapability>
  handle(request: MiddlewareRequest, next: Next): Promise<MiddlewareResponse>
}

export const middlewareHttpContract = 'middleware.http/0'
export type HttpMiddlewareDefinition = ComponentDefinition<
  typeof middlewareHttpContract,
  MiddlewareCapability,
  HttpMiddleware
>

export function defineHttpMiddleware<V extends object>(
  definition: DefinitionInput<V, MiddlewareCapability, HttpMiddleware>,
): HttpMiddlewareDefinition {
  return { contract: middlewareHttpContract, ...definition } as HttpMiddlewareDefinition
}
