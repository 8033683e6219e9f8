import { grpcError } from '@outrigger/proto/status'
import { grpcStatus, type GrpcStatusName, type ServerCall } from '@outrigger/wire/grpc'
import { ApiError } from '../api/api-error.ts'
import type { DaprHandlers } from '../api/grpc-call.ts'
import { retryAfterSeconds } from '../overload/refused.ts'

type AnyHandler = (request: never, call: ServerCall) => unknown

/** Puts around each handler what turns an ApiError into a status with details. */
export function withStatuses(handlers: DaprHandlers): DaprHandlers {
  return Object.fromEntries(
    Object.entries(handlers).map(([name, handler]) => [name, wrap(handler as AnyHandler)]),
  ) as DaprHandlers
}

function wrap(handler: AnyHandler): AnyHandler {
  return (request, call) => {
    let answer: unknown
    try {
      answer = handler(request, call)
    } catch (error) {
      throw statusOf(error)
    }
    if (isAsyncIterable(answer)) return translated(answer)
    if (answer instanceof Promise) {
      return answer.catch((error: unknown) => {
        throw statusOf(error)
      })
    }
    return answer
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

async function* translated(messages: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  try {
    yield* messages
  } catch (error) {
    throw statusOf(error)
  }
}

/** The same table as for HTTP decides: status code, reason and details. */
export function statusOf(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error
  const { row, subject } = error
  const rich = row.rich === true
  return grpcError(
    {
      code: grpcStatus[row.grpc as GrpcStatusName],
      message: error.message,
      details: {
        reason: rich ? (row.reason ?? row.code) : row.code,
        metadata: subject?.metadata,
        resource:
          subject?.resourceName === undefined
            ? undefined
            : { type: subject.resourceType, name: subject.resourceName },
        retryAfterMs: row.http === 503 ? retryAfterSeconds * 1000 : undefined,
        violations: subject?.fieldViolation === undefined ? undefined : [subject.fieldViolation],
      },
    },
    { cause: error },
  )
}
