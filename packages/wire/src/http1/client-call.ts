import { WireError } from '../error.ts'
import type { WireErrorOptions } from '../error.ts'
import { Fields } from '../fields.ts'
import type { ClientRequest, ClientResponse, ClientTimeouts } from '../types.ts'
import type { Watched } from '../watch.ts'
import type { ClientConnection } from './client-connection.ts'
import type { ClientPool } from './client-pool.ts'
import type { ClientRules } from './client-rules.ts'
import { splitFields } from './field-section.ts'
import type { IncomingBody } from './incoming-body.ts'
import { isWhole, writeRequestHead } from './request-text.ts'
import type { ResponseHead } from './response-head.ts'

/** One request of a client, from the search for a connection to the end of its response. */
export class ClientCall implements Watched {
  readonly method: string
  /** The request line and fields as they are sent. */
  readonly head: string
  readonly body: ClientRequest['body']
  readonly bodyLength: number | undefined
  readonly response: Promise<ClientResponse>
  activeAt = 0
  idleMs = 0
  private readonly request: ClientRequest
  private readonly pool: ClientPool
  private readonly rules: ClientRules
  private readonly timeouts: ClientTimeouts
  private readonly resolve: (response: ClientResponse) => void
  private readonly reject: (error: WireError) => void
  private connection: ClientConnection | undefined
  /** Whether the connection had carried requests before. */
  private reused = false
  private received: ReceivedResponse | undefined
  private over = false

  /** Throws when the request cannot be sent. */
  constructor(request: ClientRequest, pool: ClientPool, rules: ClientRules) {
    this.request = request
    this.pool = pool
    this.rules = rules
    this.method = request.method ?? 'GET'
    this.body = request.body
    this.bodyLength = request.bodyLength
    this.head = writeRequestHead(request, pool.origin)
    this.timeouts =
      request.timeouts === undefined ? rules.timeouts : { ...rules.timeouts, ...request.timeouts }
    const { promise, resolve, reject } = Promise.withResolvers<ClientResponse>()
    this.response = promise
    this.resolve = resolve
    this.reject = reject
  }

  begin(): void {
    const { signal } = this.request
    if (signal?.aborted) return this.aborted()
    signal?.addEventListener('abort', this.aborted, { once: true })
    this.limit(this.timeouts.connectMs)
    this.pool.acquire(this)
  }

  /** Whether the rest of the request body has a place to go. */
  get alive(): boolean {
    return !this.over
  }

  /** A connection stands and is this call's. */
  connected(connection: ClientConnection, reused: boolean): void {
    this.connection = connection
    this.reused = reused
    this.limit(this.timeouts.headersMs)
    connection.send(this)
  }

  /** The head of the response has come. */
  answered(head: ResponseHead, body: IncomingBody): void {
    this.limit(undefined)
    this.received = new ReceivedResponse(head, body)
    this.resolve(this.received)
  }

  /** Bytes of the body have come. */
  stirred(): void {
    this.activeAt = this.rules.watch.now
  }

  awaitBody(waiting: boolean): void {
    this.limit(waiting ? this.timeouts.bodyIdleMs : undefined)
  }

  /** All of the response has come. */
  complete(trailers: string[] | undefined): void {
    this.received!.trailerList = trailers
    this.received!.body.end()
    this.finish()
  }

  /** The connection failed; also called with what it failed to become. */
  broke(code: WireError['code'], message: string, options: WireErrorOptions): void {
    if (this.over) return
    if (code === 'RESET' && this.mayRepeat(options.sent === true)) {
      this.connection = undefined
      this.reused = false
      this.limit(this.timeouts.connectMs)
      // Each stale connection leaves the pool when it fails, so this ends with a new one.
      return this.pool.acquire(this)
    }
    this.fail(new WireError(code, message, options))
  }

  timeOut(): void {
    const { origin } = this.request
    const ms = this.idleMs
    if (this.received !== undefined) this.failWith('TIMEOUT', `nothing of the body came for ${ms} ms`)
    else if (this.connection === undefined)
      this.failWith('TIMEOUT', `no connection from ${origin} within ${ms} ms`)
    else this.failWith('TIMEOUT', `no response from ${origin} within ${ms} ms`)
  }

  failWith(code: WireError['code'], message: string, cause?: unknown): void {
    this.fail(new WireError(code, message, { cause, sent: this.connection?.sent ?? false }))
  }

  private readonly aborted = (): void => {
    this.failWith('ABORTED', 'the request was aborted', this.request.signal!.reason)
  }

  private fail(error: WireError): void {
    if (this.over) return
    const { connection, received } = this
    this.finish()
    if (received === undefined) this.reject(error)
    else received.body.fail(error)
    if (connection === undefined) this.pool.forget(this)
    else connection.destroy()
  }

  /** See {@link Client.request}: only a kept connection that the server closed at the same moment. */
  private mayRepeat(sent: boolean): boolean {
    if (!this.reused || this.received !== undefined) return false
    if (this.body !== undefined && (sent || !isWhole(this.body))) return false
    return !sent || this.method === 'GET' || this.method === 'HEAD' || this.method === 'OPTIONS'
  }

  private limit(idleMs: number | undefined): void {
    const { watch } = this.rules
    if (idleMs === undefined || idleMs <= 0) {
      if (this.idleMs > 0) watch.delete(this)
      this.idleMs = 0
      return
    }
    watch.sharpen(idleMs)
    this.idleMs = idleMs
    watch.add(this)
  }

  private finish(): void {
    this.over = true
    this.limit(undefined)
    this.request.signal?.removeEventListener('abort', this.aborted)
    this.rules.done()
  }
}

class ReceivedResponse implements ClientResponse {
  readonly status: number
  readonly body: IncomingBody
  trailerList: string[] | undefined
  private readonly text: string
  private readonly fieldsAt: number
  private ownFields: Fields | undefined
  private ownTrailers: Fields | undefined

  constructor(head: ResponseHead, body: IncomingBody) {
    this.status = head.status
    this.text = head.text
    this.fieldsAt = head.fieldsAt
    this.body = body
  }

  get fields(): Fields {
    return (this.ownFields ??= new Fields(splitFields(this.text, this.fieldsAt)))
  }

  get trailers(): Fields | undefined {
    if (this.trailerList === undefined) return undefined
    return (this.ownTrailers ??= new Fields(this.trailerList))
  }
}
