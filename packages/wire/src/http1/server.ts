import type { Socket } from 'node:net'
import { isWireError, WireError } from '../error.ts'
import type { Handler, ServerOptions, ServerStats } from '../types.ts'
import { Watch } from '../watch.ts'
import { DateCache } from './date-cache.ts'
import type { IncomingRequest } from './incoming-request.ts'
import type { OutgoingResponse } from './outgoing-response.ts'
import { ServerConnection } from './server-connection.ts'
import type { ServerRules } from './server-rules.ts'

/** Serves HTTP/1.1 on sockets that somebody else accepted. */
export class Http1Server {
  private readonly handler: Handler
  private readonly onError: ServerOptions['onError']
  private readonly rules: ServerRules
  private readonly connections = new Set<ServerConnection>()
  private readonly total = { connectionsTotal: 0, running: 0, requestsTotal: 0, refusedTotal: 0 }
  private closing: (() => void) | undefined
  private closed: Promise<void> | undefined

  constructor(options: ServerOptions, handler: Handler) {
    this.handler = handler
    this.onError = options.onError
    const headerTimeoutMs = options.headerTimeoutMs ?? 10_000
    const keepAliveTimeoutMs = options.keepAliveTimeoutMs ?? 75_000
    const bodyIdleTimeoutMs = options.bodyIdleTimeoutMs ?? 30_000
    this.rules = {
      watch: new Watch(Math.min(headerTimeoutMs, keepAliveTimeoutMs, bodyIdleTimeoutMs)),
      date: new DateCache(),
      maxHeaderBytes: options.maxHeaderBytes ?? 16 * 1024,
      maxFields: options.maxFields ?? 100,
      maxTargetBytes: options.maxTargetBytes ?? 8 * 1024,
      maxBodyBytes: options.maxBodyBytes ?? 4 * 1024 * 1024,
      headerTimeoutMs,
      keepAliveTimeoutMs,
      bodyIdleTimeoutMs,
      writeIdleTimeoutMs: options.writeIdleTimeoutMs ?? 60_000,
      // Tells clients when not to use the connection again.
      keepAliveFields: `connection: keep-alive\r\nkeep-alive: timeout=${Math.floor(keepAliveTimeoutMs / 1000)}\r\n`,
      draining: false,
      run: (request, response) => this.run(request, response),
      ran: () => void this.total.running--,
      refused: () => void this.total.refusedTotal++,
      closed: (connection) => {
        this.connections.delete(connection)
        if (this.connections.size === 0) this.closing?.()
      },
    }
  }

  get stats(): ServerStats {
    return { connections: this.connections.size, ...this.total }
  }

  /** Takes a connection over. `head`: what was read from it so far. */
  accept(socket: Socket, secure: boolean, head?: Buffer): ServerConnection {
    const connection = new ServerConnection(socket, secure, this.rules)
    this.connections.add(connection)
    this.total.connectionsTotal++
    if (head !== undefined && head.length > 0) connection.receive(head)
    if (this.closed !== undefined) connection.drain()
    return connection
  }

  /** Lets running requests finish and closes the connections; when `signal` aborts what is left is cut. */
  close(signal?: AbortSignal): Promise<void> {
    this.closed ??= this.drain()
    const cut = (): void => {
      for (const connection of this.connections) connection.destroy()
    }
    if (signal?.aborted) cut()
    else signal?.addEventListener('abort', cut, { once: true })
    return this.closed
  }

  /** Connections that stand finish what they have begun. */
  retireAll(): void {
    for (const connection of this.connections) connection.retire()
  }

  private async drain(): Promise<void> {
    this.rules.draining = true
    for (const connection of this.connections) connection.drain()
    if (this.connections.size > 0) await new Promise<void>((resolve) => (this.closing = resolve))
    this.rules.watch.close()
    this.rules.date.close()
  }

  private run(request: IncomingRequest, response: OutgoingResponse): void {
    this.total.requestsTotal++
    this.total.running++
    try {
      const done = this.handler(request, response)
      if (done === undefined) return
      done.then(
        () => {
          if (!response.started)
            this.fail(new WireError('PROTOCOL', 'the handler gave no answer'), request, response)
        },
        (error: unknown) => this.fail(error, request, response),
      )
    } catch (error) {
      this.fail(error, request, response)
    }
  }

  private fail(error: unknown, request: IncomingRequest, response: OutgoingResponse): void {
    // The client left: there is nobody to answer and nothing wrong on this side.
    if (response.gone && isWireError(error)) return
    try {
      this.onError?.(error, request, response)
      if (!response.started) response.send(isWireError(error, 'TOO_LARGE') ? 413 : 500)
      else response.abandon()
    } catch {
      response.abort()
    }
  }
}
