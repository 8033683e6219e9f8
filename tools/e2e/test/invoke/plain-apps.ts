import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { grpcError } from '@outrigger/proto/status'
import { AppCallback } from '@outrigger/proto/appcallback'
import { HTTPExtension_Verb } from '@outrigger/proto/common'
import { routesOf } from '@outrigger/proto/serve'
import { createServer as createWire } from '@outrigger/wire'
import { createGrpcHandler, GrpcError, type GrpcStatusCode } from '@outrigger/wire/grpc'

export interface PlainApp {
  readonly port: number
  stop(): Promise<void>
}

/** What an application was sent, as its answer says it. */
export interface Echo {
  readonly method: string
  readonly url: string
  /** Names in lower case; values of one name in turn. */
  readonly fields: readonly (readonly [string, string])[]
  readonly body: string
}

/** An application over HTTP that answers by the paths of requests; all others are echoed. */
export async function httpApp(): Promise<PlainApp> {
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const path = request.url!.split('?')[0]!
    const status = /^\/status\/(\d+)$/.exec(path)?.[1]
    if (path === '/healthz') response.end()
    else if (status !== undefined) {
      const empty = status === '204' || status === '304'
      response.writeHead(Number(status), { 'x-kind': 'asked', ...(!empty && { 'content-type': 'text/x' }) })
      response.end(empty ? undefined : `said ${status}`)
    } else if (path === '/cookies') response.writeHead(200, { 'set-cookie': ['a=1; Path=/', 'b=2'] }).end()
    else if (path === '/hop') {
      const hop = { connection: 'x-hop', 'x-hop': '1', 'proxy-authenticate': 'Basic', 'x-end': '2' }
      response.writeHead(200, hop).end()
    } else if (path === '/length') response.writeHead(200, { 'content-length': 1234 }).end()
    else if (path === '/chunked') {
      response.write('one ')
      setImmediate(() => response.end('two'))
    } else {
      const fields: [string, string][] = []
      for (let index = 0; index < request.rawHeaders.length; index += 2)
        fields.push([request.rawHeaders[index]!.toLowerCase(), request.rawHeaders[index + 1]!])
      const body = Buffer.concat(chunks).toString()
      const echo: Echo = { method: request.method!, url: request.url!, fields, body }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(echo))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}

const verbs = new Map<number, string>(
  Object.entries(HTTPExtension_Verb).map(([name, value]) => [value, name]),
)

/** An application over gRPC: `code/N` fails with that code and details, all others are echoed. */
export async function grpcApp(): Promise<PlainApp> {
  const routes = routesOf(AppCallback, {
    onInvoke({ method, httpExtension, data }, call) {
      call.setMetadata(['x-initial', 'yes', 'x-initial-bin', 'AAE='])
      call.setTrailers(['x-end', 'yes', 'x-end-bin', 'AgM='])
      const code = Number(/^code\/(\d+)$/.exec(method)?.[1] ?? 0)
      if (method === 'plain') throw new GrpcError(5, 'nö')
      if (code !== 0) {
        throw grpcError({
          code: code as Exclude<GrpcStatusCode, 0>,
          message: `code ${code}`,
          details: { reason: 'ASKED', domain: 'test', metadata: { code: String(code) } },
        })
      }
      const echo: Echo = {
        method: verbs.get(httpExtension?.verb ?? 0) ?? '',
        url: `${method}?${httpExtension?.querystring ?? ''}`,
        fields: [...call.metadata],
        body: Buffer.from(data?.value ?? []).toString(),
      }
      return {
        contentType: 'application/json',
        data: { typeUrl: '', value: Buffer.from(JSON.stringify(echo)) },
      }
    },
  })
  const server = createWire({ protocols: ['h2c'] }, createGrpcHandler({ routes }))
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  return { port: port!, stop: () => server.close(AbortSignal.abort()) }
}

/** Values of one name. */
export function valuesOf({ fields }: Echo, name: string): string[] {
  return fields.filter(([own]) => own === name).map(([, value]) => value)
}
