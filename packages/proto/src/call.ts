import type { DescMessage, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import type { CallOptions, GrpcChannel, GrpcMethod } from '@outrigger/wire/grpc'
import { methodsOf, type Method } from './methods.ts'

interface Described {
  readonly input: DescMessage
  readonly output: DescMessage
  readonly methodKind: DescService['methods'][number]['methodKind']
}

/** A method as a function: requests may be plain objects, answers are whole messages. Failures are GrpcErrors. */
export type CallOf<M extends Described> = {
  unary: (request: MessageInitShape<M['input']>, options?: CallOptions) => Promise<MessageShape<M['output']>>
  client_streaming: (
    requests: AsyncIterable<MessageInitShape<M['input']>>,
    options?: CallOptions,
  ) => Promise<MessageShape<M['output']>>
  server_streaming: (
    request: MessageInitShape<M['input']>,
    options?: CallOptions,
  ) => AsyncGenerator<MessageShape<M['output']>, void, undefined>
  bidi_streaming: (
    requests: AsyncIterable<MessageInitShape<M['input']>>,
    options?: CallOptions,
  ) => AsyncGenerator<MessageShape<M['output']>, void, undefined>
}[M['methodKind']]

/** The methods of a service by their names in TypeScript. */
export type CallsOf<S extends DescService> = { readonly [K in keyof S['method']]: CallOf<S['method'][K]> }

/** A service of the peer at the other end of a channel. Make it once for each channel. */
export function callsOf<S extends DescService>(service: S, channel: GrpcChannel): CallsOf<S> {
  const calls = Object.entries(methodsOf(service) as Readonly<Record<string, Method>>).map(
    ([name, method]) => {
      const typed = method as GrpcMethod<object, object>
      const once = method.kind === 'unary' || method.kind === 'client-stream'
      return [
        name,
        once
          ? (request: object, options?: CallOptions) => channel.call(typed, request, options)
          : (request: object, options?: CallOptions) => channel.stream(typed, request, options),
      ]
    },
  )
  return Object.fromEntries(calls) as unknown as CallsOf<S>
}
