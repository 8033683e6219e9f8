import { createServer, createSecureServer, type Http2Session } from 'node:http2'
import { create, createFileRegistry, fromJson, type DescMethod } from '@bufbuild/protobuf'
import {
  BytesValueSchema,
  file_google_protobuf_wrappers,
  FileDescriptorProtoSchema,
  type BytesValue,
} from '@bufbuild/protobuf/wkt'
import { ConnectError, Code, type HandlerContext, type Transport } from '@connectrpc/connect'
import {
  compressionGzip,
  connectNodeAdapter,
  createGrpcTransport,
  Http2SessionManager,
} from '@connectrpc/connect-node'
import { answer, first, one, type Context, type States } from './answer.ts'
import {
  failDetail,
  failMessage,
  maxMessageBytes,
  methods,
  service,
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

const type = '.google.protobuf.BytesValue'
const file = fromJson(FileDescriptorProtoSchema, {
  name: 'echo.proto',
  package: 'outrigger.interop.v1',
  dependency: ['google/protobuf/wrappers.proto'],
  syntax: 'proto3',
  service: [
    {
      name: 'Echo',
      method: [...methods, 'Nothing'].map((name) => ({
        name,
        inputType: type,
        outputType: type,
        clientStreaming: name === 'ClientStream' || name === 'Bidi',
        serverStreaming: name === 'ServerStream' || name === 'Bidi',
      })),
    },
  ],
})
const echo = createFileRegistry(file, () => file_google_protobuf_wrappers.proto).getService(service)!

function methodOf(name: Method | 'Nothing'): DescMethod {
  return echo.methods.find((method) => method.name === name)!
}

type Message = BytesValue
const wrap = (value: Uint8Array): Message => create(BytesValueSchema, { value })

async function* wrapAll(values: AsyncIterable<Uint8Array>): AsyncGenerator<Message> {
  for await (const value of values) yield wrap(value)
}

async function* unwrapAll(messages: AsyncIterable<Message>): AsyncGenerator<Uint8Array> {
  for await (const message of messages) yield message.value
}

export async function serveConnect(certificate?: Certificate): Promise<Server> {
  const states: States = new Map()
  const reply = (name: Method, requests: AsyncIterable<Uint8Array>, context: HandlerContext) =>
    answer(name, requests, contextOf(states, context))
  const adapter = connectNodeAdapter({
    grpc: true,
    grpcWeb: false,
    connect: false,
    readMaxBytes: maxMessageBytes,
    routes: (router) => {
      router.rpc(
        methodOf('Unary') as never,
        (async (request: Message, context: HandlerContext) =>
          wrap(await first(reply('Unary', one(request.value), context)))) as never,
      )
      router.rpc(
        methodOf('ClientStream') as never,
        (async (requests: AsyncIterable<Message>, context: HandlerContext) =>
          wrap(await first(reply('ClientStream', unwrapAll(requests), context)))) as never,
      )
      router.rpc(
        methodOf('ServerStream') as never,
        ((request: Message, context: HandlerContext) =>
          wrapAll(reply('ServerStream', one(request.value), context))) as never,
      )
      router.rpc(
        methodOf('Bidi') as never,
        ((requests: AsyncIterable<Message>, context: HandlerContext) =>
          wrapAll(reply('Bidi', unwrapAll(requests), context))) as never,
      )
    },
  })
  const server =
    certificate === undefined
      ? createServer(adapter)
      : createSecureServer({ cert: certificate.cert, key: certificate.key }, adapter)
  const sessions = new Set<Http2Session>()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    close: async () => {
      server.close()
      for (const session of sessions) session.destroy()
    },
  }
}

function contextOf(states: States, context: HandlerContext): Context {
  return {
    states,
    signal: context.signal,
    get: (name) => context.requestHeader.get(name) ?? undefined,
    setInitial: (name, value) => context.responseHeader.set(name, value),
    setTrailer: (name, base64) => context.responseTrailer.set(name, base64),
    failure: (code) =>
      new ConnectError(failMessage, code as Code, undefined, [
        { desc: BytesValueSchema, value: { value: Buffer.from(failDetail) } },
      ]),
  }
}

export function callConnect({ port, certificate }: Address): Caller {
  const ca = certificate?.cert
  const baseUrl = `${ca === undefined ? 'http' : 'https'}://localhost:${port}`
  const nodeOptions = { host: '127.0.0.1', ...(ca === undefined ? {} : { ca, servername: 'localhost' }) }
  const sessionManager = new Http2SessionManager(baseUrl, {}, nodeOptions)
  const plain = createGrpcTransport({ baseUrl, sessionManager, readMaxBytes: maxMessageBytes })
  const packed = createGrpcTransport({
    baseUrl,
    sessionManager,
    readMaxBytes: maxMessageBytes,
    sendCompression: compressionGzip,
    compressMinBytes: 0,
  })
  return {
    close: () => sessionManager.abort(),
    call: (name, requests, options = {}) =>
      start(options.gzip === true ? packed : plain, name, requests, options),
  }
}

function start(
  transport: Transport,
  name: Method | 'Nothing',
  requests: AsyncIterable<Uint8Array>,
  { metadata = {}, timeoutMs, signal }: CallOptions,
): Call {
  const { promise: outcome, resolve } = Promise.withResolvers<Outcome>()
  const header = new Headers(
    Object.entries(metadata).map(([key, value]): [string, string] => [
      key,
      typeof value === 'string' ? value : Buffer.from(value).toString('base64'),
    ]),
  )
  const deadline = performance.now() + (timeoutMs ?? Number.POSITIVE_INFINITY)
  async function* messages(): AsyncGenerator<Uint8Array> {
    const method = methodOf(name)
    try {
      const response =
        method.methodKind === 'unary'
          ? await transport.unary(
              method as never,
              signal,
              timeoutMs,
              header,
              wrap(await first(requests)) as never,
            )
          : await transport.stream(method as never, signal, timeoutMs, header, wrapAll(requests) as never)
      if (response.stream) yield* unwrapAll(response.message as AsyncIterable<Message>)
      else yield (response.message as Message).value
      const trailer = response.trailer.get('x-echo-bin')
      resolve({
        code: 0,
        message: '',
        initial: response.header.get('x-echo') ?? undefined,
        trailer: trailer === null ? undefined : Buffer.from(trailer, 'base64'),
      })
    } catch (error) {
      const failed = ConnectError.from(error)
      // A server that ends the call just before this client does is taken for one that cancels it.
      const late = failed.code === Code.Canceled && performance.now() >= deadline
      const [detail] = failed.findDetails(BytesValueSchema)
      resolve({
        code: late ? Code.DeadlineExceeded : failed.code,
        message: failed.rawMessage,
        details:
          detail === undefined
            ? undefined
            : statusBytes(failed.code, failed.rawMessage, Buffer.from(detail.value).toString()),
      })
    }
  }
  return { messages: messages(), outcome }
}
