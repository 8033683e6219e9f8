import { isWireError, type Body, type Client, type Fields } from '@outrigger/wire'
import type { BodyWriter, ClientResponse, ServerRequest, ServerResponse } from '@outrigger/wire'
import {
  deadlineOf,
  decodeMessage,
  encodeMessage,
  GrpcError,
  grpcStatus,
  type GrpcStatusCode,
} from '@outrigger/wire/grpc'
import { refusedField } from '../overload/refused.ts'
import type { ReplayBody } from './replay.ts'

/** One call of any service on its way to another sidecar, undecoded. */
export interface ProxiedCall {
  readonly request: ServerRequest
  readonly response: ServerResponse
  /** To be sent on. */
  readonly fields: Fields
  readonly body: ReplayBody
}

/** How a call that began to be answered goes on. */
export interface Started {
  /** Resolves when everything was passed on, as far as it came. Never rejects. */
  readonly finished: Promise<void>
}

/**
 * Sends a call on and passes its answer back, frame for frame, as it comes. Resolves when the answer has begun.
 *
 * Rejects with a GrpcError, and nothing was passed back, when the other side could not be reached, and with
 * `statuses` also when it ended the call with a status other than OK before any message: `trailers` are its fields.
 */
export async function passOn(
  client: Client,
  origin: string,
  { request, response, fields, body }: ProxiedCall,
  { statuses, signal }: { readonly statuses: boolean; readonly signal: AbortSignal | undefined },
): Promise<Started> {
  const isLate = deadlineOf(fields)
  let answer: ClientResponse
  try {
    answer = await client.request({
      method: 'POST',
      origin,
      path: request.path,
      fields,
      body,
      ...(signal !== undefined && { signal }),
    })
  } catch (error) {
    throw transportError(error, signal, isLate())
  }
  if (answer.fields.has('grpc-status') && answer.body.length === 0) {
    // Another instance may take it.
    if (statuses || answer.fields.has(refusedField)) throwUnlessOk(answer.fields)
    body.forget()
    response.send(answer.status, answer.fields)
    return { finished: Promise.resolve() }
  }
  answer.body.limit = Number.POSITIVE_INFINITY
  const chunks = answer.body[Symbol.asyncIterator]()
  // Until the first message nothing is lost, and a head alone may be that of a refusal.
  const first = statuses ? await firstOf(chunks, signal, isLate) : undefined
  if (first?.done === true) throwUnlessOk(answer.trailers ?? answer.fields)
  body.forget()
  const writer = response.start(answer.status, answer.fields)
  return { finished: pipe(answer, chunks, first, writer, isLate) }
}

type Chunk = IteratorResult<Uint8Array>

async function firstOf(
  chunks: AsyncIterator<Uint8Array>,
  signal: AbortSignal | undefined,
  isLate: () => boolean,
): Promise<Chunk> {
  try {
    return await chunks.next()
  } catch (error) {
    throw transportError(error, signal, isLate())
  }
}

async function pipe(
  answer: ClientResponse,
  chunks: AsyncIterator<Uint8Array>,
  first: Chunk | undefined,
  writer: BodyWriter,
  isLate: () => boolean,
): Promise<void> {
  try {
    for (let chunk = first ?? (await chunks.next()); chunk.done !== true; chunk = await chunks.next()) {
      const waiting = writer.write(chunk.value)
      if (waiting !== undefined) await waiting
    }
    writer.end(answer.trailers)
  } catch (error) {
    cancel(answer.body, chunks)
    // The caller is to see that it is incomplete, and why.
    writer.end(statusFields(transportError(error, undefined, isLate())))
  }
}

function cancel(body: Body, chunks: AsyncIterator<Uint8Array>): void {
  body.cancel()
  void chunks.return?.()
}

/** The end of a call as fields: those that came, or those that say what went wrong. */
export function statusFields(error: GrpcError): string[] {
  return ['grpc-status', String(error.code), 'grpc-message', encodeMessage(error.message)]
}

function throwUnlessOk(fields: Fields): void {
  const code = Number(fields.get('grpc-status'))
  if (code === 0) return
  const known = Number.isInteger(code) && code > 0 && code <= 16
  const message = decodeMessage(fields.get('grpc-message') ?? '')
  throw new GrpcError((known ? code : grpcStatus.UNKNOWN) as GrpcStatusCode, message, { trailers: fields })
}

/** A server that resets a stream when the caller's time is over says so in no other way. */
function transportError(error: unknown, signal: AbortSignal | undefined, late: boolean): GrpcError {
  if (error instanceof GrpcError) return error
  const text = error instanceof Error ? error.message : String(error)
  const cancelled = signal?.aborted === true || isWireError(error, 'ABORTED')
  const otherwise = late ? grpcStatus.DEADLINE_EXCEEDED : grpcStatus.UNAVAILABLE
  return new GrpcError(cancelled ? grpcStatus.CANCELLED : otherwise, text, { cause: error })
}
