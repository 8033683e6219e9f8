import { errorRows } from './generated/errors.ts'

/**
 * How an error looks on each wire. HTTP says nothing of the gRPC status, gRPC nothing of the code and the HTTP status:
 * with this table both give the same error.
 */
export interface KnownError {
  readonly errorCode: string
  readonly status: number
  readonly grpcStatus: string
  /** Only of those whose answers have details. */
  readonly reason: string | undefined
}

const knownErrors: readonly KnownError[] = errorRows.map(([errorCode, status, grpcStatus, reason]) => ({
  errorCode,
  status,
  grpcStatus,
  reason,
}))

/** What an answer over HTTP is about. `reason`: that of its details. */
export function knownByHttp(
  errorCode: string,
  status: number,
  reason: string | undefined,
): KnownError | undefined {
  return knownErrors.find(
    (row) => row.errorCode === errorCode && row.status === status && row.reason === reason,
  )
}

/** What a status of gRPC is about. Without details of its own, an error has its code for a reason. */
export function knownByGrpc(reason: string, grpcStatus: string): KnownError | undefined {
  return knownErrors.find((row) => (row.reason ?? row.errorCode) === reason && row.grpcStatus === grpcStatus)
}

/** HTTP status by name of a gRPC status, for errors that are in no table (google.rpc.Code). */
const statuses: Readonly<Record<string, number>> = {
  CANCELLED: 499,
  UNKNOWN: 500,
  INVALID_ARGUMENT: 400,
  DEADLINE_EXCEEDED: 504,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 429,
  FAILED_PRECONDITION: 400,
  ABORTED: 409,
  OUT_OF_RANGE: 400,
  UNIMPLEMENTED: 501,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DATA_LOSS: 500,
  UNAUTHENTICATED: 401,
}

export function statusOfGrpc(name: string): number {
  return statuses[name] ?? 500
}

/** The other way round, for statuses of HTTP that no table knows. */
export function grpcOfStatus(status: number): string {
  switch (status) {
    case 400:
      return 'INVALID_ARGUMENT'
    case 401:
      return 'UNAUTHENTICATED'
    case 403:
      return 'PERMISSION_DENIED'
    case 404:
      return 'NOT_FOUND'
    case 408:
    case 504:
      return 'DEADLINE_EXCEEDED'
    case 409:
      return 'ABORTED'
    case 413:
    case 429:
      return 'RESOURCE_EXHAUSTED'
    case 499:
      return 'CANCELLED'
    case 501:
      return 'UNIMPLEMENTED'
    case 502:
    case 503:
      return 'UNAVAILABLE'
    default:
      return status >= 500 ? 'INTERNAL' : 'UNKNOWN'
  }
}
