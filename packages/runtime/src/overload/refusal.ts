import { encodeStatus } from '@outrigger/proto/status'
import { Fields } from '@outrigger/wire'
import { GrpcError, grpcStatus } from '@outrigger/wire/grpc'
import { errorTable } from '../api/errors.ts'
import { refusedField, retryAfterSeconds } from './refused.ts'

/** What another sidecar is told whose call is turned away; it may try another instance. */
export function refusal(message: string, cause?: unknown): GrpcError {
  const code = grpcStatus.UNAVAILABLE
  const details = { reason: errorTable.OVERLOADED.code, retryAfterMs: retryAfterSeconds * 1000 }
  return new GrpcError(code, message, {
    cause,
    details: encodeStatus({ code, message, details }),
    trailers: new Fields([refusedField, '1']),
  })
}
