import type { Socket } from 'node:net'
import { isWireError, WireError } from '../error.ts'
import type { Handler, ServerOptions, ServerStats } from '../types.ts'
import type { Exchange } from './exchange.ts'
import { preface } from './frames/constants.ts'
import { Shared } from './link.ts'
import { ServerConnection } from './server-connection.ts'
import type { ServerRules } from './server-connection.ts'

/**
 * Whether a connection begins like HTTP/2 (RFC 9113, section 3.4): `undefined` while more bytes are needed.
 * No request of HTTP/1.1 begins like that.
 */
export function looksLikePreface(bytes: Uint8Array): boolean | undefined {
  const length = Math.min(bytes.length, preface.length)
  for (let index = 0; index < length; index++) if (bytes[index] !== preface[index]) return false
  // After "PRI * HTTP/2.0" it can be nothing else.
  return length >= 14 ? true : undefined
}

export interface Http2ServerOptions extends ServerOptions {
  /** Streams that a client may have open on one connection; more are refused. Default 256. */
  readonly maxStreams?: number
}

/** Serves HTTP/2 on sockets that somebody else accepted. */
export class Http2Server {
  private readonly options: Http2ServerOptions
  private readonly handler: Handler
  private readonly rules: ServerRules
  private readonly connections = new Set<ServerConnection>()
  private readonly total = { connectionsTotal: 0, running: 0, requestsTotal: 0, refusedTotal: 0 }
  private closing: (() => void) | undefined
  private closed: Promise<void> | undefined

  constructor(options: Http2ServerOptions, handler: Handler) {
    this.options = options
    this.handler = handler
    const headerTimeoutMs = options.headerTimeoutMs ?? 10_000
    const bodyIdleTimeoutMs = options.bodyIdleTimeoutMs ?? 30_000
    const writeIdleMs = options.writeIdleTimeoutMs ?? 60_000
    const keepAliveMs = options.keepAliveTimeoutMs ?? 75_000
    const pingAfterMs = options.pingAfterMs ?? 30_000
    const pingTimeoutMs = options.pingTimeoutMs ?? 10_000
    const times = [headerTimeoutMs, bodyIdleTimeoutMs, writeIdleMs, keepAliveMs, pingAfterMs, pingTimeoutMs]
    this.rules = {
      shared: new Shared(Math.min(...times.filter((ms) => ms > 0))),
      maxHeaderBytes: options.maxHeaderBytes ?? 16 * 1024,
      maxFields: options.maxFields ?? 100,
      maxTargetBytes: options.maxTargetBytes ?? 8 * 1024,
      maxBodyBytes: options.maxBodyBytes ?? 4 * 1024 * 1024,
      maxStreams: options.maxStreams ?? 256,
      headerTimeoutMs,
      bodyIdleTimeoutMs,
      writeIdleMs,
      keepAliveMs,
      pingAfterMs,
      pingTimeoutMs,
      run: (exchange) => this.run(exchange),
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

  /**
   * Takes a connection over: plain with prior knowledge, or TLS with `h2` agreed on. `head`: what was read from it
   * so far, to begin with the preface.
   */
  accept(socket: Socket, secure: boolean, head?: Buffer): ServerConnection {
    const connection = new ServerConnection(socket, secure, this.rules)
    this.connections.add(connection)
    this.total.connectionsTotal++
    if (head !== undefined && head.length > 0) connection.feed(head)
    if (this.closed !== undefined) connection.drain()
    return connection
  }

  /** Lets running requests finish and closes the connections; when `signal` aborts what is left is cut. */
  close(signal?: AbortSignal): Promise<void> {
    this.closed ??= new Promise((resolve) => {
      this.closing = resolve
      if (this.connections.size === 0) resolve()
      for (const connection of this.connections) connection.drain()
    })
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

  /** Calls the handler; the promise of an asynchronous one does not reject. */
  private run(exchange: Exchange): Promise<void> | undefined {
    this.total.requestsTotal++
    this.total.running++
    try {
      const result = this.handler(exchange, exchange)
      if (result === undefined) return undefined
      return result.then(
        () => {
          if (!exchange.started) this.fail(new WireError('PROTOCOL', 'the handler gave no answer'), exchange)
        },
        (error: unknown) => this.fail(error, exchange),
      )
    } catch (error) {
      this.fail(error, exchange)
      return undefined
    }
  }

  private fail(error: unknown, exchange: Exchange): void {
    // The client left: there is nobody to answer and nothing wrong on this side.
    if (exchange.gone && isWireError(error)) return
    try {
      this.options.onError?.(error, exchange, exchange)
      if (!exchange.started) exchange.send(isWireError(error, 'TOO_LARGE') ? 413 : 500)
      else exchange.abandon()
    } catch {
      exchange.abort()
    }
  }
}
