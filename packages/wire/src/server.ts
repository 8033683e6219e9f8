import { createServer as createPlain } from 'node:net'
import type { Server as NetServer, Socket } from 'node:net'
import type { Server as TlsServer } from 'node:tls'
import { WireError } from './error.ts'
import { FirstBytes } from './first-bytes.ts'
import { Http1Server } from './http1/server.ts'
import type { Http2Server } from './http2/server.ts'
import { keepAliveInitialDelay, listenOn } from './listen.ts'
import { isLeftOut, loadTls, reasonOf, serverTls } from './tls.ts'
import type {
  BoundAddress,
  Handler,
  ListenAddress,
  Server,
  ServerOptions,
  ServerStats,
  TlsOptions,
} from './types.ts'
import { Watch } from './watch.ts'

/** Creates a server that gives every request to `handler`. It listens when told to. */
export function createServer(options: ServerOptions, handler: Handler): Server {
  return new SocketServer(options, handler)
}

/** Accepts connections and gives each to the protocol that it speaks. */
interface Handshake {
  /** An authority that was trusted when it began is not any more. */
  outdated: boolean
}

class SocketServer implements Server {
  private readonly options: ServerOptions
  private readonly handler: Handler
  private tls: TlsOptions | undefined
  private readonly headerTimeoutMs: number
  private readonly http1: Http1Server | undefined
  private readonly offersHttp2: boolean
  /** Loaded when it is offered. */
  private http2: Http2Server | undefined
  private looksLikePreface: ((bytes: Uint8Array) => boolean | undefined) | undefined
  private readonly watch: Watch
  private readonly listeners: NetServer[] = []
  private readonly bound: BoundAddress[] = []
  private readonly sockets = new Set<Socket>()
  /** Of mutual TLS, those that are not finished, by the address of the client. */
  private readonly handshakes = new Map<string, Handshake>()
  private connectionsTotal = 0
  private closing: Promise<void> | undefined

  constructor(options: ServerOptions, handler: Handler) {
    const protocols = options.protocols ?? ['http/1.1']
    this.options = options
    this.handler = handler
    this.tls = options.tls
    this.headerTimeoutMs = options.headerTimeoutMs ?? 10_000
    this.watch = new Watch(this.headerTimeoutMs)
    if (protocols.includes('http/1.1')) this.http1 = new Http1Server(options, handler)
    this.offersHttp2 = protocols.includes(options.tls === undefined ? 'h2c' : 'h2')
    if (this.http1 === undefined && !this.offersHttp2) {
      const over = options.tls === undefined ? 'without TLS' : 'over TLS'
      throw new WireError('PROTOCOL', `none of the protocols (${protocols.join(', ')}) works ${over}`)
    }
  }

  get addresses(): readonly BoundAddress[] {
    return this.bound
  }

  get stats(): ServerStats {
    const one = this.http1?.stats
    const two = this.http2?.stats
    return {
      connections: this.sockets.size,
      connectionsTotal: this.connectionsTotal,
      running: (one?.running ?? 0) + (two?.running ?? 0),
      requestsTotal: (one?.requestsTotal ?? 0) + (two?.requestsTotal ?? 0),
      refusedTotal: (one?.refusedTotal ?? 0) + (two?.refusedTotal ?? 0),
    }
  }

