import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createSecureServer, createServer as createHttp2, type Http2Server } from 'node:http2'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { ConnectError, type ConnectRouter, type HandlerContext } from '@connectrpc/connect'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import * as grpc from '@grpc/grpc-js'
import { methodsOf, type DescService, type Method } from '@outrigger/proto'
import { AppCallback, AppCallbackHealthCheck } from '@outrigger/proto/appcallback'
import { HTTPExtension_Verb, type InvokeRequest } from '@outrigger/proto/common'
import { routesOf } from '@outrigger/proto/serve'
import { createServer, type Handler } from '@outrigger/wire'
import { createGrpcHandler, GrpcError, type GrpcStatusCode } from '@outrigger/wire/grpc'
import type { Certificate } from '../../interop/peer.ts'

/** An invocation as the application sees it, in whatever protocol it came. */
export interface Invocation {
  readonly method: string
  readonly verb: string
  readonly query: string
  readonly contentType: string
  readonly data: string
  readonly header: (name: string) => string | undefined
}

/** What an application does, whatever it speaks. */
export class Behaviour {
  readonly invocations: Invocation[] = []
  readonly events: string[] = []
  /** Sent with every request of the sidecar, the probes left out. */
  readonly tokens = new Set<string | undefined>()
  healthy = true
  takesEvents = true
  probes = 0
  /** Rejects with a Refusal. */
  invoke: (invocation: Invocation) => Promise<string> = async ({ method }) => `${method} done`

  event(data: string): string {
    if (!this.takesEvents) throw new Refusal(500, 13)
    this.events.push(data)
    return 'taken'
  }
}

export class Refusal extends Error {
  readonly http: number
  readonly grpc: GrpcStatusCode

  constructor(http: number, code: GrpcStatusCode) {
    super('not today')
    this.http = http
    this.grpc = code
  }
}

export interface RunningApp {
  readonly port: number
  stop(): Promise<void>
}

export interface AppKind {
  readonly name: string
  readonly protocol: 'http' | 'https' | 'h2c' | 'grpc' | 'grpcs'
  start(behaviour: Behaviour, port: number, certificate: Certificate): Promise<RunningApp>
}

/** Every protocol, by our servers and by those of others. */
export const appKinds: readonly AppKind[] = [
  { name: 'node:http', protocol: 'http', start: (it, port) => listen(createHttp(onNode(it)), port) },
  {
    name: 'node:https',
    protocol: 'https',
    start: (it, port, { cert, key }) => listen(createHttps({ cert, key }, onNode(it)), port),
  },
  {
    name: 'node:http2',
    protocol: 'h2c',
    start: (it, port) => listen(createHttp2(onNode(it) as never), port),
  },
  { name: 'wire', protocol: 'h2c', start: (it, port) => onWire(onWireHttp(it), port, undefined) },
  { name: 'wire', protocol: 'grpc', start: (it, port) => onWire(wireGrpc(it), port, undefined) },
  { name: 'wire', protocol: 'grpcs', start: (it, port, tls) => onWire(wireGrpc(it), port, tls) },
  { name: 'grpc-js', protocol: 'grpc', start: (it, port) => grpcJs(it, port, undefined) },
  { name: 'grpc-js', protocol: 'grpcs', start: grpcJs },
  {
    name: 'connect-node',
    protocol: 'grpc',
    start: (it, port) => listen(createHttp2(connectNodeAdapter({ routes: connectRoutes(it) })), port),
  },
  {
    name: 'connect-node',
    protocol: 'grpcs',
    start: (it, port, { cert, key }) =>
      listen(createSecureServer({ cert, key }, connectNodeAdapter({ routes: connectRoutes(it) })), port),
  },
]

interface HttpAnswer {
  readonly status: number
  readonly body: string
}

async function overHttp(
  behaviour: Behaviour,
  path: string,
  call: Omit<Invocation, 'method'>,
): Promise<HttpAnswer> {
  const ok = (body: string): HttpAnswer => ({ status: 200, body })
  if (path === '/healthz') {
    behaviour.probes++
    return { status: behaviour.healthy ? 200 : 503, body: '' }
  }
  behaviour.tokens.add(call.header('dapr-api-token'))
  if (path.startsWith('/dapr/')) return { status: 404, body: '' }
  try {
    if (path === '/ticks') return ok(call.verb === 'OPTIONS' ? '' : behaviour.event(call.data))
    const invocation = { ...call, method: path.slice(1) }
    behaviour.invocations.push(invocation)
    return ok(await behaviour.invoke(invocation))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { status: error.http, body: error.message }
  }
}

function onNode(behaviour: Behaviour) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      // The sidecar has given the request up.
      return
    }
    const [path = '', query = ''] = request.url!.split('?')
    const header = (name: string): string | undefined => request.headers[name] as string | undefined
    const { status, body } = await overHttp(behaviour, path, {
      verb: request.method!,
      query,
      contentType: header('content-type') ?? '',
      data: Buffer.concat(chunks).toString(),
      header,
    })
    response.writeHead(status, { 'content-type': 'text/plain', 'x-app': 'here' })
    response.end(body)
  }
}

function onWireHttp(behaviour: Behaviour): Handler {
  return async ({ method, path, query, fields, body }, response) => {
    const header = (name: string): string | undefined => fields.get(name)
    const data = Buffer.from(await body.bytes()).toString()
    const contentType = header('content-type') ?? ''
    const answer = await overHttp(behaviour, path, { verb: method, query, contentType, data, header })
    response.send(answer.status, ['content-type', 'text/plain', 'x-app', 'here'], answer.body)
  }
}

