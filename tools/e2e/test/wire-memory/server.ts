// Echoes what comes on each stream until the stream ends; few streams a connection, so that clients open many.
import { createServer } from '@outrigger/wire'
import type { Http2ServerOptions } from '@outrigger/wire/http2'
import { serveOrders } from './measured.ts'

const options: Http2ServerOptions = {
  protocols: ['http/1.1', 'h2c'],
  maxStreams: Number(process.argv[2]),
  bodyIdleTimeoutMs: 600_000,
  keepAliveTimeoutMs: 600_000,
}
const server = createServer(options, async (request, response) => {
  const writer = response.start(200)
  for await (const chunk of request.body) await writer.write(chunk)
  writer.end()
})
const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
serveOrders({ connections: () => server.stats.connections, open: () => port! })