  async listen(address: ListenAddress): Promise<BoundAddress> {
    this.mustBeOpen()
    if (this.offersHttp2) {
      const { Http2Server, looksLikePreface } = await import('./http2/server.ts')
      this.http2 ??= new Http2Server(this.options, this.handler)
      this.looksLikePreface = looksLikePreface
      this.mustBeOpen()
    }
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

  replaceTls(tls: Pick<TlsOptions, 'cert' | 'key' | 'ca'>): void {
    if (this.tls === undefined)
      throw new WireError('PROTOCOL', 'the server has no TLS whose certificates could be replaced')
    const { ca: before } = this.tls
    const replaced = { ...this.tls, ...tls }
    // Throws while nothing is changed.
    const context = serverTls(replaced)
    this.tls = replaced
    for (const listener of this.listeners) (listener as TlsServer).setSecureContext(context)
    if (replaced.requireClientCert === true && isLeftOut(before, replaced.ca)) this.retireAll()
  }

  close(signal?: AbortSignal): Promise<void> {
    this.closing ??= this.drain(signal)
    if (signal?.aborted) this.cut()
    else signal?.addEventListener('abort', () => this.cut(), { once: true })
    return this.closing
  }

  /** Who was let in by other authorities has to show himself again. */
  private retireAll(): void {
    for (const handshake of this.handshakes.values()) handshake.outdated = true
    this.http1?.retireAll()
    this.http2?.retireAll()
  }

  private mustBeOpen(): void {
    if (this.closing !== undefined) throw new WireError('LISTEN', 'the server is closed')
  }

  private createListener(): NetServer {
    const { tls } = this
    const { maxConnections } = this.options
    // A connection that its client has half closed may still get the rest of an answer.
    const settings = { noDelay: true, allowHalfOpen: true, keepAlive: true, keepAliveInitialDelay }
    const listener =
      tls === undefined
        ? createPlain(settings, (socket) => this.acceptPlain(socket))
        : loadTls().createServer(
            {
              ...settings,
              ...serverTls(tls),
              ALPNProtocols: [
                ...(this.http2 === undefined ? [] : ['h2']),
                ...(this.http1 === undefined ? [] : ['http/1.1']),
              ],
              handshakeTimeout: this.headerTimeoutMs,
            },
            (socket) => this.acceptSecure(socket, socket.alpnProtocol),
          )
    if (maxConnections !== undefined && maxConnections > 0) listener.maxConnections = maxConnections
    // Node.js leaves it to us to end a connection whose handshake failed, or took too long.
    if (tls !== undefined) {
      listener.on('tlsClientError', (error: Error & { code?: string }, socket: Socket) => {
        // Those who only look whether the port is open are no news.
        if (error.code?.startsWith('ERR_SSL') === true)
          this.options.onTlsFailure?.(reasonOf(error), socket.remoteAddress)
        socket.destroy()
      })
    }
    // Of TLS these are the sockets below: a handshake that hangs must end with the server, too.
    listener.on('connection', (socket) => {
      this.connectionsTotal++
      this.sockets.add(socket)
      socket.on('error', ignore)
      socket.on('close', () => this.sockets.delete(socket))
      if (tls?.requireClientCert !== true) return
      const address = addressOf(socket)
      const handshake: Handshake = { outdated: false }
      this.handshakes.set(address, handshake)
      socket.on('close', () => {
        if (this.handshakes.get(address) === handshake) this.handshakes.delete(address)
      })
    })
    return listener
  }

  private acceptPlain(socket: Socket): void {
    const { http1, http2 } = this
    if (http2 === undefined) http1!.accept(socket, false)
    else if (http1 === undefined) http2.accept(socket, false)
    else new FirstBytes(socket, this.watch, this.headerTimeoutMs, this.looksLikePreface!, this.decide)
  }

  /** Prior knowledge (RFC 9113, section 3.3): HTTP/2 begins with its preface. */
  private readonly decide = (socket: Socket, bytes: Buffer, isHttp2: boolean): void => {
    if (isHttp2) this.http2!.accept(socket, false, bytes)
    else this.http1!.accept(socket, false, bytes)
  }

  private acceptSecure(socket: Socket, protocol: string | false | null): void {
    socket.on('error', ignore)
    const address = addressOf(socket)
    const handshake = this.handshakes.get(address)
    this.handshakes.delete(address)
    const connection = (protocol === 'h2' ? this.http2 : this.http1)?.accept(socket, true)
    if (connection === undefined) socket.destroy()
    else if (handshake?.outdated === true) connection.retire()
  }

  private async drain(signal: AbortSignal | undefined): Promise<void> {
    const closed = this.listeners.map((listener) => new Promise((resolve) => listener.close(resolve)))
    await Promise.all([this.http1?.close(signal), this.http2?.close(signal)])
    // On what is left nobody has asked for anything yet.
    this.cut()
    await Promise.all(closed)
    // The sockets' own close events come a moment later.
    while (this.sockets.size > 0) await new Promise(setImmediate)
    this.watch.close()
    this.bound.length = 0
  }

  private cut(): void {
    for (const socket of this.sockets) socket.destroy()
  }
}

function addressOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`
}

function ignore(): void {}
