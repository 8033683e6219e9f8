import type { X509Certificate } from 'node:crypto'
import { WireError } from '../error.ts'
import { escapeTarget } from '../escape-target.ts'
import { Fields, noFields, toFlat } from '../fields.ts'
import type { FieldsInit } from '../fields.ts'
import type { BodyWriter, ServerRequest, ServerResponse } from '../types.ts'
import { StreamBody } from './body.ts'
import type { BodyOwner } from './body.ts'
import { INTERNAL_ERROR } from './errors.ts'
import type { HeaderBlock } from './header-block.ts'
import type { Pseudo } from './header-writer.ts'
import { rejected } from './stream.ts'
import type { Stream, StreamSink } from './stream.ts'

/** What an exchange needs of the connection that it came on. */
export interface ExchangeHost {
  readonly secure: boolean
  readonly remoteAddress: string
  readonly peerCertificate: X509Certificate | undefined
  readonly maxBodyBytes: number
  readonly bodyIdleTimeoutMs: number
  sendHeaders(stream: Stream, pseudo: Pseudo, fields: readonly string[], length: number, end: boolean): void
  sendWhole(stream: Stream, body: Uint8Array): void
}

/** One request and its answer: both faces of a stream of a server. */
export class Exchange implements ServerRequest, ServerResponse, BodyWriter, StreamSink, BodyOwner {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly authority: string
  started = false
  trailers: Fields | undefined
  private readonly stream: Stream
  private readonly host: ExchangeHost
  private readonly flat: string[]
  private readonly announced: number
  private ownFields: Fields | undefined
  private ownBody: StreamBody | undefined
  private controller: AbortController | undefined
  private complete = false
  private failure: WireError | undefined
  private over = false
  private overCall: (() => void) | undefined

  constructor(stream: Stream, block: HeaderBlock, host: ExchangeHost) {
    this.stream = stream
    this.host = host
    this.method = block.method!
    const target = escapeTarget(block.path ?? '')
    const mark = target.indexOf('?')
    this.path = mark < 0 ? target : target.slice(0, mark)
    this.query = mark < 0 ? '' : target.slice(mark + 1)
    this.authority = block.authority ?? block.host ?? ''
    this.flat = block.fields
    this.announced = block.contentLength
  }

  get scheme(): 'http' | 'https' {
    return this.host.secure ? 'https' : 'http'
  }

  get fields(): Fields {
    return (this.ownFields ??= new Fields(this.flat))
  }

  get remoteAddress(): string {
    return this.host.remoteAddress
  }

  get peerCertificate(): X509Certificate | undefined {
    return this.host.peerCertificate
  }

  get body(): StreamBody {
    if (this.ownBody !== undefined) return this.ownBody
    const { stream, host, announced } = this
    const length = announced >= 0 ? announced : stream.remoteEnded ? 0 : undefined
    const body = new StreamBody(this, stream, length, host.maxBodyBytes, host.bodyIdleTimeoutMs)
    this.ownBody = body
    if (stream.remoteEnded) body.finish()
    if (this.failure !== undefined) body.fail(this.failure)
    return body
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController()
      if (this.failure !== undefined && !this.stream.localEnded) this.controller.abort(this.failure)
    }
    return this.controller.signal
  }

  send(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    if (this.started) throw alreadyStarted()
    const head = this.method === 'HEAD'
    const flat = toFlat(fields)
    const bodiless = !mayHaveBody(status) || (head && body === undefined)
    const bytes = bodiless || body === undefined ? undefined : toBytes(body)
    // The length of an answer to HEAD is the caller's.
    const length =
      bytes !== undefined ? bytes.byteLength : head && body === undefined ? -2 : bodiless ? -1 : 0
    const last = bytes === undefined || bytes.byteLength === 0 || head
    if (this.failure === undefined) {
      this.host.sendHeaders(this.stream, statusOf(status), flat, length, last)
      if (!last) this.host.sendWhole(this.stream, bytes)
    }
    this.started = true
    this.finish()
  }

  start(status: number, fields?: FieldsInit): BodyWriter {
    if (this.started) throw alreadyStarted()
    if (this.failure === undefined) {
      this.host.sendHeaders(this.stream, statusOf(status), toFlat(fields), -2, false)
    }
    this.started = true
    return this
  }

  write(chunk: Uint8Array | string): Promise<void> | undefined {
    if (this.complete) return rejected(new WireError('PROTOCOL', 'the response has ended'))
    if (this.failure !== undefined) return rejected(clientGone(this.failure))
    // The answer to HEAD has no body (RFC 9110, section 9.3.2).
    if (this.method === 'HEAD') return undefined
    return this.stream.write(toBytes(chunk))
  }

  end(trailers?: FieldsInit): void {
    if (this.complete) return
    this.stream.end(trailers === undefined ? undefined : toFlat(trailers).slice())
    this.finish()
  }

  abort(): void {
    this.started = true
    if (this.complete && this.stream.localEnded) return
    this.finish()
    this.ownBody?.fail(new WireError('ABORTED', 'the response was aborted', { sent: true }))
    // Not CANCEL: node:http2 takes that for a good end.
    this.stream.reset(INTERNAL_ERROR)
  }

  /** Whether the client has gone before the answer was complete. */
  get gone(): boolean {
    return this.failure !== undefined && !this.complete
  }

  /** After a failure: breaks off an answer that is not complete. */
  abandon(): void {
    if (!this.complete) this.abort()
  }

  /** Has `call` called when the exchange is answered or broken. */
  whenOver(call: () => void): void {
    if (this.over) call()
    else this.overCall = call
  }

  headers(block: HeaderBlock): void {
    if (block.fields.length > 0) this.trailers = new Fields(block.fields)
  }

  data(piece: Buffer): void {
    this.body.push(piece)
    if (this.complete) this.body.discard()
  }

  ended(): void {
    this.ownBody?.finish()
  }

  failed(error: WireError): void {
    this.failure = error
    this.ownBody?.fail(error)
    if (!this.stream.localEnded) this.controller?.abort(error)
    this.release()
  }

  bodyWanted(): void {
    if (this.started || this.stream.closed) return
    if (this.fields.get('expect')?.toLowerCase() !== '100-continue') return
    this.host.sendHeaders(this.stream, statusOf(100), noFields, -1, false)
  }

  bodyUnwanted(): void {
    // There is still an answer to give; what comes until then is thrown away.
  }

  tick(now: number): void {
    this.ownBody?.tick(now)
  }

  private finish(): void {
    this.complete = true
    this.ownBody?.discard()
    this.release()
  }

  private release(): void {
    if (this.over) return
    this.over = true
    this.overCall?.()
  }
}

const statuses = new Map<number, Pseudo>()

function statusOf(status: number): Pseudo {
  let pseudo = statuses.get(status)
  if (pseudo === undefined) {
    if (!Number.isInteger(status) || status < 100 || status > 999) {
      throw new WireError('PROTOCOL', `${status} is not a status`)
    }
    pseudo = [':status', String(status)]
    statuses.set(status, pseudo)
  }
  return pseudo
}

/** RFC 9110, sections 15.2, 15.3.5, 15.4.5. */
function mayHaveBody(status: number): boolean {
  return status !== 204 && status !== 304 && status >= 200
}

export function toBytes(body: Uint8Array | string): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : body
}

function alreadyStarted(): WireError {
  return new WireError('PROTOCOL', 'the response was already started')
}

function clientGone(cause: WireError): WireError {
  return cause.code === 'ABORTED' ? cause : new WireError('ABORTED', 'the client went away', { cause })
}
