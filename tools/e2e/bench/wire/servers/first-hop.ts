// HTTP/1.1 in, HTTP/2 out: `http2|grpc PORT ORIGIN [CA CERT KEY]`; with certificates over mutual TLS.
import { readFileSync } from 'node:fs'
import { youngCollector } from '@outrigger/host'
import { createServer, onBulk, type ServerRequest, type ServerResponse } from '@outrigger/wire'
import { GrpcChannel } from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import { exchange } from './hop-messages.ts'
import { pass, targetOf } from './pass.ts'

// As the sidecar does.
onBulk(8 * 1024 * 1024, youngCollector())
const [, , kind, port, origin, ca, cert, key] = process.argv
const tls = ca === undefined ? {} : { tls: { ca: read(ca), cert: read(cert!), key: read(key!) } }
const client = createHttp2Client({ ...tls, maxConnections: 1 })
const channel = new GrpcChannel({ origin: origin!, client })

async function call(request: ServerRequest, response: ServerResponse): Promise<void> {
  const body = await request.body.bytes()
  const start = [request.method, targetOf(request)]
  const answer = await channel.call(
    exchange,
    { start, fields: request.fields.flat(), body },
    { signal: request.signal },
  )
  response.send(Number(answer.start[0]), answer.fields, answer.body)
}

const handler =
  kind === 'grpc'
    ? call
    : (request: ServerRequest, response: ServerResponse) => pass(client, origin!, request, response)
await createServer({}, handler).listen({ host: '127.0.0.1', port: Number(port) })

function read(file: string): string {
  return readFileSync(file, 'utf8')
}
