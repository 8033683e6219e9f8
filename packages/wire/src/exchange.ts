import type { IncomingMessage, ServerResponse as Outgoing } from 'node:http'
import { announcedLength, IncomingBody, trailersOf } from './body.ts'
import type { BodyRules } from './body.ts'
import { WireError } from './error.ts'
import { Fields, toFlat } from './fields.ts'
import type { FieldsInit, FlatFields } from './fields.ts'
import type { BodyWriter, ServerRequest, ServerResponse } from './types.ts'

/** Bodies up to this size are joined with the head; larger ones would cost more to copy than they gain. */
const joinLimit = 4096
const latin1 = (Buffer.prototype as unknown as { latin1Slice(this: Uint8Array): string }).latin1Slice

/** What all exchanges of one server share. */
export interface ExchangeRules extends BodyRules {
  readonly maxBodyBytes: number
  readonly bodyIdleTimeoutMs: number
  readonly secure: boolean
  /** While true every answer closes its connection. */
  draining: boolean
}

export class IncomingRequest implements ServerRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  private readonly incoming: IncomingMessage
  private readonly outgoing: Outgoing
  private readonly rules: ExchangeRules
  private ownFields: Fields | undefined
  private ownBody: IncomingBody | undefined
  private abort: AbortController | undefined

  constructor(incoming: IncomingMessage, outgoing: Outgoing, rules: ExchangeRules) {
    this.incoming = incoming
    this.outgoing = outgoing
    this.rules = rules
    this.method = incoming.method!
    let target = incoming.url!
    if (target.charCodeAt(0) !== 47) target = originForm(target)
    const mark = target.indexOf('?')
    this.path = mark < 0 ? target : target.slice(0, mark)
    this.query = mark < 0 ? '' : target.slice(mark + 1)
  }

  get scheme(): 'http' | 'https' {
    return this.rules.secure ? 'https' : 'http'
  }

  get authority(): string {
    return this.incoming.headers.host ?? ''
  }

  get fields(): Fields {
    return (this.ownFields ??= new Fields(this.incoming.rawHeaders))
  }

  get body(): IncomingBody {
    if (this.ownBody !== undefined) return this.ownBody
    const { headers } = this.incoming
    const length = announcedLength(headers['content-length'], headers['transfer-encoding'] !== undefined)
    const begin = headers.expect === undefined ? undefined : () => this.outgoing.writeContinue()
    const { rules } = this
    return (this.ownBody = new IncomingBody(
      this.incoming,
      rules,
      length,
      rules.maxBodyBytes,
      rules.bodyIdleTimeoutMs,
      begin,
    ))
  }

  get trailers(): Fields | undefined {
    return trailersOf(this.incoming)
  }

  get remoteAddress(): string {
    return this.incoming.socket.remoteAddress ?? ''
  }

  get signal(): AbortSignal {
    if (this.abort !== undefined) return this.abort.signal
    const abort = (this.abort = new AbortController())
    const { outgoing } = this
    const gone = () => {
      if (!outgoing.writableFinished) abort.abort(new WireError('ABORTED', 'the client went away'))
    }
    if (outgoing.closed || outgoing.destroyed) gone()
    else outgoing.on('close', gone)
    return abort.signal
  }

  /** Called with the end of the answer. */
  discardBody(): void {
    const { headers } = this.incoming
    if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return
    // The client waits for a `100 Continue` that will not come: node closes the connection.
    if (headers.expect !== undefined && this.ownBody === undefined) return
    this.body.discard()
  }
}

export class OutgoingResponse implements ServerResponse, BodyWriter {
  started = false
  private readonly outgoing: Outgoing
  private readonly request: IncomingRequest
  private readonly rules: ExchangeRules
  private ended = false
  private flushed = false
  private drained: Promise<void> | undefined

  constructor(outgoing: Outgoing, request: IncomingRequest, rules: ExchangeRules) {
    this.outgoing = outgoing
    this.request = request
    this.rules = rules
  }

