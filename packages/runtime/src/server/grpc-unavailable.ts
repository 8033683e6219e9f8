import { createServer, type Server as NetServer, type Socket } from 'node:net'
import type { Logger } from '@outrigger/spec'

/** gRPC status code UNIMPLEMENTED. */
const unimplemented = 12
const message = 'the gRPC API is not available in this version of Outrigger yet; use the HTTP API'

/**
 * Takes the place of the gRPC API: answers every call with UNIMPLEMENTED and the reason, so that a client
 * reads what is the matter instead of "connection refused". HTTP/2 is loaded with the first connection.
 */
export class GrpcUnavailable {
  readonly #logger: Logger
  readonly #sockets = new Set<Socket>()
  readonly #servers: NetServer[] = []

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** @returns the port, which is the real one when 0 was asked for */
  listen(host: string | undefined, port: number): Promise<number> {
    const server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => socket.destroy())
      void this.#answer(socket)
    })
    this.#servers.push(server)
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(host === undefined ? { port } : { host, port }, () => {
        server.off('error', reject)
        server.on('error', (error) => this.#logger.warn('the gRPC port failed', { error }))
        resolve((server.address() as { port: number }).port)
      })
    })
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))))
    this.#servers.length = 0
  }

  async #answer(socket: Socket): Promise<void> {
    const http2 = await import('node:http2')
    if (socket.destroyed) return
    const server = http2.createServer({ settings: { maxConcurrentStreams: 100 } })
    server.on('sessionError', () => socket.destroy())
    server.on('stream', (stream) => {
      stream.on('error', () => {})
      stream.respond(
        {
          ':status': 200,
          'content-type': 'application/grpc',
          'grpc-status': unimplemented,
          'grpc-message': message,
        },
        { endStream: true },
      )
      stream.resume()
    })
    server.emit('connection', socket)
  }
}
