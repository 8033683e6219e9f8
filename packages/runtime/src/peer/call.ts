import { Fields, isWireError, type Body, type Client, type ClientResponse } from '@outrigger/wire'
import {
  decodeBinary,
  decodeMessage,
  GrpcError,
  grpcStatus,
  statusOfHttp,
  type GrpcStatusCode,
} from '@outrigger/wire/grpc'
import { refusedField } from '../overload/refused.ts'
import { isFieldName, isFieldValue } from '../app/fields.ts'
import { MemoryBody } from '../app/memory-body.ts'
import { valueOf } from './fields.ts'
import { FrameReader } from './frames.ts'
import {
  decodeResponse,
  decodeResponsePiece,
  encodeRequest,
  encodeRequestPiece,
  type PeerRequest,
  type PeerResponse,
} from './messages.ts'
import { PeerBody } from './peer-body.ts'

const service = '/dapr.proto.internals.v1.ServiceInvocation'
export const callLocalPath = `${service}/CallLocal`
export const callLocalStreamPath = `${service}/CallLocalStream`

export interface PeerAnswer {
  readonly head: PeerResponse
  /** Must be read or cancelled. */
  readonly body: Body
}

export interface PeerCall {
  readonly head: PeerRequest
  /** A stream is passed on piece by piece as it comes. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined
  /** Metadata of the call itself: names and values in turn. */
  readonly metadata: readonly string[]
  readonly signal: AbortSignal | undefined
}

const callFields = ['content-type', 'application/grpc', 'te', 'trailers']
const noBytes = new Uint8Array(0)

/**
 * Calls the application beside another sidecar by `CallLocalStream`.
 * Rejects with a GrpcError: UNAVAILABLE when the other sidecar cannot be reached or goes away.
 */
export async function callLocalStream(
  client: Client,
  origin: string,
  call: PeerCall,
  maxMessageBytes: number,
): Promise<PeerAnswer> {
  const { head, body } = call
  const whole = body === undefined || body instanceof Uint8Array
  const frames = whole ? encodeRequestPiece(head, body ?? noBytes, 0) : pieces(head, body)
  const response = await send(client, origin, callLocalStreamPath, frames, call)
  const reader = new FrameReader(response.body, maxMessageBytes)
  try {
    const first = await reader.next()
    if (first === undefined) {
      throwUnlessOk(response)
      throw new GrpcError(grpcStatus.INTERNAL, 'the other sidecar ended the call without an answer')
    }
    const piece = decodeResponsePiece(first)
    if (piece.head === undefined)
      throw new GrpcError(grpcStatus.INTERNAL, 'the first message of the answer has no head')
    if (piece.seq !== 0)
      throw new GrpcError(grpcStatus.INTERNAL, `the first piece of the answer has the number ${piece.seq}`)
    check(piece.head)
    await reader.peek()
    if (reader.ended) {
      throwUnlessOk(response)
      return { head: piece.head, body: new MemoryBody(piece.data ?? noBytes) }
    }
    const onEnd = (): void => throwUnlessOk(response)
    const length = contentLength(piece.head.headers)
    return { head: piece.head, body: new PeerBody(reader, decodeResponsePiece, piece.data, length, onEnd) }
  } catch (error) {
    reader.cancel()
    throw explain(error, call.signal)
  }
}

/** The same by `CallLocal`, which older sidecars know: everything is in one message. */
export async function callLocal(
  client: Client,
  origin: string,
  call: PeerCall & { readonly body: Uint8Array | undefined },
  maxMessageBytes: number,
): Promise<PeerAnswer> {
  const frame = encodeRequest(call.head, call.body ?? noBytes)
  const response = await send(client, origin, callLocalPath, frame, call)
  const reader = new FrameReader(response.body, maxMessageBytes)
  try {
    const message = await reader.next()
    if (message !== undefined && (await reader.next()) !== undefined)
      throw new GrpcError(grpcStatus.INTERNAL, 'the other sidecar answered more than once')
    throwUnlessOk(response)
    if (message === undefined)
      throw new GrpcError(grpcStatus.INTERNAL, 'the other sidecar ended the call without an answer')
    const { head, data } = decodeResponse(message)
    check(head)
    return { head, body: new MemoryBody(data) }
  } catch (error) {
    reader.cancel()
    throw explain(error, call.signal)
  }
}

