import { isWireError, type Body, type Fields, type FieldsInit } from '@outrigger/wire'
import type { ServerRequest, ServerResponse } from '@outrigger/wire'

/** A place among the calls that may be under way at once. */
export interface Place {
  /** May be called more than once. */
  leave(): void
}

/** A request to an application that speaks HTTP. */
export interface AppRequest {
  readonly method: string
  /** Absolute path and query, escaped: `/orders?x=1`. */
  readonly path: string
  /** Fields of one connection only (`connection`, `te`, ...) are left out. */
  readonly fields?: FieldsInit
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal
  /** Neither waits nor counts for `maxConcurrency`: for health probes. */
  readonly unlimited?: boolean
  /** Waits however full the queue is: for questions of the sidecar itself, which are few. */
  readonly patient?: boolean
  /** Was waited for already, see `place`. The channel leaves it when the answer was read. */
  readonly place?: Place | undefined
}

export interface AppResponse {
  readonly status: number
  readonly fields: Fields
  /** Must be read or cancelled. */
  readonly body: Body
}

/** An application that speaks HTTP, over HTTP/1.1, HTTP/2 or as a function of this process. */
export interface HttpAppChannel {
  readonly kind: 'http'
  /** `http://127.0.0.1:6000`, for messages. */
  readonly address: string
  /**
   * Any status is an answer. Rejects with a WireError when there is none, and with an AppBusyError when the
   * queue is full. Waits while as many calls are under way as `maxConcurrency` allows: callers, as they are named by
   * `dapr-caller-app-id`, take turns.
   */
  call(request: AppRequest): Promise<AppResponse>
  /**
   * Waits for a place, however full the queue is: for what must not be refused and is bounded elsewhere, such as
   * messages. `source` says whose turn it takes. Absent where there is no limit.
   */
  readonly place?: TakePlace | undefined
  close(): void
}

export type TakePlace = (source: string, signal: AbortSignal | undefined) => Promise<Place>

/** A method with one message each way: those of `methodsOf` in proto are such, see `callbacks.ts`. */
export interface UnaryMethod<I, O> {
  /** `/package.Service/Method`. */
  readonly path: string
  readonly kind: 'unary'
  readonly input: { encode(message: I): Uint8Array }
  readonly output: { decode(bytes: Uint8Array): O }
}

export interface AppCallOptions {
  readonly metadata?: FieldsInit | undefined
  readonly signal?: AbortSignal | undefined
  /** Time for the call, its turn not included. The application is told. */
  readonly timeoutMs?: number | undefined
  /** Neither waits nor counts for `maxConcurrency`: for health probes. */
  readonly unlimited?: boolean | undefined
  /** Waits however full the queue is: for questions of the sidecar itself, which are few. */
  readonly patient?: boolean | undefined
  /** Was waited for already. The channel leaves it when the call has ended. */
  readonly place?: Place | undefined
  /** Told of the metadata before the answer. */
  readonly onMetadata?: ((metadata: Fields) => void) | undefined
  /** Told of the metadata that came with an OK status. */
  readonly onTrailers?: ((trailers: Fields) => void) | undefined
}

/** An application that serves `AppCallback`, over gRPC. */
export interface GrpcAppChannel {
  readonly kind: 'grpc'
  /** `http://127.0.0.1:6000` (grpc) or `https://127.0.0.1:6000` (grpcs), for messages. */
  readonly address: string
  /**
   * Rejects with a GrpcError when the application gives another status than OK or cannot be reached, and with an
   * AppBusyError when the queue is full. Waits as an HttpAppChannel does.
   */
  call<I, O>(method: UnaryMethod<I, O>, request: I, options?: AppCallOptions): Promise<O>
  /** As that of an HttpAppChannel. */
  readonly place?: TakePlace | undefined
  /**
   * Passes a call of any kind on as it comes, without decoding it; it answers itself, whatever happens. Neither
   * waits nor counts for `maxConcurrency`, as streams may stay open for ever.
   */
  forward(request: ServerRequest, response: ServerResponse, fields: Fields): Promise<void>
  close(): void
}

/** How the application is reached. */
export type AppChannel = HttpAppChannel | GrpcAppChannel

/** Whether a call failed before the application saw anything of it: it is not there, or too busy. */
export function neverReached(error: unknown): boolean {
  if (isWireError(error, 'CONNECT') || error instanceof AppBusyError) return true
  return error instanceof Error && isWireError(error.cause, 'CONNECT')
}

/** Too many calls wait for the application already. To a caller: 503 with `Retry-After`. */
export class AppBusyError extends Error {
  constructor(maxConcurrency: number, waiting: number, ofCaller: number) {
    super(
      `the application handles ${maxConcurrency} calls at once (app-max-concurrency) and ${waiting} more are waiting, ${ofCaller} of them of this caller`,
    )
    this.name = 'AppBusyError'
  }
}
