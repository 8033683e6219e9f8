import { isWireError } from '../error.ts'
import type { Fields, FieldsInit } from '../fields.ts'
import type { Client, ClientResponse } from '../types.ts'
import { encodeFrame, frameHeadBytes, gzip, messageOf, onlyFrame, readFrames } from './framing.ts'
import { appendMetadata, decodeBinary, metadataOf } from './metadata.ts'
import type { GrpcMethod } from './method.ts'
import {
  decodeMessage,
  GrpcError,
  grpcStatus,
  statusOfHttp,
  statusOfReset,
  type GrpcStatusCode,
} from './status.ts'
import { formatTimeout } from './timeout.ts'

export interface CallOptions {
  readonly metadata?: FieldsInit | undefined
  /** Time for the whole call. The peer is told, and the call ends with DEADLINE_EXCEEDED. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Compress what is sent. */
  readonly gzip?: boolean | undefined
  /** Told of the metadata before the first message. */
  readonly onMetadata?: ((metadata: Fields) => void) | undefined
  /** Told of the metadata that came with an OK status. */
  readonly onTrailers?: ((trailers: Fields) => void) | undefined
}

export interface GrpcChannelOptions {
  /** `http://host:port`, `https://host:port` or `unix:/path`. */
  readonly origin: string
  /** Speaks HTTP/2. */
  readonly client: Client
  /** Bytes of one message that comes, unpacked. Default 4 MiB. */
  readonly maxMessageBytes?: number
  /** Sent as `user-agent`. */
  readonly userAgent?: string
}

const defaultMaxMessageBytes = 4 * 1024 * 1024

/** Calls the methods of one peer. Every failure is a GrpcError. */
export class GrpcChannel {
  readonly #options: GrpcChannelOptions
  readonly #limit: number

  constructor(options: GrpcChannelOptions) {
    this.#options = options
    this.#limit = options.maxMessageBytes ?? defaultMaxMessageBytes
  }

  /** A call with one answer; `requests` is the message, or for a client stream the messages. */
  async call<I, O>(
    method: GrpcMethod<I, O>,
    requests: I | AsyncIterable<I>,
    options: CallOptions = {},
  ): Promise<O> {
    if (method.kind === 'unary' && options.gzip !== true) return this.#unary(method, requests as I, options)
    let answer: { readonly message: O } | undefined
    for await (const message of this.stream(method, requests, options)) {
      if (answer !== undefined)
        throw new GrpcError(grpcStatus.INTERNAL, `${method.path} answered more than one message`)
      answer = { message }
    }
    if (answer === undefined)
      throw new GrpcError(grpcStatus.INTERNAL, `${method.path} ended without an answer`)
    return answer.message
  }

