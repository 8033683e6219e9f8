import { WireError } from '../error.ts'
import { parseOrigin } from '../origin.ts'
import { ClientTls } from '../tls.ts'
import type {
  Client,
  ClientOptions,
  ClientRequest,
  ClientResponse,
  ClientTimeouts,
  TlsOptions,
} from '../types.ts'
import { Call } from './call.ts'
import type { CallRules } from './call.ts'
import { Shared } from './link.ts'
import { Pool } from './pool.ts'
import type { PoolRules } from './pool.ts'

export interface Http2ClientOptions extends ClientOptions {
  /** A connection with requests under way on which nothing came for so long is probed; 0: never. Default 10 s. */
  readonly pingAfterMs?: number
  /** How long the answer to that may take before the connection counts as broken. Default 5 s. */
  readonly pingTimeoutMs?: number
}

/**
 * Creates a client that speaks HTTP/2: with prior knowledge to `http:` and `unix:`, by agreement (ALPN) to
 * `https:`. Unused connections are kept for 60 s unless `idleTimeoutMs` says otherwise. A request that the
 * server has not looked at (refused stream, GOAWAY) is sent again, unless its body is a stream.
 */
export function createHttp2Client(options: Http2ClientOptions = {}): Client {
  return new Http2Client(options)
}

const maxOrigins = 1000

class Http2Client implements Client {
  private readonly rules: PoolRules
  private readonly callRules: CallRules
  private readonly timeouts: ClientTimeouts
  private readonly pools = new Map<string, Pool>()
  private running = 0
  private closed = false

  constructor(options: Http2ClientOptions) {
    const { timeouts = {} } = options
    const pingTimeoutMs = options.pingTimeoutMs ?? 5_000
    const shortest = [timeouts.headersMs, timeouts.bodyIdleMs, options.idleTimeoutMs, options.pingAfterMs]
    const known = shortest.filter((ms): ms is number => ms !== undefined && ms > 0)
    this.timeouts = timeouts
    this.rules = {
      shared: new Shared(Math.min(2_000, pingTimeoutMs, ...known)),
      maxHeaderBytes: options.maxHeaderBytes ?? 16 * 1024,
      maxFields: 1000,
      maxStreams: 0,
      headerTimeoutMs: 10_000,
      writeIdleMs: 60_000,
      idleMs: options.idleTimeoutMs ?? 60_000,
      pingAfterMs: options.pingAfterMs ?? 10_000,
      pingTimeoutMs,
      connectMs: timeouts.connectMs ?? 5_000,
      maxConnections: options.maxConnections ?? Infinity,
      tls: new ClientTls(options.tls),
    }
    this.callRules = {
      maxBodyBytes: options.maxBodyBytes ?? Infinity,
      again: (call) => this.dispatch(call),
      done: () => void this.running--,
    }
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
    try {
      const pool = this.pool(request)
      const timeouts =
        request.timeouts === undefined ? this.timeouts : { ...this.timeouts, ...request.timeouts }
      const call = new Call(request, pool.origin, this.callRules, timeouts)
      this.running++
      pool.send(call)
      return call.response
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  replaceTls(tls: TlsOptions): void {
    this.rules.tls = new ClientTls(tls)
    for (const pool of this.pools.values()) pool.retireAll()
  }

  close(): void {
    this.closed = true
    for (const pool of this.pools.values()) pool.close()
    this.pools.clear()
  }

  private dispatch(call: Call): void {
    if (this.closed) return call.settle(new WireError('ABORTED', 'the client is closed'))
    this.poolOf(call.request.origin).send(call)
  }

  private pool(request: ClientRequest): Pool {
    if (this.closed) throw new WireError('ABORTED', 'the client is closed')
    const { signal } = request
    if (signal?.aborted) {
      throw new WireError('ABORTED', 'the request was aborted', { cause: signal.reason })
    }
    // CONNECT asks for a tunnel, which this interface cannot express.
    if (request.method === 'CONNECT') throw new WireError('PROTOCOL', 'the method CONNECT is not supported')
    return this.poolOf(request.origin)
  }

  private poolOf(text: string): Pool {
    let pool = this.pools.get(text)
    if (pool === undefined) {
      pool = new Pool(parseOrigin(text), this.rules)
      // Origins can come from requests: those that have no connection any more are not kept for ever.
      if (this.pools.size >= maxOrigins) this.forgetUnused()
      this.pools.set(text, pool)
    }
    return pool
  }

  private forgetUnused(): void {
    for (const [text, pool] of this.pools) if (pool.unused) this.pools.delete(text)
  }
}
