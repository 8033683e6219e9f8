// What the wire suite measures over HTTP/1.1, with the same answers from each: `wire PORT` or `node PORT`.
import { fields, value } from './http1-answers.ts'

const [, , kind, port] = process.argv

if (kind === 'wire') {
  const { createServer } = await import('@outrigger/wire')
  const server = createServer({}, (request, response) => {
    if (request.method === 'GET') return response.send(200, fields, value)
    return request.body.bytes().then((body) => {
      response.send(200, fields, `${body.length}`)
    })
  })
  await server.listen({ host: '127.0.0.1', port: Number(port) })
} else {
  const { createServer } = await import('node:http')
  // Tuned: what costs node:http time without protecting anybody is off, what protects is as in wire.
  const settings = {
    noDelay: true,
    keepAliveTimeout: 75_000,
    headersTimeout: 10_000,
    requestTimeout: 0,
    connectionsCheckingInterval: 2_500,
    joinDuplicateHeaders: false,
    optimizeEmptyRequests: true,
  }
  const server = createServer(settings, (request, response) => {
    if (request.method === 'GET') {
      response.writeHead(200, [...fields, 'content-length', String(value.length)])
      response.end(value)
      return
    }
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = String((chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).length)
      response.writeHead(200, [...fields, 'content-length', String(body.length)])
      response.end(body)
    })
  })
  server.listen(Number(port), '127.0.0.1')
}
