import { createServer as createPlain } from 'node:net'
import type { Server as NetServer, Socket } from 'node:net'
import { createServer as createSecure } from 'node:tls'
import { WireError } from './error.ts'
import { Http1Server } from './http1/server.ts'
import { listenOn } from './listen.ts'
import { serverTls } from './tls.ts'
import type { BoundAddress, Handler, ListenAddress, Server, ServerOptions, ServerStats } from './types.ts'

/** Creates a server that gives every request to `handler`. It listens when told to. */
export function createServer(options: ServerOptions, handler: Handler): Server {
  return new SocketServer(options, handler)
}

/** Accepts connections and gives each to the protocol that it speaks. */
class SocketServer implements Server {
  private readonly options: ServerOptions
  private readonly http1: Http1Server
  private readonly listeners: NetServer[] = []
  private readonly bound: BoundAddress[] = []
  private readonly sockets = new Set<Socket>()
  private connectionsTotal = 0
  private closing: Promise<void> | undefined

  constructor(options: ServerOptions, handler: Handler) {
    const unknown = options.protocols?.find((protocol) => protocol !== 'http/1.1')
    if (unknown !== undefined) throw new WireError('PROTOCOL', `the protocol ${unknown} is not available yet`)
    this.options = options
    this.http1 = new Http1Server(options, handler)
  }

  get addresses(): readonly BoundAddress[] {
    return this.bound
  }

  get stats(): ServerStats {
    return { ...this.http1.stats, connections: this.sockets.size, connectionsTotal: this.connectionsTotal }
  }

  async listen(address: ListenAddress): Promise<BoundAddress> {
    if (this.closing !== undefined) throw new WireError('LISTEN', 'the server is closed')
    const listener = this.createListener()
    const bound = await listenOn(listener, address)
    if (this.closing !== undefined) {
      listener.close()
      throw new WireError('LISTEN', 'the server was closed while it began to listen')
    }
    this.listeners.push(listener)
    this.bound.push(bound)
    return bound
  }

  close(signal?: AbortSignal): Promise<void> {
    this.closing ??= this.drain(signal)
    if (signal?.aborted) this.cut()
    else signal?.addEventListener('abort', () => this.cut(), { once: true })
    return this.closing
  }

  private createListener(): NetServer {
    const { tls, maxConnections, headerTimeoutMs } = this.options
    const settings = { noDelay: true, allowHalfOpen: true }
    const listener =
      tls === undefined
        ? createPlain(settings, (socket) => this.http1.accept(socket, false))
        : createSecure(
            {
              ...settings,
              ...serverTls(tls),
              ALPNProtocols: ['http/1.1'],
              handshakeTimeout: headerTimeoutMs ?? 10_000,
            },
            (socket) => this.http1.accept(socket, true),
          )
    if (maxConnections !== undefined && maxConnections > 0) listener.maxConnections = maxConnections
    // Of TLS these are the sockets below: a handshake that hangs must end with the server, too.
    listener.on('connection', (socket) => {
      this.connectionsTotal++
      this.sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => this.sockets.delete(socket))
    })
    return listener
  }

  private async drain(signal: AbortSignal | undefined): Promise<void> {
    const closed = this.listeners.map((listener) => new Promise((resolve) => listener.close(resolve)))
    await this.http1.close(signal)
    // Nobody has asked for anything on what is left: handshakes.
    this.cut()
    await Promise.all(closed)
    // The sockets' own close events come a moment later.
    while (this.sockets.size > 0) await new Promise(setImmediate)
    this.bound.length = 0
  }

  private cut(): void {
    for (const socket of this.sockets) socket.destroy()
  }
}
