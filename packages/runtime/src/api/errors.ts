/** One row: how an error looks on each wire. `reason` is the one of google.rpc.ErrorInfo, where it differs from `code`. */
export interface ErrorRow {
  readonly http: number
  /** Name of the gRPC status code. */
  readonly grpc: string
  /** `errorCode` of the JSON body. */
  readonly code: string
  readonly reason?: string
  /** Whether the JSON body carries `details`. */
  readonly rich?: boolean
}

/** The one table of what can go wrong: id -> HTTP status, gRPC code, code and reason. */
export const errorTable = {
  // Common
  API_UNIMPLEMENTED: { http: 501, grpc: 'UNIMPLEMENTED', code: 'ERR_API_UNIMPLEMENTED' },
  BAD_REQUEST: { http: 400, grpc: 'INVALID_ARGUMENT', code: 'ERR_BAD_REQUEST' },
  MALFORMED_REQUEST: { http: 400, grpc: 'INVALID_ARGUMENT', code: 'ERR_MALFORMED_REQUEST' },
  MALFORMED_REQUEST_DATA: { http: 500, grpc: 'INTERNAL', code: 'ERR_MALFORMED_REQUEST_DATA' },
  BODY_READ: { http: 400, grpc: 'INVALID_ARGUMENT', code: 'ERR_BODY_READ' },
  INTERNAL: { http: 500, grpc: 'INTERNAL', code: 'ERROR' },
  OVERLOADED: { http: 503, grpc: 'UNAVAILABLE', code: 'ERR_OVERLOADED' },

  // Health
  HEALTH_NOT_READY: { http: 500, grpc: 'INTERNAL', code: 'ERR_HEALTH_NOT_READY' },
  OUTBOUND_HEALTH_NOT_READY: { http: 500, grpc: 'INTERNAL', code: 'ERR_OUTBOUND_HEALTH_NOT_READY' },
  HEALTH_APPID_NOT_MATCH: { http: 500, grpc: 'INTERNAL', code: 'ERR_HEALTH_APPID_NOT_MATCH' },

  // State
  STATE_STORE_NOT_CONFIGURED: {
    http: 500,
    grpc: 'FAILED_PRECONDITION',
    code: 'ERR_STATE_STORE_NOT_CONFIGURED',
    reason: 'DAPR_STATE_NOT_CONFIGURED',
    rich: true,
  },
  STATE_STORE_NOT_FOUND: {
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    code: 'ERR_STATE_STORE_NOT_FOUND',
    reason: 'DAPR_STATE_NOT_FOUND',
    rich: true,
  },
  STATE_ILLEGAL_KEY: {
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    code: 'ERR_MALFORMED_REQUEST',
    reason: 'DAPR_STATE_ILLEGAL_KEY',
    rich: true,
  },
  STATE_GET: { http: 500, grpc: 'INTERNAL', code: 'ERR_STATE_GET' },
  STATE_BULK_GET: { http: 500, grpc: 'INTERNAL', code: 'ERR_STATE_BULK_GET' },
  STATE_SAVE: { http: 500, grpc: 'INTERNAL', code: 'ERR_STATE_SAVE' },
  STATE_SAVE_ETAG_MISMATCH: { http: 409, grpc: 'ABORTED', code: 'ERR_STATE_SAVE' },
  STATE_SAVE_ETAG_INVALID: { http: 400, grpc: 'INVALID_ARGUMENT', code: 'ERR_STATE_SAVE' },
  STATE_DELETE: { http: 500, grpc: 'INTERNAL', code: 'ERR_STATE_DELETE' },
  STATE_DELETE_ETAG_MISMATCH: { http: 409, grpc: 'ABORTED', code: 'ERR_STATE_DELETE' },
  STATE_DELETE_ETAG_INVALID: { http: 400, grpc: 'INVALID_ARGUMENT', code: 'ERR_STATE_DELETE' },
  STATE_BULK_DELETE: { http: 500, grpc: 'INTERNAL', code: 'ERR_STATE_BULK_DELETE' },
  STATE_BULK_DELETE_ETAG_MISMATCH: { http: 409, grpc: 'ABORTED', code: 'ERR_STATE_BULK_DELETE' },
  STATE_BULK_DELETE_ETAG_INVALID: { http: 400, grpc: 'INVALID_ARGUMENT', code: 'ERR_STATE_BULK_DELETE' },
  STATE_TRANSACTION: { http: 500, grpc: 'INTERNAL', code: 'ERR_STATE_TRANSACTION' },
  STATE_OPERATION_NOT_SUPPORTED: {
    http: 400,
    grpc: 'UNIMPLEMENTED',
    code: 'ERR_NOT_SUPPORTED_STATE_OPERATION',
  },
  STATE_TRANSACTIONS_NOT_SUPPORTED: {
    http: 500,
    grpc: 'UNIMPLEMENTED',
    code: 'ERR_STATE_STORE_NOT_SUPPORTED',
    reason: 'DAPR_STATE_TRANSACTIONS_NOT_SUPPORTED',
    rich: true,
  },
  STATE_QUERY: {
    http: 500,
    grpc: 'INTERNAL',
    code: 'ERR_STATE_QUERY',
    reason: 'DAPR_STATE_QUERY_FAILED',
    rich: true,
  },
  STATE_QUERY_INVALID: {
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    code: 'ERR_STATE_QUERY',
    reason: 'DAPR_STATE_QUERY_FAILED',
    rich: true,
  },
  STATE_QUERY_NOT_SUPPORTED: {
    http: 500,
    grpc: 'INTERNAL',
    code: 'ERR_STATE_STORE_NOT_SUPPORTED',
    reason: 'DAPR_STATE_QUERYING_NOT_SUPPORTED',
    rich: true,
  },
  STATE_TOO_MANY_OPERATIONS: {
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    code: 'ERR_STATE_STORE_TOO_MANY_TRANSACTIONS',
    reason: 'DAPR_STATE_TOO_MANY_TRANSACTIONS',
    rich: true,
  },

  // Publish
  PUBSUB_NOT_FOUND: {
    http: 404,
    grpc: 'INVALID_ARGUMENT',
    code: 'ERR_PUBSUB_NOT_FOUND',
    reason: 'DAPR_PUBSUB_NOT_FOUND',
    rich: true,
  },
  // In Dapr's catalogue, and never answered: without any broker the one asked for is not found.
  PUBSUB_NOT_CONFIGURED: {
    http: 400,
    grpc: 'FAILED_PRECONDITION',
    code: 'ERR_PUBSUB_NOT_CONFIGURED',
    reason: 'DAPR_PUBSUB_NOT_CONFIGURED',
    rich: true,
  },
  PUBSUB_NAME_EMPTY: {
    http: 404,
    grpc: 'INVALID_ARGUMENT',
    code: 'ERR_PUBSUB_EMPTY',
    reason: 'DAPR_PUBSUB_NAME_EMPTY',
    rich: true,
  },
  PUBSUB_TOPIC_EMPTY: {
    http: 404,
    grpc: 'INVALID_ARGUMENT',
    code: 'ERR_TOPIC_NAME_EMPTY',
    reason: 'DAPR_PUBSUB_TOPIC_NAME_EMPTY',
    rich: true,
  },
  PUBSUB_FORBIDDEN: {
    http: 403,
    grpc: 'PERMISSION_DENIED',
    code: 'ERR_PUBSUB_FORBIDDEN',
    reason: 'DAPR_PUBSUB_FORBIDDEN',
    rich: true,
  },
  PUBSUB_METADATA: {
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    code: 'ERR_PUBSUB_REQUEST_METADATA',
    reason: 'DAPR_PUBSUB_METADATA_DESERIALIZATION',
    rich: true,
  },
  PUBSUB_CLOUD_EVENT: {
    http: 500,
    grpc: 'INVALID_ARGUMENT',
    code: 'ERR_PUBSUB_CLOUD_EVENTS_SER',
    reason: 'DAPR_PUBSUB_CLOUD_EVENT_CREATION',
    rich: true,
  },
  PUBSUB_EVENTS: {
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    code: 'ERR_PUBSUB_EVENTS_SER',
    reason: 'DAPR_PUBSUB_UNMARSHAL_EVENTS',
    rich: true,
  },
  PUBSUB_ENTRIES: {
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    code: 'ERR_PUBSUB_EVENTS_SER',
    reason: 'DAPR_PUBSUB_MARSHAL_EVENTS',
    rich: true,
  },
  PUBSUB_SUBSCRIBE: {
    http: 500,
    grpc: 'UNAVAILABLE',
    code: 'ERR_PUBSUB_SUBSCRIBE',
    reason: 'DAPR_PUBSUB_SUBSCRIBE',
    rich: true,
  },
  PUBSUB_PUBLISH: {
    http: 500,
    grpc: 'INTERNAL',
    code: 'ERR_PUBSUB_PUBLISH_MESSAGE',
    reason: 'DAPR_PUBSUB_PUBLISH_MESSAGE',
    rich: true,
  },

  PUBLISH_OUTBOX: {
    http: 500,
    grpc: 'INTERNAL',
    code: 'ERR_PUBLISH_OUTBOX',
    reason: 'DAPR_PUBSUB_OUTBOX',
    rich: true,
  },

  // Application
  APP_CHANNEL_NIL: { http: 500, grpc: 'INTERNAL', code: 'ERR_APP_CHANNEL_NIL' },

  // Service invocation
  DIRECT_INVOKE: { http: 500, grpc: 'INTERNAL', code: 'ERR_DIRECT_INVOKE' },
  DIRECT_INVOKE_DENIED: { http: 403, grpc: 'PERMISSION_DENIED', code: 'ERR_DIRECT_INVOKE' },
  DIRECT_INVOKE_TIMEOUT: { http: 500, grpc: 'DEADLINE_EXCEEDED', code: 'ERR_DIRECT_INVOKE' },
  DIRECT_INVOKE_NO_APP_ID: { http: 404, grpc: 'NOT_FOUND', code: 'ERR_DIRECT_INVOKE' },

  // Bindings
  INVOKE_OUTPUT_BINDING: { http: 500, grpc: 'INTERNAL', code: 'ERR_INVOKE_OUTPUT_BINDING' },

  // Secrets
  SECRET_STORES_NOT_CONFIGURED: {
    http: 500,
    grpc: 'FAILED_PRECONDITION',
    code: 'ERR_SECRET_STORES_NOT_CONFIGURED',
  },
  SECRET_STORE_NOT_FOUND: { http: 401, grpc: 'INVALID_ARGUMENT', code: 'ERR_SECRET_STORE_NOT_FOUND' },
  SECRET_PERMISSION_DENIED: { http: 403, grpc: 'PERMISSION_DENIED', code: 'ERR_PERMISSION_DENIED' },
  SECRET_GET: { http: 500, grpc: 'INTERNAL', code: 'ERR_SECRET_GET' },

  // Configuration
  CONFIGURATION_STORE_NOT_CONFIGURED: {
    http: 500,
    grpc: 'FAILED_PRECONDITION',
    code: 'ERR_CONFIGURATION_STORE_NOT_CONFIGURED',
  },
  CONFIGURATION_STORE_NOT_FOUND: {
    http: 400,
    grpc: 'INVALID_ARGUMENT',
    code: 'ERR_CONFIGURATION_STORE_NOT_FOUND',
  },
  CONFIGURATION_GET: { http: 500, grpc: 'INTERNAL', code: 'ERR_CONFIGURATION_GET' },
  CONFIGURATION_SUBSCRIBE: { http: 500, grpc: 'INVALID_ARGUMENT', code: 'ERR_CONFIGURATION_SUBSCRIBE' },
  CONFIGURATION_UNSUBSCRIBE: { http: 500, grpc: 'INTERNAL', code: 'ERR_CONFIGURATION_UNSUBSCRIBE' },

  // Lock
  LOCK_STORE_NOT_CONFIGURED: {
    http: 500,
    grpc: 'FAILED_PRECONDITION',
    code: 'ERR_LOCK_STORE_NOT_CONFIGURED',
  },
  LOCK_STORE_NOT_FOUND: { http: 400, grpc: 'INVALID_ARGUMENT', code: 'ERR_LOCK_STORE_NOT_FOUND' },
  TRY_LOCK: { http: 500, grpc: 'INTERNAL', code: 'ERR_TRY_LOCK' },
  UNLOCK: { http: 500, grpc: 'INTERNAL', code: 'ERR_UNLOCK' },

  // Cryptography
  CRYPTO_PROVIDERS_NOT_CONFIGURED: {
    http: 500,
    grpc: 'INTERNAL',
    code: 'ERR_CRYPTO_PROVIDERS_NOT_CONFIGURED',
  },
  CRYPTO_PROVIDER_NOT_FOUND: { http: 400, grpc: 'INVALID_ARGUMENT', code: 'ERR_CRYPTO_PROVIDER_NOT_FOUND' },
  CRYPTO_KEY: { http: 500, grpc: 'INTERNAL', code: 'ERR_CRYPTO_KEY' },
  CRYPTO: { http: 500, grpc: 'INTERNAL', code: 'ERR_CRYPTO' },
} as const satisfies Record<string, ErrorRow>

export type ErrorId = keyof typeof errorTable
