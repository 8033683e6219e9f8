import type { X509Certificate } from 'node:crypto'
import type { Fields, FieldsInit } from '../fields.ts'
import type { BodyWriter, Handler, ServerRequest, ServerResponse } from '../types.ts'
import { isWireError } from '../error.ts'
import { encodeFrame, frameHeadBytes, gzip, messageOf, onlyFrame, readFrames } from './framing.ts'
import { appendMetadata, encodeBinary, metadataOf } from './metadata.ts'
import type { GrpcMethod } from './method.ts'
import { encodeMessage, GrpcError, grpcStatus, isGrpcError } from './status.ts'
import { parseTimeout } from './timeout.ts'

/** A call as its handler sees it. */
export interface ServerCall {
  /** `/package.Service/Method`. */
  readonly path: string
  /** What the caller sent along. Binary values are base64: see `decodeBinary`. */
  readonly metadata: Fields
  /** Aborts when the caller cancels or its deadline passes. */
  readonly signal: AbortSignal
  /** How long the caller waits, from when the call came. */
  readonly timeoutMs: number | undefined
  readonly remoteAddress: string
  /** What the caller shows in mutual TLS. */
  readonly peerCertificate?: X509Certificate | undefined
  /** Sent before the first message. */
  setMetadata(metadata: FieldsInit): void
  /** Sent with the status. */
  setTrailers(metadata: FieldsInit): void
}

/** One method and what answers it. The type of `handle` follows from the kind of the method. */
export type GrpcRoute<I = any, O = any> = // oxlint-disable-line typescript/no-explicit-any -- a table holds methods of all types
  | {
      readonly method: GrpcMethod<I, O> & { readonly kind: 'unary' }
      handle(request: I, call: ServerCall): O | Promise<O>
    }
  | {
      readonly method: GrpcMethod<I, O> & { readonly kind: 'client-stream' }
      handle(requests: AsyncIterable<I>, call: ServerCall): O | Promise<O>
    }
  | {
      readonly method: GrpcMethod<I, O> & { readonly kind: 'server-stream' }
      handle(request: I, call: ServerCall): AsyncIterable<O>
    }
  | {
      readonly method: GrpcMethod<I, O> & { readonly kind: 'bidi' }
      handle(requests: AsyncIterable<I>, call: ServerCall): AsyncIterable<O>
    }

export interface GrpcServerOptions {
  readonly routes: readonly GrpcRoute[]
  /**
   * Takes calls of methods that nobody declared, undecoded and in both directions; it answers for itself.
   * Without it, and where it returns `undefined`, they are UNIMPLEMENTED.
   */
  readonly fallback?: (request: ServerRequest, response: ServerResponse) => Promise<void> | undefined
  /** Runs before every call; throws a GrpcError to refuse it. */
  readonly authorize?: (request: ServerRequest) => void
  /** Bytes of one message, unpacked. Default 4 MiB. */
  readonly maxMessageBytes?: number
  /** Told of what a handler threw that is no GrpcError; the caller sees INTERNAL without its text. */
  readonly onError?: (error: unknown, path: string) => void
}

const defaultMaxMessageBytes = 4 * 1024 * 1024
const accepted = /^application\/grpc(?:\+proto|$|;)/
const responseHead = ['content-type', 'application/grpc', 'grpc-accept-encoding', 'gzip']
const okTrailers: FieldsInit = ['grpc-status', '0']

/** Answers gRPC calls; any other request gets 415. Serve it over HTTP/2. */
export function createGrpcHandler(options: GrpcServerOptions): Handler {
  const routes = new Map(options.routes.map((route) => [route.method.path, route]))
  if (routes.size !== options.routes.length) throw new Error('two gRPC routes have the same path')
  const limit = options.maxMessageBytes ?? defaultMaxMessageBytes

  return (request, response) => {
    const type = request.fields.get('content-type')
    if (type === undefined || !accepted.test(type)) {
      response.send(415, ['content-type', 'text/plain'], 'this port speaks gRPC')
      return undefined
    }
    try {
      options.authorize?.(request)
      const route = request.method === 'POST' ? routes.get(request.path) : undefined
      if (route !== undefined) return new Exchange(request, response, limit, options.onError).run(route)
      const passed = options.fallback?.(request, response)
      if (passed !== undefined) return passed
      throw new GrpcError(grpcStatus.UNIMPLEMENTED, `unknown method ${request.path}`)
    } catch (error) {
      refuse(response, error, request.path, options.onError)
      return undefined
    }
  }
}

type UnaryRoute = Extract<GrpcRoute, { method: { kind: 'unary' } }>

/** One call on its way. */
class Exchange implements ServerCall {
  readonly path: string
  readonly timeoutMs: number | undefined
  private readonly request: ServerRequest
  private readonly response: ServerResponse
  private readonly limit: number
  private readonly onError: GrpcServerOptions['onError']
  private sentMetadata: FieldsInit | undefined
  private sentTrailers: FieldsInit | undefined
  private writer: BodyWriter | undefined
  private deadline: AbortController | undefined
  private timer: NodeJS.Timeout | undefined
  private compress = false

