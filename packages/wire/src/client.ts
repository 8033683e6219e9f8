import { Agent, request as httpRequest } from 'node:http'
import type { ClientRequest as Outgoing, IncomingMessage, RequestOptions } from 'node:http'
import { Agent as TlsAgent, request as httpsRequest } from 'node:https'
import { announcedLength, IncomingBody, trailersOf } from './body.ts'
import type { BodyRules } from './body.ts'
import { WireError } from './error.ts'
import { isFraming } from './exchange.ts'
import { Fields, toFlat } from './fields.ts'
import { parseOrigin } from './origin.ts'
import type { Origin } from './origin.ts'
import { sendBody } from './send-body.ts'
import { clientTls } from './tls.ts'
import type { Client, ClientOptions, ClientRequest, ClientResponse, ClientTimeouts } from './types.ts'
import { Watch } from './watch.ts'

/** Creates a client with its own pool of kept connections. */
export function createClient(options: ClientOptions = {}): Client {
  return new NodeClient(options)
}

/** Methods that say nothing about a body when they have none. */
const bodiless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'])

/** What all calls of one client share. */
interface ClientRules extends BodyRules {
  readonly plain: Agent
  readonly secure: TlsAgent
  readonly maxHeaderBytes: number
  readonly maxBodyBytes: number
  readonly timeouts: ClientTimeouts
  readonly done: () => void
}

class NodeClient implements Client {
  private readonly rules: ClientRules
  private readonly origins = new Map<string, Origin>()
  private running = 0
  private closed = false

  constructor(options: ClientOptions) {
    const pool = {
      keepAlive: true,
      scheduling: 'lifo',
      timeout: options.idleTimeoutMs ?? 4_000,
      maxSockets: options.maxConnections ?? Infinity,
      maxFreeSockets: options.maxIdleConnections ?? 256,
      noDelay: true,
    } as const
    this.rules = {
      side: 'client',
      watch: new Watch(options.timeouts?.bodyIdleMs ?? 2_000),
      plain: new Agent(pool),
      secure: new TlsAgent({ ...pool, ...(options.tls === undefined ? {} : clientTls(options.tls)) }),
      maxHeaderBytes: options.maxHeaderBytes ?? 16 * 1024,
      maxBodyBytes: options.maxBodyBytes ?? Infinity,
      timeouts: { connectMs: 5_000, ...options.timeouts },
      done: () => {
        this.running--
      },
    }
  }

  get stats(): Client['stats'] {
    const idle = count(this.rules.plain.freeSockets) + count(this.rules.secure.freeSockets)
    const busy = count(this.rules.plain.sockets) + count(this.rules.secure.sockets)
    return { connections: idle + busy, idle, running: this.running }
  }

  async request(request: ClientRequest): Promise<ClientResponse> {
    if (this.closed) throw new WireError('ABORTED', 'the client is closed')
    const origin = this.origin(request.origin)
    for (;;) {
      this.running++
      const call = new Call(request, origin, this.rules)
      try {
        return await call.response
      } catch (error) {
        // Each stale connection leaves the pool when it fails, so this ends with a new one.
        if (!call.mayRepeat(error)) throw error
      }
    }
  }

  close(): void {
    this.closed = true
    this.rules.plain.destroy()
    this.rules.secure.destroy()
    for (const agent of [this.rules.plain, this.rules.secure]) {
      for (const sockets of Object.values(agent.sockets)) for (const socket of sockets ?? []) socket.destroy()
    }
    this.rules.watch.close()
  }

  private origin(text: string): Origin {
    let origin = this.origins.get(text)
    if (origin === undefined) {
      origin = parseOrigin(text)
      // Origins can come from requests (invoking a URL): remembered, but not without end.
      if (this.origins.size >= 1000) this.origins.clear()
      this.origins.set(text, origin)
    }
    return origin
  }
}

