import type { Body, Fields, FieldsInit } from '@outrigger/wire'

/** A request to the application. */
export interface AppRequest {
  readonly method: string
  /** Absolute path and query, escaped: `/orders?x=1`. */
  readonly path: string
  readonly fields?: FieldsInit
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal
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
   * Any status is an answer. Rejects with a WireError when there is none.
   * Waits while as many calls are under way as `maxConcurrency` allows.
   */
  call(request: AppRequest): Promise<AppResponse>
  close(): void
}
