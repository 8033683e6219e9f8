/** HTTP status by gRPC code (0 OK ... 16 UNAUTHENTICATED). */
const httpStatuses = [
  200, // OK
  408, // CANCELLED
  500, // UNKNOWN
  400, // INVALID_ARGUMENT
  504, // DEADLINE_EXCEEDED
  404, // NOT_FOUND
  409, // ALREADY_EXISTS
  403, // PERMISSION_DENIED
  429, // RESOURCE_EXHAUSTED
  400, // FAILED_PRECONDITION
  409, // ABORTED
  400, // OUT_OF_RANGE
  501, // UNIMPLEMENTED
  500, // INTERNAL
  503, // UNAVAILABLE
  500, // DATA_LOSS
  401, // UNAUTHENTICATED
]

const unknown = 2

const grpcCodes: ReadonlyMap<number, number> = new Map([
  // INTERNAL, though INVALID_ARGUMENT would say more: callers rely on it.
  [400, 13],
  [401, 16],
  [403, 7],
  [404, 5],
  [408, 1],
  [409, 6],
  [429, 8],
  [500, unknown],
  [501, 12],
  [503, 14],
  [504, 4],
])

/** The HTTP status under which a gRPC status of an application is passed on; 500 for a code that there is not. */
export function httpStatusOf(grpcCode: number): number {
  return httpStatuses[grpcCode] ?? 500
}

/**
 * The gRPC code under which an HTTP status of an application is passed on; UNKNOWN for all that have none. It is
 * not the inverse of `httpStatusOf`, and not the mapping of the gRPC specification for answers that are no gRPC.
 */
export function grpcCodeOf(httpStatus: number): number {
  if (httpStatus >= 200 && httpStatus < 300) return 0
  return grpcCodes.get(httpStatus) ?? unknown
}
