import {
  createServer,
  type BoundAddress,
  type Handler,
  type Server,
  type ServerOptions,
} from '@outrigger/wire'
import { publicApi, sidecarApi, type ApiParts } from './apis.ts'
import { lazily } from './lazily.ts'
import { listenError, listenOn } from './listen.ts'

/** Where the API can be called. */
export interface OpenApis {
  readonly http: readonly BoundAddress[]
  /** `undefined` on a Unix socket. */
  readonly grpcPort: number | undefined
}

/** Metadata of gRPC calls may be larger than --read-buffer-size, as in Dapr. */
const grpcHeaderBytes = 64 * 1024
/** What header fields may have beyond --read-buffer-size, as in Dapr: tokens of 5 KB come through by default. */
const slackBytes = 4096
/** Their bytes are limited; this only keeps thousands of empty ones out. */
const maxFields = 1000

/**
 * Opens the listeners of the API, those for probes from outside too. Each server is given to `opened` before it
 * listens, so that it is closed whatever happens.
 * @throws StartupError for an address that cannot be had
 */
export async function openApis(parts: ApiParts, opened: (server: Server) => void): Promise<OpenApis> {
  const { options, logger } = parts
  const server = (
    handler: Handler,
    protocols: NonNullable<ServerOptions['protocols']>,
    maxHeaderBytes = options.readBufferBytes + slackBytes,
  ): Server => {
    const { maxBodyBytes } = options
    const created = createServer({ maxBodyBytes, maxHeaderBytes, maxFields, protocols }, handler)
    opened(created)
    return created
  }
  const http = server(sidecarApi(parts), options.disableH2c ? ['http/1.1'] : ['http/1.1', 'h2c'])
  const grpc = server(
    lazily(async () => (await import('./grpc-api.ts')).grpcApi(parts)),
    ['h2c'],
    grpcHeaderBytes,
  )
  const open = await (options.unixDomainSocket === undefined
    ? onPorts(parts, http, grpc)
    : onSockets(parts, options.unixDomainSocket, http, grpc))
  if (options.publicPort !== undefined) {
    const what = {
      api: 'the public server',
      flag: 'dapr-public-port',
      addressFlag: 'dapr-public-listen-address',
    }
    const host = options.publicListenAddress
    await listenOn(server(publicApi(parts), ['http/1.1']), what, [host], options.publicPort, logger)
  }
  return open
}

async function onPorts({ options, logger }: ApiParts, http: Server, grpc: Server): Promise<OpenApis> {
  const addresses = options.listenAddresses.length > 0 ? options.listenAddresses : [undefined]
  const addressFlag = 'dapr-listen-addresses'
  const overHttp = { api: 'the HTTP API', flag: 'dapr-http-port', addressFlag }
  const overGrpc = { api: 'the gRPC API', flag: 'dapr-grpc-port', addressFlag }
  const bound = await listenOn(http, overHttp, addresses, options.httpPort, logger)
  const [first] = await listenOn(grpc, overGrpc, addresses, options.grpcPort, logger)
  return { http: bound, grpcPort: first?.port }
}

async function onSockets(
  { options, logger }: ApiParts,
  folder: string,
  http: Server,
  grpc: Server,
): Promise<OpenApis> {
  const bound: BoundAddress[] = []
  const flag = 'unix-domain-socket'
  for (const [server, api, name] of [
    [http, 'the HTTP API', 'http'],
    [grpc, 'the gRPC API', 'grpc'],
  ] as const) {
    const path = `${folder}/dapr-${options.appId}-${name}.socket`
    try {
      bound.push(await server.listen({ path }))
    } catch (error) {
      throw listenError(error, { api, flag, addressFlag: flag }, path)
    }
    logger.info(`${api} is listening on ${path}`)
  }
  return { http: bound.slice(0, 1), grpcPort: undefined }
}