/** One attempt to send one request. */
class Call {
  readonly response: Promise<ClientResponse>
  private readonly request: ClientRequest
  private readonly origin: Origin
  private readonly rules: ClientRules
  private readonly timeouts: ClientTimeouts
  private readonly resolve: (response: ClientResponse) => void
  private readonly reject: (error: WireError) => void
  private outgoing: Outgoing | undefined
  private timer: NodeJS.Timeout | undefined
  private connected = false
  /** `bytesWritten` of the connection before this request. */
  private before = 0
  private failure: WireError | undefined
  private body: IncomingBody | undefined

  constructor(request: ClientRequest, origin: Origin, rules: ClientRules) {
    this.request = request
    this.origin = origin
    this.rules = rules
    this.timeouts =
      request.timeouts === undefined ? rules.timeouts : { ...rules.timeouts, ...request.timeouts }
    const { promise, resolve, reject } = Promise.withResolvers<ClientResponse>()
    this.response = promise
    this.resolve = resolve
    this.reject = reject
    this.begin()
  }

  /** See {@link Client.request}: only a kept connection that the server closed at the same moment. */
  mayRepeat(error: unknown): boolean {
    const { method = 'GET', body, signal } = this.request
    if (!this.outgoing?.reusedSocket || signal?.aborted || error !== this.failure) return false
    if (this.failure?.code !== 'RESET' || (body !== undefined && !isWhole(body))) return false
    if (!this.failure.sent) return true
    return body === undefined && (method === 'GET' || method === 'HEAD' || method === 'OPTIONS')
  }

  private begin(): void {
    const { request, origin, rules } = this
    if (request.signal?.aborted) return this.fail('ABORTED', 'the request was aborted', request.signal.reason)
    // CONNECT asks for a tunnel, which this interface cannot express.
    if (request.method === 'CONNECT') return this.fail('PROTOCOL', 'the method CONNECT is not supported')
    const options: RequestOptions = {
      ...origin.options,
      agent: origin.secure ? rules.secure : rules.plain,
      method: request.method ?? 'GET',
      path: request.path ?? '/',
      headers: this.head(),
      maxHeaderSize: rules.maxHeaderBytes,
    }
    try {
      this.outgoing = origin.secure ? httpsRequest(options) : httpRequest(options)
    } catch (cause) {
      return this.fail('PROTOCOL', `the request cannot be sent: ${(cause as Error).message}`, cause)
    }
    this.listen(this.outgoing)
    request.signal?.addEventListener('abort', this.aborted, { once: true })
    if (this.timeouts.connectMs !== undefined) this.setTimer(this.timeouts.connectMs, 'no connection')
    sendBody(this.outgoing, request.body, (cause) => {
      this.fail('ABORTED', 'the request body could not be read', cause)
    })
  }

  private listen(outgoing: Outgoing): void {
    outgoing.once('socket', (socket) => {
      this.before = outgoing.reusedSocket ? socket.bytesWritten : 0
      if (!socket.connecting) return this.connection()
      socket.once(this.origin.secure ? 'secureConnect' : 'connect', () => this.connection())
    })
    outgoing.on('response', (incoming) => this.answered(incoming))
    outgoing.on('error', (cause: Error & { code?: string }) => this.broke(cause))
    outgoing.on('close', () => {
      this.settle()
      this.rules.done()
      this.broke(undefined)
    })
  }

  private connection(): void {
    this.connected = true
    this.clearTimer()
    if (this.timeouts.headersMs !== undefined) this.setTimer(this.timeouts.headersMs, 'no response')
  }

  private answered(incoming: IncomingMessage): void {
    this.clearTimer()
    const { headers } = incoming
    const status = incoming.statusCode!
    let length = announcedLength(headers['content-length'], headers['transfer-encoding'] !== undefined)
    if (this.request.method === 'HEAD' || status === 204 || status === 304) length = 0
    // Without either field the body ends with the connection (RFC 9112, section 6.3).
    else if (length === 0 && headers['content-length'] === undefined) length = undefined
    const { rules, timeouts } = this
    this.body = new IncomingBody(incoming, rules, length, rules.maxBodyBytes, timeouts.bodyIdleMs ?? 0)
    incoming.once('end', () => this.settle())
    this.resolve(new IncomingResponse(incoming, this.body))
  }

