import { isWireError } from '../error.ts'
import { Fields } from '../fields.ts'
import type { Client, ServerRequest, ServerResponse } from '../types.ts'
import { encodeMessage, grpcStatus, statusOfReset } from './status.ts'
import { deadlineOf } from './timeout.ts'

export interface ProxyTarget {
  /** `http://host:port`, `https://host:port` or `unix:/path`. */
  readonly origin: string
  /** The fields to send on; without it, those that came. */
  readonly fields?: Fields
}

export interface GrpcProxyOptions {
  /** Speaks HTTP/2. */
  readonly client: Client
  /** Where a call goes; `undefined`: this proxy does not take it. */
  readonly target: (request: ServerRequest) => ProxyTarget | undefined
}

/**
 * Passes calls on without decoding them: frames, metadata, status and trailers, both ways, as they come.
 * No more is read from one side than the other takes. Serves as the `fallback` of a gRPC handler.
 */
export function createGrpcProxy(
  options: GrpcProxyOptions,
): (request: ServerRequest, response: ServerResponse) => Promise<void> | undefined {
  return (request, response) => {
    const target = options.target(request)
    return target === undefined ? undefined : pass(options.client, target, request, response)
  }
}

async function pass(
  client: Client,
  target: ProxyTarget,
  request: ServerRequest,
  response: ServerResponse,
): Promise<void> {
  const isLate = deadlineOf(request.fields)
  // How large a message may be is for the two ends to say; nothing is kept here.
  request.body.limit = Number.POSITIVE_INFINITY
  request.body.idleTimeoutMs = 0
  try {
    const answer = await client.request({
      method: request.method,
      origin: target.origin,
      path: request.query === '' ? request.path : `${request.path}?${request.query}`,
      fields: target.fields ?? Fields.from(request.fields),
      body: request.body,
      signal: request.signal,
    })
    if (answer.fields.has('grpc-status') && answer.body.length === 0) {
      response.send(answer.status, answer.fields)
      return
    }
    answer.body.limit = Number.POSITIVE_INFINITY
    const writer = response.start(answer.status, answer.fields)
    try {
      for await (const chunk of answer.body) {
        const waiting = writer.write(chunk)
        if (waiting !== undefined) await waiting
      }
      writer.end(answer.trailers)
    } catch (error) {
      // The other side is to see that it is incomplete, and why.
      writer.end(statusFields(error, isLate()))
    }
  } catch (error) {
    if (!response.started)
      response.send(200, ['content-type', 'application/grpc', ...statusFields(error, isLate())])
  }
}

/** A server that resets a stream when the caller's time is over says so in no other way. */
function statusFields(error: unknown, late: boolean): string[] {
  const reset = isWireError(error) ? error.resetCode : undefined
  const code = late
    ? grpcStatus.DEADLINE_EXCEEDED
    : reset !== undefined
      ? statusOfReset(reset)
      : isWireError(error, 'ABORTED')
        ? grpcStatus.CANCELLED
        : grpcStatus.UNAVAILABLE
  const text = isWireError(error) ? error.message : 'the call could not be passed on'
  return ['grpc-status', String(code), 'grpc-message', encodeMessage(text)]
}
