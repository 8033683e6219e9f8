import { connect as connectPlain } from 'node:net'
import type { Socket } from 'node:net'
import { WireError } from './error.ts'
import { ClientCall } from './http1/client-call.ts'
import { ClientPool } from './http1/client-pool.ts'
import type { ClientRules } from './http1/client-rules.ts'
import { keepAliveInitialDelay } from './listen.ts'
import { parseOrigin } from './origin.ts'
import type { Origin } from './origin.ts'
import { ClientTls } from './tls.ts'
import type { Client, ClientOptions, ClientRequest, ClientResponse, TlsOptions } from './types.ts'
import { Watch } from './watch.ts'

/** Creates a client with its own pool of kept connections. */
export function createClient(options: ClientOptions = {}): Client {
  return new SocketClient(options)
}

/** Origins can come from requests (invoking a URL): remembered, but not without end. */
const maxOrigins = 1000

class SocketClient implements Client {
  private readonly rules: ClientRules
  private tls: ClientTls
  private readonly pools = new Map<string, ClientPool>()
  /** Sessions to resume, by address. */
  private readonly sessions = new Map<string, Buffer>()
  private running = 0
  private closed = false

  constructor(options: ClientOptions) {
    this.tls = new ClientTls(options.tls)
    this.rules = {
      watch: new Watch(2_000),
      maxHeaderBytes: options.maxHeaderBytes ?? 16 * 1024,
      maxFields: 1000,
      maxTargetBytes: 1024,
      maxBodyBytes: options.maxBodyBytes ?? Infinity,
      maxConnections: options.maxConnections ?? Infinity,
      maxIdleConnections: options.maxIdleConnections ?? 256,
      idleTimeoutMs: options.idleTimeoutMs ?? 4_000,
      timeouts: { connectMs: 5_000, ...options.timeouts },
      connect: (origin) => this.connect(origin),
      done: () => {
        this.running--
      },
    }
    this.rules.watch.sharpen(this.rules.idleTimeoutMs)
  }

  get stats(): Client['stats'] {
    let connections = 0
    let idle = 0
    for (const pool of this.pools.values()) {
      connections += pool.size
      idle += pool.idle
    }
    return { connections, idle, running: this.running }
  }

  request(request: ClientRequest): Promise<ClientResponse> {
    let call: ClientCall
    try {
      if (this.closed) throw new WireError('ABORTED', 'the client is closed')
      call = new ClientCall(request, this.pool(request.origin), this.rules)
    } catch (error) {
      return Promise.reject(error as WireError)
    }
    this.running++
    call.begin()
    return call.response
  }

  replaceTls(tls: TlsOptions): void {
    this.tls = new ClientTls(tls)
    // A session that was begun with another identity would bring that one back.
    this.sessions.clear()
  }

  close(): void {
    this.closed = true
    for (const pool of this.pools.values()) pool.close()
    this.pools.clear()
    this.rules.watch.close()
  }

  private pool(origin: string): ClientPool {
    let pool = this.pools.get(origin)
    if (pool === undefined) {
      pool = new ClientPool(origin, parseOrigin(origin), this.rules)
      if (this.pools.size >= maxOrigins) this.forgetUnused()
      this.pools.set(origin, pool)
    }
    return pool
  }

  private forgetUnused(): void {
    for (const [origin, pool] of this.pools) if (pool.unused) this.pools.delete(origin)
    this.sessions.clear()
  }

  private connect(origin: Origin): Socket {
    const { options } = origin
    if (!origin.secure) {
      const address = 'socketPath' in options ? { path: options.socketPath } : options
      return connectPlain({ ...address, noDelay: true, keepAlive: true, keepAliveInitialDelay })
    }
    const { tls } = this
    const socket = tls.connect(origin, 'http/1.1', this.sessions.get(origin.authority))
    socket.setNoDelay(true)
    socket.setKeepAlive(true, keepAliveInitialDelay)
    socket.on('session', (ticket) => {
      if (tls === this.tls) this.sessions.set(origin.authority, ticket)
    })
    socket.once('error', () => this.sessions.delete(origin.authority))
    return socket
  }
}
