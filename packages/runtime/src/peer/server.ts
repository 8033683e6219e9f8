import { isWireError, type Handler, type ServerRequest, type ServerResponse } from '@outrigger/wire'
import { encodeBinary, encodeMessage, GrpcError, grpcStatus, isGrpcError } from '@outrigger/wire/grpc'
import { callLocalPath, callLocalStreamPath, contentLength, type PeerAnswer } from './call.ts'
import { FrameReader } from './frames.ts'
import {
  decodeRequest,
  decodeRequestPiece,
  encodeResponse,
  encodeResponsePiece,
  type PeerRequest,
} from './messages.ts'
import { PeerBody } from './peer-body.ts'
import { MalformedMessage } from './protobuf.ts'

/** What another sidecar asks of this one. */
export interface PeerServices {
  /**
   * Calls the application. A body that is a stream must be read or given up.
   * Rejects with a GrpcError when there is no answer of the application.
   */
  callLocal(
    head: PeerRequest,
    body: Uint8Array | PeerBody | undefined,
    request: ServerRequest,
  ): Promise<PeerAnswer>
  /** Takes every other call. */
  readonly fallback: Handler
  readonly maxMessageBytes: number
  /** Told of what nobody foresaw; the caller sees INTERNAL. */
  readonly onError: (error: unknown, path: string) => void
}

const headFields = ['content-type', 'application/grpc']
const okFields = ['grpc-status', '0']
/** Answers up to this size go out in one message. */
const wholeBytes = 64 * 1024

/** Serves `ServiceInvocation` to other sidecars: what comes in pieces goes on in pieces, both ways. */
export function peerHandler(services: PeerServices): Handler {
  return (request, response) => {
    const { path } = request
    if (request.method !== 'POST') return services.fallback(request, response)
    if (path === callLocalStreamPath) return serve(services, request, response, stream)
    if (path === callLocalPath) return serve(services, request, response, unary)
    return services.fallback(request, response)
  }
}

type Serve = (services: PeerServices, request: ServerRequest, response: ServerResponse) => Promise<void>

async function serve(
  services: PeerServices,
  request: ServerRequest,
  response: ServerResponse,
  answer: Serve,
): Promise<void> {
  try {
    await answer(services, request, response)
  } catch (error) {
    if (response.started || request.signal.aborted) return response.abort()
    response.send(200, [...headFields, ...statusFields(error, request.path, services)])
  }
}

const stream: Serve = async (services, request, response) => {
  request.body.limit = Number.POSITIVE_INFINITY
  const reader = new FrameReader(request.body, services.maxMessageBytes)
  const first = await reader.next()
  if (first === undefined) throw new GrpcError(grpcStatus.INVALID_ARGUMENT, 'there is no message')
  const { head, data, seq } = decodeRequestPiece(first)
  if (head === undefined)
    throw new GrpcError(grpcStatus.INVALID_ARGUMENT, 'the first message of the request has no head')
  if (seq !== 0) throw new GrpcError(grpcStatus.INVALID_ARGUMENT, `the first piece has the number ${seq}`)
  // Who has said what he wants may take his time.
  request.body.idleTimeoutMs = 0
  await reader.peek()
  const body = reader.ended
    ? data
    : new PeerBody(reader, decodeRequestPiece, data, contentLength(head.metadata))
  const answer = await services.callLocal(head, body, request)
  try {
    await sendPieces(answer, response)
  } catch (error) {
    answer.body.cancel()
    throw error
  }
}

async function sendPieces({ head, body }: PeerAnswer, response: ServerResponse): Promise<void> {
  if (body.length !== undefined && body.length <= wholeBytes) {
    const frame = encodeResponsePiece(head, await body.bytes(), 0)
    const writer = response.start(200, headFields)
    void writer.write(frame)?.catch(() => {})
    return writer.end(okFields)
  }
  const writer = response.start(200, headFields)
  try {
    // The head goes out before there is a body: it may take its time.
    await writer.write(encodeResponsePiece(head, undefined, 0))
    let seq = 0
    for await (const chunk of body) {
      const waiting = writer.write(encodeResponsePiece(undefined, chunk, seq++))
      if (waiting !== undefined) await waiting
    }
    writer.end(okFields)
  } catch (error) {
    if (isWireError(error, 'ABORTED')) throw error
    const text = `the answer of the application broke off: ${error instanceof Error ? error.message : 'unknown'}`
    writer.end(['grpc-status', String(grpcStatus.INTERNAL), 'grpc-message', encodeMessage(text)])
    body.cancel()
  }
}

const unary: Serve = async (services, request, response) => {
  request.body.limit = services.maxMessageBytes + 5
  const reader = new FrameReader(request.body, services.maxMessageBytes)
  const message = await reader.next()
  if (message === undefined) throw new GrpcError(grpcStatus.INVALID_ARGUMENT, 'there is no message')
  if ((await reader.next()) !== undefined)
    throw new GrpcError(grpcStatus.INVALID_ARGUMENT, 'there is more than one message')
  const { head, data } = decodeRequest(message)
  const answer = await services.callLocal(head, data.length === 0 ? undefined : data, request)
  const frame = encodeResponse(answer.head, await answer.body.bytes(services.maxMessageBytes))
  const writer = response.start(200, headFields)
  void writer.write(frame)?.catch(() => {})
  writer.end(okFields)
}

/** The fields of an answer that is a status and nothing else. */
export function statusOnly({ code, message, details, trailers }: GrpcError): string[] {
  const fields = [...headFields, 'grpc-status', String(code), 'grpc-message', encodeMessage(message)]
  if (details !== undefined) fields.push('grpc-status-details-bin', encodeBinary(details))
  if (trailers !== undefined) fields.push(...[...trailers].flat())
  return fields
}

function statusFields(error: unknown, path: string, { onError }: PeerServices): string[] {
  if (isGrpcError(error)) return statusOnly(error).slice(headFields.length)
  if (error instanceof MalformedMessage)
    return ['grpc-status', String(grpcStatus.INVALID_ARGUMENT), 'grpc-message', encodeMessage(error.message)]
  const tooLarge = isWireError(error, 'TOO_LARGE')
  if (!isWireError(error)) onError(error, path)
  const code = tooLarge ? grpcStatus.RESOURCE_EXHAUSTED : grpcStatus.INTERNAL
  const text = isWireError(error) ? error.message : 'an unexpected error; the log of the other sidecar has it'
  return ['grpc-status', String(code), 'grpc-message', encodeMessage(text)]
}
