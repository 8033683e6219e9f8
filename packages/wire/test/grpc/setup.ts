import {
  createGrpcHandler,
  GrpcChannel,
  GrpcError,
  rawCodec,
  type GrpcMethod,
  type GrpcRoute,
  type GrpcServerOptions,
  type MethodKind,
  type ServerCall,
} from '../../src/grpc/index.ts'
import type { Http2ServerOptions } from '../../src/http2/server.ts'
import { client, serve, type Running } from '../http2/setup.ts'

export function methodOf<K extends MethodKind>(
  name: string,
  kind: K,
): GrpcMethod<Uint8Array, Uint8Array> & { readonly kind: K } {
  return { path: `/test.Service/${name}`, kind, input: rawCodec, output: rawCodec }
}

export const unary = methodOf('Unary', 'unary')
export const serverStream = methodOf('ServerStream', 'server-stream')
export const clientStream = methodOf('ClientStream', 'client-stream')
export const bidi = methodOf('Bidi', 'bidi')

/** Answers of a service that echoes, counts `x-count` messages, and fails with `x-fail` at its end. */
export function echo(): GrpcRoute[] {
  const end = (call: ServerCall): void => {
    const code = call.metadata.get('x-fail')
    if (code !== undefined) throw new GrpcError(Number(code) as 3, 'bad: ü 100%', { details: bytes('why') })
  }
  const begin = (call: ServerCall): void => {
    const text = call.metadata.get('x-text')
    const binary = call.metadata.get('x-data-bin')
    if (text !== undefined) call.setMetadata(['x-text', text])
    if (binary !== undefined) call.setTrailers(['x-data-bin', binary])
  }
  return [
    {
      method: unary,
      handle: (request: Uint8Array, call: ServerCall) => {
        begin(call)
        end(call)
        return request
      },
    },
    {
      method: serverStream,
      handle: async function* (request: Uint8Array, call: ServerCall) {
        begin(call)
        const count = Number(call.metadata.get('x-count') ?? 1)
        for (let index = 0; index < count; index++) yield request
        end(call)
      },
    },
    {
      method: clientStream,
      handle: async (requests: AsyncIterable<Uint8Array>, call: ServerCall) => {
        let total = 0
        for await (const request of requests) total += request.length
        end(call)
        return bytes(String(total))
      },
    },
    {
      method: bidi,
      handle: async function* (requests: AsyncIterable<Uint8Array>, call: ServerCall) {
        begin(call)
        yield* requests
        end(call)
      },
    },
  ]
}

export interface Service extends Running {
  readonly channel: GrpcChannel
}

/** A server with these routes and a client of it; both end with the test. */
export async function service(
  options: Partial<GrpcServerOptions> = {},
  serverOptions: Http2ServerOptions = {},
): Promise<Service> {
  const running = await serve(createGrpcHandler({ routes: echo(), ...options }), serverOptions)
  return { ...running, channel: new GrpcChannel({ origin: running.origin, client: client() }) }
}

export function bytes(value: string): Uint8Array {
  return Buffer.from(value)
}

export async function* many(count: number, message: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) yield message
}

export async function collect(messages: AsyncIterable<Uint8Array>): Promise<string[]> {
  const found: string[] = []
  for await (const message of messages) found.push(Buffer.from(message).toString())
  return found
}
