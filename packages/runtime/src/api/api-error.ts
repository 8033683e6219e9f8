import type { ErrorId } from './errors.ts'

/** An error of an operation, as the caller sees it. Its id is a row of the one table in `errors.ts`. */
export class ApiError extends Error {
  readonly id: ErrorId
  readonly details: readonly unknown[]

  constructor(id: ErrorId, message: string, options: { cause?: unknown; details?: readonly unknown[] } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ApiError'
    this.id = id
    this.details = options.details ?? []
  }
}
