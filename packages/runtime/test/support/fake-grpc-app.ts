import { AppCallback, AppCallbackAlpha, AppCallbackHealthCheck } from '@outrigger/proto/appcallback'
import { methodsOf, type DescService, type Method } from '@outrigger/proto'
import type { HandlersOf } from '@outrigger/proto/serve'
import { Fields, WireError, type ServerRequest, type ServerResponse } from '@outrigger/wire'
import { GrpcError, grpcStatus, type ServerCall } from '@outrigger/wire/grpc'
import type { AppCallOptions, GrpcAppChannel, UnaryMethod } from '../../src/app/channel.ts'

export type GrpcAppHandlers = HandlersOf<typeof AppCallback> &
  HandlersOf<typeof AppCallbackAlpha> &
  HandlersOf<typeof AppCallbackHealthCheck>

type Handle = (request: unknown, call: ServerCall) => unknown

export interface GrpcCall {
  /** Of the method, in lower camel case: `onTopicEvent`. */
  readonly name: string
  readonly request: unknown
  readonly metadata: Fields
  readonly options: AppCallOptions
}

const known = new Map<string, readonly [name: string, method: Method]>()
for (const service of [AppCallback, AppCallbackAlpha, AppCallbackHealthCheck] as DescService[]) {
  for (const [name, method] of Object.entries(methodsOf(service) as Record<string, Method>)) {
    known.set(method.path, [name, method])
  }
}

/**
 * An application in memory that serves AppCallback: messages go through bytes both ways, a method without a
 * handler is UNIMPLEMENTED, and while it is down no call reaches it.
 */
export class FakeGrpcApp implements GrpcAppChannel {
  readonly kind = 'grpc'
  readonly address = 'http://app'
  readonly calls: GrpcCall[] = []
  /** What was to be passed on; it is answered with OK. */
  readonly passed: { readonly path: string; readonly fields: Fields }[] = []
  down = false
  handlers: GrpcAppHandlers

  constructor(handlers: GrpcAppHandlers = {}) {
    this.handlers = handlers
  }

  async call<I, O>(unary: UnaryMethod<I, O>, message: I, options: AppCallOptions = {}): Promise<O> {
    const { signal } = options
    if (signal?.aborted) throw new GrpcError(grpcStatus.CANCELLED, 'given up')
    if (this.down) {
      const cause = new WireError('CONNECT', 'connection refused')
      throw new GrpcError(grpcStatus.UNAVAILABLE, cause.message, { cause })
    }
    const [name, method] = known.get(unary.path)!
    const request = method.input.decode(unary.input.encode(message))
    const metadata = Fields.from(options.metadata ?? [])
    this.calls.push({ name, request, metadata, options })
    const handler = (this.handlers as Record<string, Handle | undefined>)[name]
    if (handler === undefined) throw new GrpcError(grpcStatus.UNIMPLEMENTED, `unknown method ${name}`)
    const call: ServerCall = {
      path: unary.path,
      metadata,
      signal: signal ?? new AbortController().signal,
      timeoutMs: options.timeoutMs,
      remoteAddress: '',
      setMetadata: (init) => options.onMetadata?.(Fields.from(init)),
      setTrailers: (init) => options.onTrailers?.(Fields.from(init)),
    }
    const answer = await orAborted(Promise.resolve(handler(request, call)), signal)
    return unary.output.decode(method.output.encode(answer as never))
  }

  async forward(request: ServerRequest, response: ServerResponse, fields: Fields): Promise<void> {
    this.passed.push({ path: request.path, fields })
    response.send(200, ['content-type', 'application/grpc', 'grpc-status', '0'])
  }

  close(): void {}
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new GrpcError(grpcStatus.CANCELLED, 'given up'))
    signal?.addEventListener('abort', giveUp, { once: true })
    work.then(resolve, reject)
  })
}
