import type { Fields } from '../fields.ts'

/** Status codes of gRPC, by name. */
export const grpcStatus = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const

export type GrpcStatusName = keyof typeof grpcStatus
export type GrpcStatusCode = (typeof grpcStatus)[GrpcStatusName]

const names = new Map(
  Object.entries(grpcStatus).map(([name, code]) => [code as number, name as GrpcStatusName]),
)

/** The name of a code; one that is not known counts as UNKNOWN. */
export function grpcStatusName(code: number): GrpcStatusName {
  return names.get(code) ?? 'UNKNOWN'
}

const brand: unique symbol = Symbol.for('outrigger.wire.grpc-error') as never

export interface GrpcErrorOptions {
  /** A serialised google.rpc.Status with details: `grpc-status-details-bin`. */
  readonly details?: Uint8Array | undefined
  /** Metadata that came, or is to go, with the status. */
  readonly trailers?: Fields | undefined
  readonly cause?: unknown
}

/** A call that ended with a status other than OK. A handler throws one; a client rejects with one. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError'
  readonly code: GrpcStatusCode
  readonly details: Uint8Array | undefined
  readonly trailers: Fields | undefined
  readonly [brand] = true

  constructor(code: GrpcStatusCode, message: string, options: GrpcErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details
    this.trailers = options.trailers
  }
}

/** Tells a GrpcError, also one of another copy of this package. */
export function isGrpcError(error: unknown): error is GrpcError {
  return typeof error === 'object' && error !== null && brand in error
}

/**
 * The status that an HTTP status stands for where there is no `grpc-status`
 * (gRPC, "HTTP to gRPC Status Code Mapping").
 */
export function statusOfHttp(status: number): GrpcStatusCode {
  switch (status) {
    case 400:
      return grpcStatus.INTERNAL
    case 401:
      return grpcStatus.UNAUTHENTICATED
    case 403:
      return grpcStatus.PERMISSION_DENIED
    case 404:
      return grpcStatus.UNIMPLEMENTED
    case 429:
    case 502:
    case 503:
    case 504:
      return grpcStatus.UNAVAILABLE
    default:
      return grpcStatus.UNKNOWN
  }
}

/** The status that a stream which was reset stands for (gRPC over HTTP/2, "Errors"). */
export function statusOfReset(code: number): GrpcStatusCode {
  switch (code) {
    case 7: // REFUSED_STREAM
      return grpcStatus.UNAVAILABLE
    case 8: // CANCEL
      return grpcStatus.CANCELLED
    case 11: // ENHANCE_YOUR_CALM
      return grpcStatus.RESOURCE_EXHAUSTED
    case 12: // INADEQUATE_SECURITY
      return grpcStatus.PERMISSION_DENIED
    default:
      return code > 13 ? grpcStatus.UNKNOWN : grpcStatus.INTERNAL
  }
}

/** A value of HTTP/2 has no blank at its ends (RFC 9113, section 8.2.1). */
const mustEscape = /[^\u0020-\u0024\u0026-\u007e]|^ | $/
const encoder = new TextEncoder()

/** A status message as `grpc-message` carries it: percent-encoded UTF-8. */
export function encodeMessage(message: string): string {
  if (!mustEscape.test(message)) return message
  let encoded = ''
  const bytes = encoder.encode(message)
  for (const [at, byte] of bytes.entries()) {
    const plain = byte > 0x20 && byte <= 0x7e && byte !== 0x25
    const inside = byte === 0x20 && at > 0 && at < bytes.length - 1
    encoded +=
      plain || inside ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return encoded
}

/** Undoes `encodeMessage`. What is not well formed stays as it is. */
export function decodeMessage(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
