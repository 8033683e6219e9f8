import type { Body, Fields, FieldsInit } from '@outrigger/wire'

/** A request to the application. */
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
}

export interface AppResponse {
  readonly status: number
  readonly fields: Fields
  /** Must be read or cancelled. */
  readonly body: Body
}

/** How the application is reached, whatever it speaks. */
export interface AppChannel {
  /** `http://127.0.0.1:6000`, for messages. */
  readonly address: string
  /**
   * Any status is an answer. Rejects with a WireError when there is none, and with an AppBusyError when the
   * queue is full. Waits while as many calls are under way as `maxConcurrency` allows.
   */
  call(request: AppRequest): Promise<AppResponse>
  close(): void
}

/** Too many calls wait for the application already. To a caller: 503 with `Retry-After`. */
export class AppBusyError extends Error {
  readonly retryAfterSeconds = 1

  constructor(maxConcurrency: number, waiting: number) {
    super(
      `the application handles ${maxConcurrency} calls at once (app-max-concurrency) and ${waiting} more are waiting`,
    )
    this.name = 'AppBusyError'
  }
}
