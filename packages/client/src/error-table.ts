/**
 * How the errors of the API look on each wire: code, HTTP status, gRPC status and, where the answer has details, their
 * reason. HTTP says nothing of the gRPC status and gRPC nothing of the code: with this table both give the same error.
 */
type Row = readonly [errorCode: string, status: number, grpcStatus: string, reason?: string]

const rows: readonly Row[] = [
  ['ERR_API_UNIMPLEMENTED', 501, 'UNIMPLEMENTED'],
  ['ERR_BAD_REQUEST', 400, 'INVALID_ARGUMENT'],
  ['ERR_MALFORMED_REQUEST', 400, 'INVALID_ARGUMENT'],
  ['ERR_MALFORMED_REQUEST_DATA', 500, 'INTERNAL'],
  ['ERR_BODY_READ', 400, 'INVALID_ARGUMENT'],
  ['ERROR', 500, 'INTERNAL'],
  ['ERR_OVERLOADED', 503, 'UNAVAILABLE'],
  ['ERR_HEALTH_NOT_READY', 500, 'INTERNAL'],
  ['ERR_OUTBOUND_HEALTH_NOT_READY', 500, 'INTERNAL'],
  ['ERR_HEALTH_APPID_NOT_MATCH', 500, 'INTERNAL'],
  ['ERR_STATE_STORE_NOT_CONFIGURED', 500, 'FAILED_PRECONDITION', 'DAPR_STATE_NOT_CONFIGURED'],
  ['ERR_STATE_STORE_NOT_FOUND', 400, 'INVALID_ARGUMENT', 'DAPR_STATE_NOT_FOUND'],
  ['ERR_MALFORMED_REQUEST', 400, 'INVALID_ARGUMENT', 'DAPR_STATE_ILLEGAL_KEY'],
  ['ERR_STATE_GET', 500, 'INTERNAL'],
  ['ERR_STATE_BULK_GET', 500, 'INTERNAL'],
  ['ERR_STATE_SAVE', 500, 'INTERNAL'],
  ['ERR_STATE_SAVE', 409, 'ABORTED'],
  ['ERR_STATE_SAVE', 400, 'INVALID_ARGUMENT'],
  ['ERR_STATE_DELETE', 500, 'INTERNAL'],
  ['ERR_STATE_DELETE', 409, 'ABORTED'],
  ['ERR_STATE_DELETE', 400, 'INVALID_ARGUMENT'],
  ['ERR_STATE_TRANSACTION', 500, 'INTERNAL'],
  ['ERR_NOT_SUPPORTED_STATE_OPERATION', 400, 'UNIMPLEMENTED'],
  ['ERR_STATE_STORE_NOT_SUPPORTED', 500, 'UNIMPLEMENTED', 'DAPR_STATE_TRANSACTIONS_NOT_SUPPORTED'],
  ['ERR_STATE_QUERY', 500, 'INTERNAL', 'DAPR_STATE_QUERY_FAILED'],
  ['ERR_STATE_QUERY', 400, 'INVALID_ARGUMENT', 'DAPR_STATE_QUERY_FAILED'],
  ['ERR_STATE_STORE_NOT_SUPPORTED', 500, 'INTERNAL', 'DAPR_STATE_QUERYING_NOT_SUPPORTED'],
  ['ERR_STATE_STORE_TOO_MANY_TRANSACTIONS', 400, 'INVALID_ARGUMENT', 'DAPR_STATE_TOO_MANY_TRANSACTIONS'],
  ['ERR_PUBSUB_NOT_FOUND', 404, 'INVALID_ARGUMENT', 'DAPR_PUBSUB_NOT_FOUND'],
  ['ERR_PUBSUB_NOT_CONFIGURED', 400, 'FAILED_PRECONDITION', 'DAPR_PUBSUB_NOT_CONFIGURED'],
  ['ERR_PUBSUB_EMPTY', 404, 'INVALID_ARGUMENT', 'DAPR_PUBSUB_NAME_EMPTY'],
  ['ERR_TOPIC_NAME_EMPTY', 404, 'INVALID_ARGUMENT', 'DAPR_PUBSUB_TOPIC_NAME_EMPTY'],
  ['ERR_PUBSUB_FORBIDDEN', 403, 'PERMISSION_DENIED', 'DAPR_PUBSUB_FORBIDDEN'],
  ['ERR_PUBSUB_REQUEST_METADATA', 400, 'INVALID_ARGUMENT', 'DAPR_PUBSUB_METADATA_DESERIALIZATION'],
  ['ERR_PUBSUB_CLOUD_EVENTS_SER', 500, 'INVALID_ARGUMENT', 'DAPR_PUBSUB_CLOUD_EVENT_CREATION'],
  ['ERR_PUBSUB_EVENTS_SER', 400, 'INVALID_ARGUMENT', 'DAPR_PUBSUB_UNMARSHAL_EVENTS'],
  ['ERR_PUBSUB_EVENTS_SER', 400, 'INVALID_ARGUMENT', 'DAPR_PUBSUB_MARSHAL_EVENTS'],
  ['ERR_PUBSUB_SUBSCRIBE', 500, 'UNAVAILABLE', 'DAPR_PUBSUB_SUBSCRIBE'],
  ['ERR_PUBSUB_PUBLISH_MESSAGE', 500, 'INTERNAL', 'DAPR_PUBSUB_PUBLISH_MESSAGE'],
  ['ERR_PUBLISH_OUTBOX', 500, 'INTERNAL', 'DAPR_PUBSUB_OUTBOX'],
  ['ERR_APP_CHANNEL_NIL', 500, 'INTERNAL'],
  ['ERR_DIRECT_INVOKE', 500, 'INTERNAL'],
  ['ERR_DIRECT_INVOKE', 404, 'NOT_FOUND'],
  ['ERR_INVOKE_OUTPUT_BINDING', 500, 'INTERNAL'],
  ['ERR_SECRET_STORES_NOT_CONFIGURED', 500, 'FAILED_PRECONDITION'],
  ['ERR_SECRET_STORE_NOT_FOUND', 401, 'INVALID_ARGUMENT'],
  ['ERR_PERMISSION_DENIED', 403, 'PERMISSION_DENIED'],
  ['ERR_SECRET_GET', 500, 'INTERNAL'],
  ['ERR_CONFIGURATION_STORE_NOT_CONFIGURED', 500, 'FAILED_PRECONDITION'],
  ['ERR_CONFIGURATION_STORE_NOT_FOUND', 400, 'INVALID_ARGUMENT'],
  ['ERR_CONFIGURATION_GET', 500, 'INTERNAL'],
  ['ERR_CONFIGURATION_SUBSCRIBE', 500, 'INVALID_ARGUMENT'],
  ['ERR_CONFIGURATION_UNSUBSCRIBE', 500, 'INTERNAL'],
  ['ERR_LOCK_STORE_NOT_CONFIGURED', 500, 'FAILED_PRECONDITION'],
  ['ERR_LOCK_STORE_NOT_FOUND', 400, 'INVALID_ARGUMENT'],
  ['ERR_TRY_LOCK', 500, 'INTERNAL'],
  ['ERR_UNLOCK', 500, 'INTERNAL'],
  ['ERR_CRYPTO_PROVIDERS_NOT_CONFIGURED', 500, 'INTERNAL'],
  ['ERR_CRYPTO_PROVIDER_NOT_FOUND', 400, 'INVALID_ARGUMENT'],
  ['ERR_CRYPTO_KEY', 500, 'INTERNAL'],
  ['ERR_CRYPTO', 500, 'INTERNAL'],
]

/** A row with names. */
export interface KnownError {
  readonly errorCode: string
  readonly status: number
  readonly grpcStatus: string
  /** Only of those whose answers have details. */
  readonly reason: string | undefined
}

export const knownErrors: readonly KnownError[] = rows.map(([errorCode, status, grpcStatus, reason]) => ({
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