  constructor(
    request: ServerRequest,
    response: ServerResponse,
    limit: number,
    onError: GrpcServerOptions['onError'],
  ) {
    this.request = request
    this.response = response
    this.limit = limit
    this.onError = onError
    this.path = request.path
    const timeout = request.fields.get('grpc-timeout')
    if (timeout !== undefined) {
      const ms = parseTimeout(timeout)
      if (ms === undefined)
        throw new GrpcError(grpcStatus.INTERNAL, `grpc-timeout ${timeout.slice(0, 20)} is malformed`)
      this.timeoutMs = ms
    }
  }

  get metadata(): Fields {
    return metadataOf(this.request.fields)
  }

  get remoteAddress(): string {
    return this.request.remoteAddress
  }

  get signal(): AbortSignal {
    if (this.deadline === undefined) return this.request.signal
    return AbortSignal.any([this.request.signal, this.deadline.signal])
  }

  get peerCertificate(): X509Certificate | undefined {
    return this.request.peerCertificate
  }

  setMetadata(metadata: FieldsInit): void {
    this.sentMetadata = metadata
  }

  setTrailers(metadata: FieldsInit): void {
    this.sentTrailers = metadata
  }

  async run(route: GrpcRoute): Promise<void> {
    try {
      // Most calls: one message each way, no deadline, nothing compressed. One function does them, awaiting twice at most.
      if (
        route.method.kind === 'unary' &&
        this.timeoutMs === undefined &&
        !this.request.fields.has('grpc-encoding')
      ) {
        const body = await this.request.body.bytes(this.limit + frameHeadBytes)
        const frame = onlyFrame(body, this.limit)
        if (frame.compressed) await messageOf(frame, undefined, this.limit)
        const handled = (route as UnaryRoute).handle(decode(route.method, frame.data), this)
        const reply: unknown = isPromise(handled) ? await handled : handled
        const writer = this.open()
        const waiting = writer.write(encodeFrame(route.method.output.encode(reply)))
        if (waiting !== undefined) await waiting
        writer.end(this.trailers())
        return
      }
      await this.runAny(route)
    } catch (error) {
      this.fail(error)
    }
  }

  private async runAny(route: GrpcRoute): Promise<void> {
    const late = this.startDeadline()
    try {
      await (late === undefined ? this.answer(route) : Promise.race([this.answer(route), late]))
    } finally {
      clearTimeout(this.timer)
    }
  }

  /** Rejects when the caller's time is over. */
  private startDeadline(): Promise<never> | undefined {
    const { timeoutMs } = this
    if (timeoutMs === undefined) return undefined
    this.deadline = new AbortController()
    const late = new Promise<never>((_, reject) => {
      const expire = (): void => {
        const error = new GrpcError(grpcStatus.DEADLINE_EXCEEDED, 'the deadline of the caller has passed')
        // First: what a handler answers because of the signal is too late.
        this.fail(error)
        this.deadline!.abort(error)
        reject(error)
      }
      // Timers cannot be longer than this; such a deadline is none.
      if (timeoutMs < 2 ** 31) this.timer = setTimeout(expire, Math.ceil(timeoutMs))
    })
    late.catch(() => {})
    return late
  }

  private async answer(route: GrpcRoute): Promise<void> {
    const encoding = this.request.fields.get('grpc-encoding')
    this.compress = encoding === 'gzip' && takesGzip(this.request.fields)
    switch (route.method.kind) {
      case 'unary': {
        const reply = await (route as UnaryRoute).handle(await this.readOne(route.method, encoding), this)
        return this.sendOne(route.method, reply)
      }
      case 'client-stream': {
        const reply = await (route as Extract<GrpcRoute, { method: { kind: 'client-stream' } }>).handle(
          this.readAll(route.method, encoding),
          this,
        )
        return this.sendOne(route.method, reply)
      }
      case 'server-stream':
        return this.sendAll(
          route.method,
          (route as Extract<GrpcRoute, { method: { kind: 'server-stream' } }>).handle(
            await this.readOne(route.method, encoding),
            this,
          ),
        )
      case 'bidi':
        return this.sendAll(
          route.method,
          (route as Extract<GrpcRoute, { method: { kind: 'bidi' } }>).handle(
            this.readAll(route.method, encoding),
            this,
          ),
        )
    }
  }

  private async readOne(method: GrpcMethod, encoding: string | undefined): Promise<unknown> {
    const body = await this.request.body.bytes(this.limit + frameHeadBytes)
    const frame = onlyFrame(body, this.limit)
    return decode(method, frame.compressed ? await messageOf(frame, encoding, this.limit) : frame.data)
  }

  private async *readAll(method: GrpcMethod, encoding: string | undefined): AsyncGenerator<unknown> {
    const { body } = this.request
    body.limit = Number.POSITIVE_INFINITY
    // Between two messages there may be hours; a deadline is the caller's to set.
    body.idleTimeoutMs = 0
    for await (const frame of readFrames(body, this.limit)) {
      yield decode(method, frame.compressed ? await messageOf(frame, encoding, this.limit) : frame.data)
    }
  }

