import { createServer, type Handler } from '@outrigger/wire'
import {
  createGrpcHandler,
  createGrpcProxy,
  decodeBinary,
  encodeBinary,
  GrpcChannel,
  GrpcError,
  type CallOptions as OwnOptions,
  type GrpcMethod,
  type GrpcRoute,
  type GrpcStatusCode,
  type MethodKind,
  type ServerCall,
} from '@outrigger/wire/grpc'
import { createHttp2Client, type Http2ClientOptions } from '@outrigger/wire/http2'
import { answer, first, one, type Context, type States } from './answer.ts'
import {
  decodeBytes,
  encodeBytes,
  failMessage,
  pathOf,
  statusBytes,
  type Address,
  type Call,
  type Caller,
  type CallOptions,
  type Certificate,
  type Method,
  type Outcome,
  type Server,
} from './peer.ts'

const codec = { encode: encodeBytes, decode: decodeBytes }

function method<K extends MethodKind>(
  name: string,
  kind: K,
): GrpcMethod<Uint8Array, Uint8Array> & { readonly kind: K } {
  return { path: pathOf(name), kind, input: codec, output: codec }
}

const unary = method('Unary', 'unary')
const serverStream = method('ServerStream', 'server-stream')
const clientStream = method('ClientStream', 'client-stream')
const bidi = method('Bidi', 'bidi')
const nothing = method('Nothing', 'unary')

function handler(): Handler {
  const states: States = new Map()
  const context = (call: ServerCall): Context => ({
    states,
    signal: call.signal,
    get: (name) => call.metadata.get(name),
    setInitial: (name, value) => call.setMetadata([name, value]),
    setTrailer: (name, base64) => call.setTrailers([name, base64]),
    failure: (code) => new GrpcError(code as GrpcStatusCode, failMessage, { details: statusBytes(code) }),
  })
  const routes: GrpcRoute[] = [
    {
      method: unary,
      handle: (request: Uint8Array, call: ServerCall) => first(answer('Unary', one(request), context(call))),
    },
    {
      method: serverStream,
      handle: (request: Uint8Array, call: ServerCall) => answer('ServerStream', one(request), context(call)),
    },
    {
      method: clientStream,
      handle: (requests: AsyncIterable<Uint8Array>, call: ServerCall) =>
        first(answer('ClientStream', requests, context(call))),
    },
    {
      method: bidi,
      handle: (requests: AsyncIterable<Uint8Array>, call: ServerCall) =>
        answer('Bidi', requests, context(call)),
    },
  ]
  return createGrpcHandler({ routes })
}

export interface OurServer extends Server {
  /** Connections so far. */
  connections(): number
  /** Every `grpc-encoding` that a client has used. */
  readonly encodings: ReadonlySet<string | undefined>
}

export async function serveOurs(certificate?: Certificate): Promise<OurServer> {
  const encodings = new Set<string | undefined>()
  const handle = handler()
  const tls = certificate === undefined ? {} : { tls: { cert: certificate.cert, key: certificate.key } }
  // Both protocols on the port, as they are in earnest.
  const server = createServer({ ...tls, protocols: ['http/1.1', 'h2', 'h2c'] }, (request, response) => {
    encodings.add(request.fields.get('grpc-encoding'))
    return handle(request, response)
  })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  return {
    port: port!,
    connections: () => server.stats.connectionsTotal,
    encodings,
    close: () => server.close(AbortSignal.abort()),
  }
}

/** A server of ours that knows no method and passes every call on. */
export async function proxyTo(port: number): Promise<Server> {
  const client = createHttp2Client()
  const origin = `http://127.0.0.1:${port}`
  const fallback = createGrpcProxy({ client, target: () => ({ origin }) })
  const server = createServer({ protocols: ['h2c'] }, createGrpcHandler({ routes: [], fallback }))
  const bound = await server.listen({ host: '127.0.0.1', port: 0 })
  return {
    port: bound.port!,
    close: async () => {
      client.close()
      await server.close(AbortSignal.abort())
    },
  }
}

export function callOurs({ port, certificate }: Address, options: Http2ClientOptions = {}): Caller {
  const ca = certificate?.cert
  const tls = ca === undefined ? {} : { tls: { ca, serverName: 'localhost' } }
  const client = createHttp2Client({ ...tls, ...options })
  const channel = new GrpcChannel({
    origin: `${ca === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    client,
  })
  return {
    close: () => client.close(),
    call: (name, requests, options) => start(channel, name, requests, options),
  }
}

function start(
  channel: GrpcChannel,
  name: Method | 'Nothing',
  requests: AsyncIterable<Uint8Array>,
  options: CallOptions = {},
): Call {
  const { promise: outcome, resolve } = Promise.withResolvers<Outcome>()
  const metadata = Object.entries(options.metadata ?? {}).flatMap(([key, value]) => [
    key,
    typeof value === 'string' ? value : encodeBinary(value),
  ])
  let initial: string | undefined
  let trailer: Uint8Array | undefined
  const own: OwnOptions = {
    ...options,
    metadata,
    onMetadata: (fields) => (initial = fields.get('x-echo')),
    onTrailers: (fields) => {
      const value = fields.get('x-echo-bin')
      if (value !== undefined) trailer = decodeBinary(value)
    },
  }
  async function* messages(): AsyncGenerator<Uint8Array> {
    try {
      if (name === 'Unary') yield await channel.call(unary, await first(requests), own)
      else if (name === 'Nothing') yield await channel.call(nothing, await first(requests), own)
      else if (name === 'ClientStream') yield await channel.call(clientStream, requests, own)
      else if (name === 'Bidi') yield* channel.stream(bidi, requests, own)
      else yield* channel.stream(serverStream, await first(requests), own)
      resolve({ code: 0, message: '', initial, trailer })
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error
      resolve({ code: error.code, message: error.message, details: error.details })
    }
  }
  return { messages: messages(), outcome }
}