  send(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    if (this.started) throw alreadyStarted()
    const { outgoing } = this
    const head = this.head(toFlat(fields), body === undefined && this.request.method === 'HEAD')
    if (!mayHaveBody(status) || (body === undefined && this.request.method === 'HEAD')) body = undefined
    else {
      const length =
        body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
      head.push('content-length', String(length))
    }
    outgoing.writeHead(status, head)
    this.started = this.ended = true
    this.request.discardBody()
    if (body === undefined || body.length === 0) outgoing.end()
    // node puts a string behind the head in one write; bytes would become a second piece.
    else if (typeof body !== 'string' && body.byteLength <= joinLimit)
      outgoing.end(latin1.call(body), 'latin1')
    else outgoing.end(body)
  }

  start(status: number, fields?: FieldsInit): BodyWriter {
    if (this.started) throw alreadyStarted()
    const { outgoing } = this
    outgoing.writeHead(status, this.head(toFlat(fields), true))
    this.started = true
    // A broken connection is reported by write() and the request's signal.
    outgoing.on('error', ignore)
    process.nextTick(flush, this)
    return this
  }

  write(chunk: Uint8Array | string): Promise<void> | undefined {
    const { outgoing } = this
    if (this.ended) return Promise.reject(new WireError('PROTOCOL', 'the response has ended'))
    if (outgoing.destroyed) return Promise.reject(clientGone())
    this.flushed = true
    if (outgoing.write(chunk)) return undefined
    return (this.drained ??= new Promise((resolve, reject) => {
      const done = () => {
        outgoing.off('drain', done)
        outgoing.off('close', done)
        this.drained = undefined
        if (outgoing.destroyed) reject(clientGone())
        else resolve()
      }
      outgoing.on('drain', done)
      outgoing.on('close', done)
    }))
  }

  end(trailers?: FieldsInit): void {
    if (this.ended) return
    this.ended = this.flushed = true
    const { outgoing } = this
    if (trailers !== undefined) outgoing.addTrailers([...Fields.from(trailers)])
    this.request.discardBody()
    outgoing.end()
  }

  abort(): void {
    this.started = this.ended = this.flushed = true
    this.outgoing.destroy()
  }

  /** Whether the connection has gone. */
  get gone(): boolean {
    return this.outgoing.destroyed && !this.ended
  }

  /** After a failure: breaks off an answer that is not complete. */
  abandon(): void {
    if (!this.ended) this.abort()
  }

  /** Sends the head when no chunk came in the same turn. */
  flush(): void {
    if (this.flushed) return
    this.flushed = true
    this.outgoing.flushHeaders()
  }

  private head(given: FlatFields, keepLength: boolean): string[] {
    const head: string[] = []
    for (let index = 0; index < given.length; index += 2) {
      const name = given[index]!
      if (isFraming(name, keepLength)) continue
      head.push(name, given[index + 1]!)
    }
    if (this.rules.draining) head.push('connection', 'close')
    return head
  }
}

function flush(response: OutgoingResponse): void {
  response.flush()
}

/** Fields that say how a message is laid out on its connection, and so are not the caller's. */
export function isFraming(name: string, keepLength: boolean): boolean {
  switch (name.length) {
    case 7:
      return name.toLowerCase() === 'upgrade' || name.toLowerCase() === 'trailer'
    case 10:
      return name.toLowerCase() === 'connection' || name.toLowerCase() === 'keep-alive'
    case 14:
      return !keepLength && name.toLowerCase() === 'content-length'
    case 16:
      return name.toLowerCase() === 'proxy-connection'
    case 17:
      return name.toLowerCase() === 'transfer-encoding'
    default:
      return false
  }
}

/** RFC 9110, sections 15.2, 15.3.5, 15.4.5. */
function mayHaveBody(status: number): boolean {
  return status !== 204 && status !== 304 && status >= 200
}

/** `http://host/path?query`, as proxies send it, becomes `/path?query` (RFC 9112, section 3.2.2). */
function originForm(target: string): string {
  const authority = target.indexOf('://')
  if (authority < 0) return target
  const path = target.slice(authority + 3).search(/[/?]/)
  if (path < 0) return '/'
  const rest = target.slice(authority + 3 + path)
  return rest.startsWith('/') ? rest : `/${rest}`
}

function alreadyStarted(): WireError {
  return new WireError('PROTOCOL', 'the response was already started')
}

function clientGone(): WireError {
  return new WireError('ABORTED', 'the client went away')
}

function ignore(): void {}