const lastCode = 99
const firstStatus = 200
const lastStatus = 999

/** @throws GrpcError for what neither HTTP nor gRPC can pass on */
function check({ status, contentType, headers, trailers }: PeerResponse): void {
  const known = status <= lastCode || (status >= firstStatus && status <= lastStatus)
  if (!known) throw unfit(`status ${status}`)
  if (!isFieldValue(contentType)) throw unfit('a content type that is none')
  for (const pairs of [headers, trailers]) {
    for (let index = 0; index < pairs.length; index += 2) {
      const name = pairs[index]!
      if (!isFieldName(name)) throw unfit('the name of a field that is none')
      if (!isFieldValue(pairs[index + 1]!)) throw unfit(`a character in ${name} that no field can hold`)
    }
  }
}

function unfit(what: string): GrpcError {
  return new GrpcError(grpcStatus.INTERNAL, `the other sidecar answered with ${what}`)
}

async function* pieces(head: PeerRequest, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // The other side can begin before there is a body.
  yield encodeRequestPiece(head, undefined, 0)
  let seq = 0
  for await (const chunk of body) {
    if (chunk.length > 0) yield encodeRequestPiece(undefined, chunk, seq++)
  }
}

async function send(
  client: Client,
  origin: string,
  path: string,
  body: Uint8Array | AsyncIterable<Uint8Array>,
  { metadata, signal }: PeerCall,
): Promise<ClientResponse> {
  const fields = metadata.length === 0 ? callFields : [...callFields, ...metadata]
  const request = { method: 'POST', origin, path, fields, body }
  let response: ClientResponse
  try {
    response = await client.request(signal === undefined ? request : { ...request, signal })
  } catch (error) {
    throw explain(error, signal)
  }
  if (response.status !== 200) {
    response.body.cancel()
    const text = `the other sidecar answered with HTTP status ${response.status}`
    throw new GrpcError(statusOfHttp(response.status), text)
  }
  if (response.fields.has('grpc-status')) {
    response.body.cancel()
    throwFor(response.fields)
  }
  response.body.limit = Number.POSITIVE_INFINITY
  return response
}

/** Of a body that comes in pieces, where the sender knew it. */
export function contentLength(headers: readonly string[]): number | undefined {
  const text = valueOf(headers, 'content-length')
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

function throwUnlessOk({ trailers }: ClientResponse): void {
  if (trailers?.has('grpc-status') !== true)
    throw new GrpcError(grpcStatus.UNAVAILABLE, 'the other sidecar ended the call without a status')
  throwFor(trailers)
}

function throwFor(fields: ClientResponse['fields']): void {
  const text = fields.get('grpc-status')
  if (text === '0') return
  const code = Number(text)
  const known = Number.isInteger(code) && code > 0 && code <= 16
  const details = fields.get('grpc-status-details-bin')
  throw new GrpcError(
    (known ? code : grpcStatus.UNKNOWN) as GrpcStatusCode,
    decodeMessage(fields.get('grpc-message') ?? '') || `the call ended with status ${text}`,
    {
      details: details === undefined ? undefined : decodeBinary(details),
      ...(fields.has(refusedField) && { trailers: new Fields([refusedField, '1']) }),
    },
  )
}

function explain(error: unknown, signal: AbortSignal | undefined): GrpcError {
  if (error instanceof GrpcError) return error
  const text = error instanceof Error ? error.message : String(error)
  const code =
    signal?.aborted === true
      ? grpcStatus.CANCELLED
      : isWireError(error, 'TOO_LARGE') || (error instanceof Error && isWireError(error.cause, 'TOO_LARGE'))
        ? grpcStatus.RESOURCE_EXHAUSTED
        : isWireError(error, 'ABORTED') && error.sent
          ? // It was the request that broke off.
            grpcStatus.CANCELLED
          : isWireError(error)
            ? grpcStatus.UNAVAILABLE
            : grpcStatus.INTERNAL
  return new GrpcError(code, text, { cause: error })
}