  private async sendOne(method: GrpcMethod, message: unknown): Promise<void> {
    const frame = await this.frame(method.output.encode(message))
    const writer = this.open()
    await writer.write(frame)
    writer.end(this.trailers())
  }

  private async sendAll(method: GrpcMethod, messages: AsyncIterable<unknown>): Promise<void> {
    const { signal } = this
    const ended = new Promise<never>((_, reject) => {
      const stop = (): void => reject(signal.reason instanceof Error ? signal.reason : cancelled())
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
    })
    ended.catch(() => {})
    const iterator = messages[Symbol.asyncIterator]()
    let over = false
    try {
      for (;;) {
        const next = await Promise.race([iterator.next(), ended])
        if (next.done === true) break
        const waiting = this.open().write(await this.frame(method.output.encode(next.value)))
        if (waiting !== undefined) await Promise.race([waiting, ended])
      }
      over = true
    } finally {
      if (!over) void Promise.resolve(iterator.return?.()).catch(() => {})
    }
    this.open().end(this.trailers())
  }

  private async frame(message: Uint8Array): Promise<Uint8Array> {
    return this.compress ? encodeFrame(await gzip(message), true) : encodeFrame(message)
  }

  private open(): BodyWriter {
    if (this.writer === undefined) {
      const fields = this.compress || this.sentMetadata !== undefined ? [...responseHead] : responseHead
      if (this.compress) fields.push('grpc-encoding', 'gzip')
      appendMetadata(fields, this.sentMetadata)
      this.writer = this.response.start(200, fields)
    }
    return this.writer
  }

  private trailers(): FieldsInit {
    if (this.sentTrailers === undefined) return okTrailers
    const fields = ['grpc-status', '0']
    appendMetadata(fields, this.sentTrailers)
    return fields
  }

  private fail(error: unknown): void {
    if (this.writer === undefined && this.sentMetadata === undefined) {
      refuse(this.response, error, this.path, this.onError, this.sentTrailers)
      return
    }
    if (this.writer === undefined && this.response.started) return
    const fields = statusFields(error, this.path, this.onError)
    appendMetadata(fields, this.sentTrailers)
    // Clients look for metadata in the head, which has none when it is the end as well.
    this.open().end(fields)
  }
}

/** Ends a call that has sent nothing: head and status in one (Trailers-Only). */
function refuse(
  response: ServerResponse,
  error: unknown,
  path: string,
  onError: GrpcServerOptions['onError'],
  trailers?: FieldsInit,
): void {
  if (response.started) return
  const fields = ['content-type', 'application/grpc', ...statusFields(error, path, onError)]
  appendMetadata(fields, trailers)
  response.send(200, fields)
}

function statusFields(error: unknown, path: string, onError: GrpcServerOptions['onError']): string[] {
  const { code, message, details, trailers } = toGrpcError(error, path, onError)
  const fields = ['grpc-status', String(code), 'grpc-message', encodeMessage(message)]
  if (details !== undefined) fields.push('grpc-status-details-bin', encodeBinary(details))
  appendMetadata(fields, trailers)
  return fields
}

function toGrpcError(error: unknown, path: string, onError: GrpcServerOptions['onError']): GrpcError {
  if (isGrpcError(error)) return error
  if (isWireError(error, 'TOO_LARGE')) {
    return new GrpcError(
      grpcStatus.RESOURCE_EXHAUSTED,
      `a message is larger than the limit of ${error.limit} bytes`,
    )
  }
  if (isWireError(error, 'OVERLOADED'))
    return new GrpcError(grpcStatus.UNAVAILABLE, error.message, { cause: error })
  if (isWireError(error)) {
    const code = error.code === 'TIMEOUT' ? grpcStatus.DEADLINE_EXCEEDED : grpcStatus.CANCELLED
    return new GrpcError(code, error.message, { cause: error })
  }
  if (error instanceof Error && error.name === 'AbortError') return cancelled()
  onError?.(error, path)
  return new GrpcError(grpcStatus.INTERNAL, 'unexpected error; the log has it', { cause: error })
}

function cancelled(): GrpcError {
  return new GrpcError(grpcStatus.CANCELLED, 'the call was cancelled')
}

function decode(method: GrpcMethod, bytes: Uint8Array): unknown {
  try {
    return method.input.decode(bytes)
  } catch (cause) {
    throw new GrpcError(grpcStatus.INTERNAL, `the request of ${method.path} cannot be decoded`, { cause })
  }
}

/** Who compresses and does not say what it can unpack gets the same (gRPC, "Compression"). */
function takesGzip(fields: Fields): boolean {
  const accepted = fields.get('grpc-accept-encoding')
  return accepted === undefined || accepted.split(',').some((name) => name.trim() === 'gzip')
}

function isPromise(value: unknown): value is Promise<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}
