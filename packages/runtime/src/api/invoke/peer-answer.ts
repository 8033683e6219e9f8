import { httpStatusOf } from '@outrigger/proto/codes'
import { Fields } from '@outrigger/wire'
import { GrpcError, type GrpcStatusCode } from '@outrigger/wire/grpc'
import type { AppResponse } from '../../app/channel.ts'
import { MemoryBody } from '../../app/memory-body.ts'
import { contentLength, type PeerAnswer } from '../../peer/call.ts'
import type { PeerResponse } from '../../peer/messages.ts'
import { BackWriter } from '../../peer/protobuf.ts'
import { metadataToHttp } from './metadata.ts'
import { firstHttpStatus } from './status-failure.ts'

const encoder = new TextEncoder()

/** An answer of another sidecar as an answer of HTTP. */
export async function httpAnswer({ head, body }: PeerAnswer): Promise<AppResponse> {
  const fields = new Fields(metadataToHttp(head.headers))
  const type = head.typeUrl === '' ? head.contentType : 'application/x-protobuf'
  if (head.status >= firstHttpStatus) {
    if (type !== '') fields.set('content-type', type)
    // Of what comes in pieces, and of an answer to HEAD.
    const length = body instanceof MemoryBody && body.length > 0 ? undefined : contentLength(head.headers)
    if (length !== undefined) fields.set('content-length', String(length))
    return { status: head.status, fields, body }
  }
  if (head.status === 0) {
    if (type !== '') fields.set('content-type', type)
    return { status: 200, fields, body }
  }
  body.cancel()
  const { statusJson } = await import('./status-json.ts')
  fields.set('content-type', 'application/json')
  const text = statusJson(statusError(head))
  return { status: httpStatusOf(head.status), fields, body: new MemoryBody(encoder.encode(text)) }
}

/** The status of an application that speaks gRPC, as an error of a call. */
export function statusError({ status, message, details, trailers }: PeerResponse): GrpcError {
  const text = Buffer.from(message, 'latin1').toString('utf8')
  return new GrpcError(status as GrpcStatusCode, text, {
    details: details.length === 0 ? undefined : encodeDetails(status, message, details),
    trailers: new Fields([...trailers]),
  })
}

/** `google.rpc.Status`. */
function encodeDetails(code: number, message: string, details: readonly Uint8Array[]): Uint8Array {
  const writer = new BackWriter(64 + message.length + details.reduce((sum, one) => sum + one.length + 8, 0))
  for (let index = details.length - 1; index >= 0; index--) writer.bytes(3, details[index]!)
  writer.text(2, message)
  writer.number(1, code)
  return writer.finish()
}
