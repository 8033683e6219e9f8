// HTTP/2 and gRPC in, HTTP/1.1 out: `PORT ORIGIN [CA CERT KEY]`; with certificates over mutual TLS.
import { readFileSync } from 'node:fs'
import { youngCollector } from '@outrigger/host'
import { createClient, createServer, onBulk } from '@outrigger/wire'
import { createGrpcHandler, type ServerCall } from '@outrigger/wire/grpc'
import { exchange, type HttpMessage } from './hop-messages.ts'
import { pass } from './pass.ts'

// As the sidecar does.
onBulk(8 * 1024 * 1024, youngCollector())
const [, , port, origin, ca, cert, key] = process.argv
const client = createClient({ idleTimeoutMs: 60_000 })

async function call(message: HttpMessage, { signal }: ServerCall): Promise<HttpMessage> {
  const [method, path] = message.start as [string, string]
  const { body } = message
  const answer = await client.request({
    origin: origin!,
    method,
    path,
    fields: message.fields,
    signal,
    ...(body.length === 0 ? {} : { body }),
  })
  return { start: [String(answer.status)], fields: answer.fields.flat(), body: await answer.body.bytes() }
}

const grpc = createGrpcHandler({ routes: [{ method: exchange, handle: call }] })
const tls =
  ca === undefined
    ? {}
    : { tls: { ca: read(ca), cert: read(cert!), key: read(key!), requireClientCert: true } }

const server = createServer({ protocols: [ca === undefined ? 'h2c' : 'h2'], ...tls }, (request, response) =>
  request.path === exchange.path ? grpc(request, response) : pass(client, origin!, request, response),
)
await server.listen({ host: '127.0.0.1', port: Number(port) })

function read(file: string): string {
  return readFileSync(file, 'utf8')
}
