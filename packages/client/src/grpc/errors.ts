import { detailsOf } from '@outrigger/proto/status'
import { grpcStatus, grpcStatusName, isGrpcError, type GrpcError } from '@outrigger/wire/grpc'
import { knownByGrpc, statusOfGrpc } from '../error-table.ts'
import { clientError, givenUp, OutriggerError, type ErrorDetails } from '../error.ts'

/** A failed call as what callers see. */
export function callError(error: unknown, signal: AbortSignal | undefined, origin: string): unknown {
  if (!isGrpcError(error)) return error
  if (signal?.aborted === true) return givenUp(signal, error)
  // The peer's statuses come with trailers, those that the channel makes have none.
  return error.trailers === undefined ? localError(error, origin) : answerError(error)
}

function answerError(error: GrpcError): OutriggerError {
  const name = grpcStatusName(error.code)
  const { reason, metadata, resource, violations, help } = detailsOf(error)
  const known = reason === undefined ? undefined : knownByGrpc(reason, name)
  // Over HTTP these have no details, which have nothing to say either.
  const plain = known !== undefined && known.reason === undefined
  const details: ErrorDetails = plain
    ? {}
    : {
        ...(metadata !== undefined && Object.keys(metadata).length > 0 && { metadata }),
        ...(resource !== undefined && { resource: { type: resource.type ?? '', name: resource.name } }),
        ...(violations !== undefined && violations.length > 0 && { violations }),
        ...(help !== undefined && help.length > 0 && { help }),
      }
  return new OutriggerError({
    message: error.message,
    status: known?.status ?? statusOfGrpc(name),
    grpcStatus: name,
    errorCode: known?.errorCode ?? reason,
    reason,
    details,
    cause: error,
  })
}

function localError(error: GrpcError, origin: string): OutriggerError {
  switch (error.code) {
    case grpcStatus.DEADLINE_EXCEEDED:
      return clientError('ERR_CLIENT_TIMEOUT', error.message, error)
    case grpcStatus.CANCELLED:
      return clientError('ERR_CLIENT_CANCELLED', error.message, error)
    case grpcStatus.RESOURCE_EXHAUSTED:
      return clientError('ERR_CLIENT_TOO_LARGE', `${error.message}; raise the limit with maxBodyBytes`, error)
    case grpcStatus.UNAVAILABLE: {
      const problem = `the sidecar at ${origin} cannot be reached: ${error.message}`
      return clientError('ERR_CLIENT_UNAVAILABLE', problem, error)
    }
    default:
      return clientError('ERR_CLIENT_ANSWER', error.message, error)
  }
}
