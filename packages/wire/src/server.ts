import { createServer as createHttpServer } from 'node:http'
import type { IncomingMessage, Server as HttpServer, ServerResponse as Outgoing } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { answerClientError, isAnswering } from './client-error.ts'
import { isWireError, WireError } from './error.ts'
import { IncomingRequest, OutgoingResponse } from './exchange.ts'
import type { ExchangeRules } from './exchange.ts'
import { flatLength } from './fields.ts'
import { listenOn } from './listen.ts'
import { serverTls } from './tls.ts'
import type { BoundAddress, Handler, ListenAddress, Server, ServerOptions, ServerStats } from './types.ts'
import { Watch } from './watch.ts'

/** Creates a server that gives every request to `handler`. It listens when told to. */
export function createServer(options: ServerOptions, handler: Handler): Server {
  return new NodeServer(options, handler)
}

/** Nothing came or went for a while: an idle connection is closed, and one whose client does not take its answer. */
function closeIfStuck(socket: Socket): void {
  if (socket.writableLength > 0 || !isAnswering(socket)) socket.destroy()
}

class NodeServer implements Server {
  private readonly handler: Handler
  private readonly options: ServerOptions
  private readonly rules: ExchangeRules
  private readonly maxTarget: number
  private readonly maxHeader: number
  private readonly maxFields: number
  private readonly listeners: HttpServer[] = []
  private readonly bound: BoundAddress[] = []
  private readonly sockets = new Set<Socket>()
  private connectionsTotal = 0
  private requestsTotal = 0
  private running = 0
  private refusedTotal = 0
  private closing: Promise<void> | undefined
  /** One function for all responses. */
  private readonly finished = (): void => {
    this.running--
  }

  constructor(options: ServerOptions, handler: Handler) {
    const unknown = options.protocols?.find((protocol) => protocol !== 'http/1.1')
    if (unknown !== undefined) throw new WireError('PROTOCOL', `the protocol ${unknown} is not available yet`)
    this.options = options
    this.handler = handler
    this.maxTarget = options.maxTargetBytes ?? 8 * 1024
    this.maxHeader = options.maxHeaderBytes ?? 16 * 1024
    this.maxFields = options.maxFields ?? 100
    const bodyIdleTimeoutMs = options.bodyIdleTimeoutMs ?? 30_000
    this.rules = {
      side: 'server',
      watch: new Watch(bodyIdleTimeoutMs),
      maxBodyBytes: options.maxBodyBytes ?? 4 * 1024 * 1024,
      bodyIdleTimeoutMs,
      secure: options.tls !== undefined,
      draining: false,
    }
  }

  get addresses(): readonly BoundAddress[] {
    return this.bound
  }

  get stats(): ServerStats {
    return {
      connections: this.sockets.size,
      connectionsTotal: this.connectionsTotal,
      running: this.running,
      requestsTotal: this.requestsTotal,
      refusedTotal: this.refusedTotal,
    }
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
    this.closing ??= this.drain()
    if (signal?.aborted) this.cut()
    else signal?.addEventListener('abort', () => this.cut(), { once: true })
    return this.closing
  }

  private createListener(): HttpServer {
    const { options } = this
    const headersTimeout = options.headerTimeoutMs ?? 10_000
    const settings = {
      // Room for both limits, so that each can be told apart and answered as it should.
      maxHeaderSize: this.maxHeader + this.maxTarget + this.maxFields * 4 + 1024,
      headersTimeout,
      requestTimeout: 0,
      connectionsCheckingInterval: Math.max(20, Math.min(5_000, Math.floor(headersTimeout / 4))),
      keepAliveTimeout: options.keepAliveTimeoutMs ?? 75_000,
      noDelay: true,
      insecureHTTPParser: false,
      joinDuplicateHeaders: false,
      requireHostHeader: true,
      optimizeEmptyRequests: true,
    }
    const server =
      options.tls === undefined
        ? createHttpServer(settings)
        : createHttpsServer({ ...settings, ...serverTls(options.tls) })
    // One more than allowed, so that one too many is seen rather than dropped.
    server.maxHeadersCount = this.maxFields + 1
    server.maxConnections = options.maxConnections ?? 0
    if (server.maxConnections === 0) server.maxConnections = Infinity
    server.timeout = options.writeIdleTimeoutMs ?? 60_000
    server.on('timeout', closeIfStuck)
    server.on('request', (incoming, outgoing) => this.serve(incoming, outgoing))
    // Without this node would ask for the body before anybody wants it.
    server.on('checkContinue', (incoming, outgoing) => this.serve(incoming, outgoing))
    server.on('clientError', (error, socket) => {
      this.refusedTotal++
      answerClientError(error, socket as Socket)
    })
    server.on('connection', (socket) => {
      this.connectionsTotal++
      this.sockets.add(socket)
      socket.on('close', () => this.sockets.delete(socket))
    })
    return server
  }

  private serve(incoming: IncomingMessage, outgoing: Outgoing): void {
    const { rules } = this
    this.requestsTotal++
    this.running++
    outgoing.on('close', this.finished)
    const request = new IncomingRequest(incoming, outgoing, rules)
    const response = new OutgoingResponse(outgoing, request, rules)
    const refusal = this.refusal(incoming)
    if (refusal !== 0) {
      this.refusedTotal++
      outgoing.shouldKeepAlive = false
      response.send(refusal)
      return
    }
    try {
      const done = this.handler(request, response)
      if (done !== undefined) {
        done.then(
          () => {
            if (!response.started)
              this.fail(new WireError('PROTOCOL', 'the handler gave no answer'), request, response)
          },
          (error: unknown) => this.fail(error, request, response),
        )
      }
    } catch (error) {
      this.fail(error, request, response)
    }
  }

  /** The status that refuses this request, or 0. */
  private refusal(incoming: IncomingMessage): number {
    if (incoming.url!.length > this.maxTarget) return 414
    const { rawHeaders } = incoming
    if (rawHeaders.length > this.maxFields * 2 || flatLength(rawHeaders) > this.maxHeader) return 431
    return 0
  }

  private fail(error: unknown, request: IncomingRequest, response: OutgoingResponse): void {
    // The client left: there is nobody to answer and nothing wrong on this side.
    if (response.gone && isWireError(error)) return
    try {
      this.options.onError?.(error, request, response)
      if (!response.started) response.send(isWireError(error, 'TOO_LARGE') ? 413 : 500)
      else response.abandon()
    } catch {
      response.abort()
    }
  }

  private async drain(): Promise<void> {
    this.rules.draining = true
    const closed = this.listeners.map((listener) => new Promise((resolve) => listener.close(resolve)))
    const sweep = setInterval(() => this.closeIdle(), 20)
    this.closeIdle()
    await Promise.all(closed)
    // The sockets' own close events come a moment later.
    while (this.sockets.size > 0) await new Promise(setImmediate)
    clearInterval(sweep)
    this.rules.watch.close()
    this.bound.length = 0
  }

  private closeIdle(): void {
    for (const listener of this.listeners) listener.closeIdleConnections()
    // node counts a connection on which nothing was ever sent as busy.
    for (const socket of this.sockets) if (socket.bytesRead === 0) socket.destroy()
  }

  private cut(): void {
    for (const socket of this.sockets) socket.destroy()
  }
}
