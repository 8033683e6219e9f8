import type { ComponentDefinition, DefinitionInput } from './definition.ts'
import type { LiveComponent } from './operation.ts'

/** There are no optional abilities yet. */
export type MiddlewareCapability = never

/** Header fields. Names given and returned are lower-case. The server's own objects satisfy this. */
export interface MiddlewareFields {
  /** The first value of this name. */
  get(name: string): string | undefined
  /** All values of this name, in order. */
  getAll(name: string): readonly string[]
  has(name: string): boolean
  /** Puts one field in the place of all of this name. */
  set(name: string, value: string): void
  /** Adds a field and keeps those of the same name. */
  append(name: string, value: string): void
  delete(name: string): void
  [Symbol.iterator](): Iterator<readonly [name: string, value: string]>
}

/** A body: a stream that can be read once, or taken whole within a limit of bytes. Nothing is read before somebody asks. */
export interface MiddlewareBody extends AsyncIterable<Uint8Array> {
  /** Bytes, where that is known before it is read. */
  readonly length: number | undefined
  /** All of it. Rejects past `limitBytes`; without it, past the limit of the server. */
  bytes(limitBytes?: number): Promise<Uint8Array>
}

/** What may take the place of a body. */
export type MiddlewareBodyInit = Uint8Array | string | AsyncIterable<Uint8Array>

/** A request on its way. What a handler changes, those behind it see. */
export interface MiddlewareRequest {
  method: string
  /** Path as sent: escaped, without the query. */
  path: string
  /** Query as sent, without `?`; empty when there is none. */
  query: string
  readonly scheme: 'http' | 'https'
  /** The authority that was asked for (`Host`, `:authority`); empty when there is none. */
  readonly authority: string
  /** Address of the peer; empty where there is none: a Unix socket, or a call that the runtime makes itself. */
  readonly remoteAddress: string
  readonly fields: MiddlewareFields
  readonly body: MiddlewareBody
  /** Fields after the body; `undefined` until the body has ended, or when there are none. */
  readonly trailers: MiddlewareFields | undefined
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
  /** Gives those behind another body. A stream may be made of the former one. */
  replaceBody(body: MiddlewareBodyInit): void
  /** Makes an answer, instead of calling on the rest of the pipeline. Nothing is sent before it is returned. */
  respond(
    status: number,
    fields?: Readonly<Record<string, string>>,
    body?: MiddlewareBodyInit,
  ): MiddlewareResponse
}

/** An answer on its way back. */
export interface MiddlewareResponse {
  status: number
  readonly fields: MiddlewareFields
  readonly body: MiddlewareBody
  /** Fields after the body; `undefined` until the body has ended, or when there are none. */
  readonly trailers: MiddlewareFields | undefined
  /** Gives those in front another body. A stream may be made of the former one. */
  replaceBody(body: MiddlewareBodyInit): void
}

/**
 * Calls on the rest of the pipeline, with the very request that came; once for each request. Resolves with the head
 * of the answer; rejects when there is none.
 */
export type Next = (request: MiddlewareRequest) => Promise<MiddlewareResponse>

/** One handler of a pipeline, created at load. It answers itself, or calls `next` and may change what comes back. */
export interface HttpMiddleware extends LiveComponent {
  readonly capabilities: ReadonlySet<MiddlewareCapability>
  /**
   * Runs for every request, many at once. What it throws is answered as an error of the server, so that a refusal is
   * an answer and no error. Errors of `next` pass as they are.
   */
  handle(request: MiddlewareRequest, next: Next): Promise<MiddlewareResponse>
}

export const middlewareHttpContract = 'middleware.http/1'
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