  /** A call whose answers are read one by one. Leaving the loop cancels the call. */
  async *stream<I, O>(
    method: GrpcMethod<I, O>,
    requests: I | AsyncIterable<I>,
    options: CallOptions = {},
  ): AsyncGenerator<O, void, undefined> {
    const end = new Ending(options.signal, options.timeoutMs)
    let response: ClientResponse | undefined
    try {
      response = await this.#send(method, requests, options, end.signal)
      const { fields } = response
      // A status in the head means that there is nothing else.
      if (!isGrpc(response)) throw notGrpc(response, method.path)
      if (fields.has('grpc-status')) {
        throwUnlessOk(fields, method.path)
        options.onTrailers?.(metadataOf(fields))
        return
      }
      options.onMetadata?.(metadataOf(fields))
      const encoding = fields.get('grpc-encoding')
      response.body.limit = Number.POSITIVE_INFINITY
      for await (const frame of readFrames(response.body, this.#limit)) {
        const bytes = frame.compressed ? await messageOf(frame, encoding, this.#limit) : frame.data
        yield decode(method, bytes)
      }
      const { trailers } = response
      if (trailers === undefined) {
        throw new GrpcError(grpcStatus.INTERNAL, `${method.path} ended without a status`)
      }
      throwUnlessOk(trailers, method.path)
      options.onTrailers?.(metadataOf(trailers))
      response = undefined
    } catch (error) {
      throw end.explain(error)
    } finally {
      response?.body.cancel()
      end.close()
    }
  }

  /** One message each way: the answer is read whole, and a deadline costs only calls that have one. */
  async #unary<I, O>(method: GrpcMethod<I, O>, request: I, options: CallOptions): Promise<O> {
    const end = options.timeoutMs === undefined ? undefined : new Ending(options.signal, options.timeoutMs)
    try {
      const response = await this.#send(method, request, options, end?.signal ?? options.signal)
      const { fields, body } = response
      if (!isGrpc(response) || fields.has('grpc-status')) {
        body.cancel()
        if (!isGrpc(response)) throw notGrpc(response, method.path)
        throwUnlessOk(fields, method.path)
        throw new GrpcError(grpcStatus.INTERNAL, `${method.path} ended without an answer`)
      }
      options.onMetadata?.(metadataOf(fields))
      const bytes = await body.bytes(this.#limit + frameHeadBytes)
      const { trailers } = response
      if (trailers === undefined)
        throw new GrpcError(grpcStatus.INTERNAL, `${method.path} ended without a status`)
      throwUnlessOk(trailers, method.path)
      const frame = onlyFrame(bytes, this.#limit)
      const encoding = fields.get('grpc-encoding')
      const message = decode(
        method,
        frame.compressed ? await messageOf(frame, encoding, this.#limit) : frame.data,
      )
      options.onTrailers?.(metadataOf(trailers))
      return message
    } catch (error) {
      throw end === undefined ? explain(error, options.signal) : end.explain(error)
    } finally {
      end?.close()
    }
  }

  #send<I, O>(
    method: GrpcMethod<I, O>,
    requests: I | AsyncIterable<I>,
    options: CallOptions,
    signal: AbortSignal | undefined,
  ): Promise<ClientResponse> {
    const { client, origin, userAgent } = this.#options
    const fields = ['content-type', 'application/grpc', 'te', 'trailers', 'grpc-accept-encoding', 'gzip']
    if (options.gzip === true) fields.push('grpc-encoding', 'gzip')
    if (options.timeoutMs !== undefined) fields.push('grpc-timeout', formatTimeout(options.timeoutMs))
    if (userAgent !== undefined) fields.push('user-agent', userAgent)
    appendMetadata(fields, options.metadata)
    const streams = method.kind === 'client-stream' || method.kind === 'bidi'
    const body = streams
      ? frames(method, requests as AsyncIterable<I>, options.gzip)
      : options.gzip === true
        ? frames(method, one(requests as I), true)
        : encodeFrame(method.input.encode(requests as I))
    // Sidecars in Go pass a length on as metadata, up to the application, whose body has another one.
    const call = { method: 'POST', origin, path: method.path, fields, body, announceLength: false }
    return client.request(signal === undefined ? call : { ...call, signal })
  }
}

async function* one<I>(message: I): AsyncGenerator<I> {
  yield message
}

async function* frames<I>(
  method: GrpcMethod<I, unknown>,
  messages: AsyncIterable<I>,
  compress: boolean | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const message of messages) {
    const bytes = method.input.encode(message)
    yield compress === true ? encodeFrame(await gzip(bytes), true) : encodeFrame(bytes)
  }
}

/** What ends a call from this side: the caller's signal and its deadline. */
class Ending {
  readonly signal: AbortSignal
  readonly #controller = new AbortController()
  readonly #outer: AbortSignal | undefined
  readonly #timer: NodeJS.Timeout | undefined
  readonly #deadline: number
  #late = false

  constructor(outer: AbortSignal | undefined, timeoutMs: number | undefined) {
    this.#outer = outer
    this.signal = this.#controller.signal
    this.#deadline = performance.now() + (timeoutMs ?? Number.POSITIVE_INFINITY)
    if (outer?.aborted === true) this.#controller.abort(outer.reason)
    else outer?.addEventListener('abort', this.#cancel, { once: true })
    if (timeoutMs !== undefined && timeoutMs < 2 ** 31) {
      this.#timer = setTimeout(() => {
        this.#late = true
        this.#controller.abort()
      }, Math.ceil(timeoutMs))
    }
  }

  readonly #cancel = (): void => this.#controller.abort(this.#outer?.reason)

  close(): void {
    clearTimeout(this.#timer)
    this.#outer?.removeEventListener('abort', this.#cancel)
  }

  /** The failure of a call as a GrpcError. */
  explain(error: unknown): GrpcError {
    // The server, too, ends a call when its time is over, and may be the first to do so.
    const reset = isWireError(error, 'RESET') && performance.now() >= this.#deadline
    if (this.#late || reset)
      return new GrpcError(grpcStatus.DEADLINE_EXCEEDED, 'the deadline has passed', { cause: error })
    return explain(error, this.#outer)
  }
}

function explain(error: unknown, signal: AbortSignal | undefined): GrpcError {
  if (signal?.aborted === true)
    return new GrpcError(grpcStatus.CANCELLED, 'the call was cancelled', { cause: error })
  if (error instanceof GrpcError) return error
  const text = error instanceof Error ? error.message : String(error)
  if (isWireError(error, 'TOO_LARGE'))
    return new GrpcError(grpcStatus.RESOURCE_EXHAUSTED, text, { cause: error })
  return new GrpcError(statusOfWire(error), text, { cause: error })
}

function statusOfWire(error: unknown): GrpcStatusCode {
  if (!isWireError(error)) return grpcStatus.UNKNOWN
  return error.resetCode === undefined ? grpcStatus.UNAVAILABLE : statusOfReset(error.resetCode)
}

/**
 * Whether an answer is one of gRPC at all. Some servers leave the content type out when they only have a status
 * to tell; with a status of gRPC, that of HTTP does not count.
 */
function isGrpc({ status, fields }: ClientResponse): boolean {
  const type = fields.get('content-type')
  if (type === undefined) return fields.has('grpc-status')
  return type.startsWith('application/grpc') && (status === 200 || fields.has('grpc-status'))
}

/** A proxy or a server of something else has answered (gRPC, "HTTP to gRPC Status Code Mapping"). */
function notGrpc({ status, fields }: ClientResponse, path: string): GrpcError {
  const type = fields.get('content-type')
  const what = type === undefined ? 'no content type' : `content type "${type.slice(0, 100)}"`
  const text = `${path} was answered with HTTP ${status} and ${what}, which is not gRPC`
  return new GrpcError(status === 200 ? grpcStatus.UNKNOWN : statusOfHttp(status), text)
}

/** Throws what the fields of the end of a call say, unless that is OK. */
function throwUnlessOk(fields: Fields, path: string): void {
  const text = fields.get('grpc-status')
  const code = Number(text)
  if (code === 0 && text !== '') return
  const known = Number.isInteger(code) && code > 0 && code <= 16
  const message = decodeMessage(fields.get('grpc-message') ?? '')
  const details = fields.get('grpc-status-details-bin')
  throw new GrpcError(
    (known ? code : grpcStatus.UNKNOWN) as GrpcStatusCode,
    message === '' ? `${path} ended with status ${text}` : message,
    { details: details === undefined ? undefined : decodeBinary(details), trailers: metadataOf(fields) },
  )
}

function decode<O>(method: GrpcMethod<unknown, O> | GrpcMethod<never, O>, bytes: Uint8Array): O {
  try {
    return method.output.decode(bytes)
  } catch (cause) {
    throw new GrpcError(grpcStatus.INTERNAL, `the answer of ${method.path} cannot be decoded`, { cause })
  }
}