  private readonly aborted = (): void => {
    this.fail('ABORTED', 'the request was aborted', this.request.signal?.reason)
  }

  private setTimer(ms: number, what: string): void {
    this.timer = setTimeout(
      () => this.fail('TIMEOUT', `${what} from ${this.request.origin} within ${ms} ms`),
      ms,
    )
  }

  private clearTimer(): void {
    clearTimeout(this.timer)
    this.timer = undefined
  }

  private broke(cause: (Error & { code?: string }) | undefined): void {
    // From the response on the body itself sees what breaks.
    if (this.body !== undefined) return
    const { origin } = this.request
    const code = cause?.code ?? ''
    if (code === 'HPE_HEADER_OVERFLOW') {
      this.fail('TOO_LARGE', `the header section of ${origin} is too large`, cause, this.rules.maxHeaderBytes)
    } else if (code.startsWith('HPE_'))
      this.fail('PROTOCOL', `${origin} answered with something that is not HTTP`, cause)
    else if (this.connected) this.fail('RESET', `${origin} closed the connection`, cause)
    else this.fail('CONNECT', `cannot connect to ${origin}: ${cause?.message ?? 'closed'}`, cause)
  }

  private fail(code: WireError['code'], message: string, cause?: unknown, limit?: number): void {
    if (this.failure !== undefined) return
    this.settle()
    const error = new WireError(code, message, {
      cause,
      sent: this.sent(),
      ...(limit === undefined ? {} : { limit }),
    })
    this.failure = error
    this.body?.fail(error)
    this.reject(error)
    this.outgoing?.destroy()
    if (this.outgoing === undefined) this.rules.done()
  }

  private settle(): void {
    this.clearTimer()
    this.request.signal?.removeEventListener('abort', this.aborted)
  }

  private sent(): boolean {
    const socket = this.outgoing?.socket
    if (!this.connected || socket == null) return false
    return socket.bytesWritten > this.before
  }

  private head(): string[] {
    const head: string[] = []
    const given = toFlat(this.request.fields)
    let host = false
    for (let index = 0; index < given.length; index += 2) {
      const name = given[index]!
      if (isFraming(name, false)) continue
      if (name.length === 4 && name.toLowerCase() === 'host') host = true
      head.push(name, given[index + 1]!)
    }
    if (!host) head.push('host', this.origin.authority)
    const { body, method = 'GET' } = this.request
    if (isWhole(body)) {
      head.push(
        'content-length',
        String(typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength),
      )
    } else if (body !== undefined) head.push('transfer-encoding', 'chunked')
    else if (!bodiless.has(method)) head.push('content-length', '0')
    return head
  }
}

class IncomingResponse implements ClientResponse {
  readonly status: number
  readonly body: IncomingBody
  private readonly incoming: IncomingMessage
  private ownFields: Fields | undefined

  constructor(incoming: IncomingMessage, body: IncomingBody) {
    this.status = incoming.statusCode!
    this.incoming = incoming
    this.body = body
  }

  get fields(): Fields {
    return (this.ownFields ??= new Fields(this.incoming.rawHeaders))
  }

  get trailers(): Fields | undefined {
    return trailersOf(this.incoming)
  }
}

function isWhole(body: ClientRequest['body']): body is Uint8Array | string {
  return typeof body === 'string' || body instanceof Uint8Array
}

function count(sockets: NodeJS.ReadOnlyDict<unknown[]>): number {
  let total = 0
  for (const list of Object.values(sockets)) total += list?.length ?? 0
  return total
}