/** The callbacks without any library; each throws a Refusal. */
function callbacksOf(behaviour: Behaviour) {
  type Header = Invocation['header']
  return {
    async onInvoke({ method, data, contentType, httpExtension }: InvokeRequest, header: Header) {
      behaviour.tokens.add(header('dapr-api-token'))
      const verbs = Object.entries(HTTPExtension_Verb)
      const invocation = {
        method,
        verb: verbs.find(([, value]) => value === httpExtension?.verb)?.[0] ?? '',
        query: httpExtension?.querystring ?? '',
        contentType,
        data: Buffer.from(data?.value ?? []).toString(),
        header,
      }
      behaviour.invocations.push(invocation)
      const value = Buffer.from(await behaviour.invoke(invocation))
      return { contentType: 'text/plain', data: { typeUrl: '', value } }
    },
    listInputBindings(_: object, header: Header) {
      behaviour.tokens.add(header('dapr-api-token'))
      return { bindings: ['ticks'] }
    },
    onBindingEvent({ data }: { readonly data: Uint8Array }, header: Header) {
      behaviour.tokens.add(header('dapr-api-token'))
      return { data: Buffer.from(behaviour.event(Buffer.from(data).toString())) }
    },
    healthCheck() {
      behaviour.probes++
      if (!behaviour.healthy) throw new Refusal(503, 14)
      return {}
    },
  }
}

type Callback = (request: never, header: Invocation['header']) => unknown

function wireGrpc(behaviour: Behaviour): Handler {
  const { healthCheck, ...others } = callbacksOf(behaviour)
  const wrap =
    (callback: Callback) =>
    async (
      request: unknown,
      call: { metadata: { get(name: string): string | undefined }; setMetadata(init: string[]): void },
    ) => {
      try {
        call.setMetadata(['x-app', 'here'])
        return await callback(request as never, (name) => call.metadata.get(name))
      } catch (error) {
        throw error instanceof Refusal ? new GrpcError(error.grpc, error.message) : error
      }
    }
  const wrapped = Object.fromEntries(Object.entries(others).map(([name, it]) => [name, wrap(it)]))
  return createGrpcHandler({
    routes: [
      ...routesOf(AppCallback, wrapped),
      ...routesOf(AppCallbackHealthCheck, { healthCheck: wrap(healthCheck) as never }),
    ],
  })
}

async function onWire(handler: Handler, port: number, tls: Certificate | undefined): Promise<RunningApp> {
  const server = createServer(
    tls === undefined ? { protocols: ['h2c'] } : { protocols: ['h2'], tls: { cert: tls.cert, key: tls.key } },
    handler,
  )
  const bound = await server.listen({ host: '127.0.0.1', port })
  return { port: bound.port!, stop: () => server.close(AbortSignal.abort()) }
}

function connectRoutes(behaviour: Behaviour): (router: ConnectRouter) => void {
  const { healthCheck, ...others } = callbacksOf(behaviour)
  const wrap = (callback: Callback) => async (request: unknown, context: HandlerContext) => {
    try {
      context.responseHeader.set('x-app', 'here')
      return await callback(request as never, (name) => context.requestHeader.get(name) ?? undefined)
    } catch (error) {
      // Codes of Connect are those of gRPC.
      throw error instanceof Refusal ? new ConnectError(error.message, error.grpc as never) : error
    }
  }
  const wrapped = Object.fromEntries(Object.entries(others).map(([name, it]) => [name, wrap(it)]))
  return (router) =>
    router
      .service(AppCallback, wrapped as never)
      .service(AppCallbackHealthCheck, { healthCheck: wrap(healthCheck) } as never)
}

async function grpcJs(behaviour: Behaviour, port: number, tls: Certificate | undefined): Promise<RunningApp> {
  const { healthCheck, ...others } = callbacksOf(behaviour)
  const wrap =
    (callback: Callback) =>
    async (
      call: grpc.ServerUnaryCall<unknown, unknown>,
      done: grpc.sendUnaryData<unknown>,
    ): Promise<void> => {
      try {
        const head = new grpc.Metadata()
        head.set('x-app', 'here')
        call.sendMetadata(head)
        const header = (name: string): string | undefined => call.metadata.get(name)[0] as string | undefined
        done(null, await callback(call.request as never, header))
      } catch (error) {
        done(
          error instanceof Refusal
            ? { code: error.grpc as number, details: error.message }
            : (error as Error),
        )
      }
    }
  const server = new grpc.Server()
  const wrapped = Object.fromEntries(Object.entries(others).map(([name, it]) => [name, wrap(it)]))
  server.addService(definitionOf(AppCallback), wrapped as never)
  server.addService(definitionOf(AppCallbackHealthCheck), { healthCheck: wrap(healthCheck) } as never)
  const credentials =
    tls === undefined
      ? grpc.ServerCredentials.createInsecure()
      : grpc.ServerCredentials.createSsl(null, [
          { cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) },
        ])
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, at) => (error ? reject(error) : resolve(at)))
  })
  return { port: bound, stop: async () => server.forceShutdown() }
}

function definitionOf(service: DescService): grpc.ServiceDefinition {
  const methods = Object.entries(methodsOf(service) as Readonly<Record<string, Method>>)
  return Object.fromEntries(
    methods.map(([name, { path, input, output }]) => [
      name,
      {
        path,
        requestStream: false,
        responseStream: false,
        requestSerialize: (it: Record<string, unknown>) => Buffer.from(input.encode(it)),
        requestDeserialize: (bytes: Buffer) => input.decode(bytes),
        responseSerialize: (it: Record<string, unknown>) => Buffer.from(output.encode(it)),
        responseDeserialize: (bytes: Buffer) => output.decode(bytes),
      },
    ]),
  )
}

async function listen(server: Server | Http2Server, port: number): Promise<RunningApp> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
