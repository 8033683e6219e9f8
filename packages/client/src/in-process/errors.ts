import { isWireError } from '@outrigger/wire'
import { clientError, givenUp, isOutriggerError, OutriggerError, type ErrorDetails } from '../error.ts'

/** An error of the runtime's operations, by its structure: a copy of the package counts as well. */
interface ApiError extends Error {
  readonly row: {
    readonly http: number
    readonly grpc: string
    readonly code: string
    readonly reason?: string
    readonly rich?: boolean
  }
  readonly subject?:
    | {
        readonly resourceType?: string
        readonly resourceName?: string
        readonly metadata?: Readonly<Record<string, string>>
        readonly fieldViolation?: { readonly field: string; readonly description: string }
      }
    | undefined
}

function isApiError(error: unknown): error is ApiError {
  return error instanceof Error && error.name === 'ApiError' && typeof (error as ApiError).row === 'object'
}

/** A failure of the runtime, as what callers see. */
export function runtimeError(error: unknown, signal: AbortSignal | undefined): OutriggerError {
  if (isOutriggerError(error)) return error
  if (signal?.aborted === true) return givenUp(signal, error)
  if (isApiError(error)) return apiError(error)
  const message = error instanceof Error ? error.message : String(error)
  if (isWireError(error, 'TOO_LARGE'))
    return clientError('ERR_CLIENT_TOO_LARGE', `${message}; raise the limit with maxBodyBytes`, error)
  // Over a wire what nobody foresaw is answered like this.
  return new OutriggerError({
    message,
    status: 500,
    grpcStatus: 'INTERNAL',
    errorCode: 'ERROR',
    cause: error,
  })
}

function apiError(error: ApiError): OutriggerError {
  const { row, subject, message } = error
  return new OutriggerError({
    message,
    status: row.http,
    grpcStatus: row.grpc,
    errorCode: row.code,
    reason: row.rich === true ? (row.reason ?? row.code) : row.code,
    details: row.rich === true && subject !== undefined ? detailsOf(subject) : {},
    cause: error,
  })
}

function detailsOf(subject: NonNullable<ApiError['subject']>): ErrorDetails {
  const { metadata, resourceName, resourceType, fieldViolation } = subject
  return {
    ...(metadata !== undefined && { metadata }),
    ...(resourceName !== undefined && { resource: { type: resourceType ?? '', name: resourceName } }),
    ...(fieldViolation !== undefined && { violations: [fieldViolation] }),
  }
}
