import { WireError } from '../error.ts'
import { Fields, toFlat } from '../fields.ts'
import type { Origin } from '../origin.ts'
import type { ClientRequest, ClientResponse, ClientTimeouts } from '../types.ts'
import { StreamBody } from './body.ts'
import type { BodyOwner } from './body.ts'
import type { ClientConnection } from './client-connection.ts'
import { beforeHead } from './client-connection.ts'
import { CANCEL, REFUSED_STREAM } from './errors.ts'
import { toBytes } from './exchange.ts'
import type { HeaderBlock } from './header-block.ts'
import type { Stream, StreamSink } from './stream.ts'

/** What calls need of their client. */
export interface CallRules {
  readonly maxBodyBytes: number
  /** Sends a call that was never looked at once more. */
  again(call: Call): void
  done(): void
}

const maxAttempts = 4

/** One request and its response: the client's face of a stream, or of several when it had to be sent again. */
export class Call implements StreamSink, ClientResponse, BodyOwner {
  readonly request: ClientRequest
  readonly origin: Origin
  readonly response: Promise<ClientResponse>
  /** The answer has no body whatever its fields say. */
  readonly bodiless: boolean
  status = 0
  fields!: Fields
  body!: StreamBody
  trailers: Fields | undefined
  private readonly rules: CallRules
  private readonly timeouts: ClientTimeouts
  private readonly whole: Uint8Array | undefined
  private resolve!: (response: ClientResponse) => void
  private reject!: (error: WireError) => void
  private aborted: (() => void) | undefined
  private stream: Stream | undefined
  private attempts = 0
  /** When it began to wait: for a connection, then for the head of the response. */
  private sentAt = -1
  private answered = false
  private over = false

  constructor(request: ClientRequest, origin: Origin, rules: CallRules, timeouts: ClientTimeouts) {
    this.request = request
    this.origin = origin
    this.rules = rules
    this.timeouts = timeouts
    this.bodiless = request.method === 'HEAD'
    const { body } = request
    if (typeof body === 'string' || body instanceof Uint8Array) this.whole = toBytes(body)
    this.response = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    if (request.signal !== undefined) {
      this.aborted = () => this.abort(request.signal?.reason)
      request.signal.addEventListener('abort', this.aborted, { once: true })
    }
  }

  /** Whether nobody waits for an answer any more. */
  get settled(): boolean {
    return this.over
  }

  /** Told of the time while it waits for a connection. */
  tickQueued(now: number): void {
    if (this.sentAt < 0) this.sentAt = now
    const { connectMs = 5_000 } = this.timeouts
    if (now - this.sentAt <= connectMs) return
    this.settle(new WireError('TIMEOUT', `no connection to ${this.request.origin} within ${connectMs} ms`))
  }

  /** Opens a stream on a connection that has room. */
  send(connection: ClientConnection): void {
    const { request, whole, origin } = this
    const { body, method = 'GET' } = request
    this.attempts++
    this.sentAt = -1
    const fields = toFlat(request.fields)
    const scheme = origin.secure ? 'https' : 'http'
    const authority = hostOf(fields) ?? origin.authority
    const path = request.path ?? '/'
    const pseudo = [':method', method, ':scheme', scheme, ':authority', authority, ':path', path]
    const empty = body === undefined || whole?.byteLength === 0
    const known = whole !== undefined || (empty && !quiet.has(method)) ? (whole?.byteLength ?? 0) : -1
    const announced = body === undefined ? known : (request.bodyLength ?? known)
    const length = request.announceLength === false ? -1 : announced
    try {
      this.stream = connection.open(this, pseudo, fields, length, empty)
    } catch (error) {
      return this.settle(error as WireError)
    }
    this.stream.expected = beforeHead
    if (empty) return
    if (whole !== undefined) connection.sendWhole(this.stream, whole)
    else
      this.pump(this.stream, body as AsyncIterable<Uint8Array>).catch((cause: unknown) =>
        this.sourceFailed(cause),
      )
  }

  /** Gives up with an error, before or after the answer has begun. */
  settle(error: WireError): void {
    this.stream?.reset(CANCEL)
    this.failed(error, CANCEL)
  }

  headers(block: HeaderBlock, last: boolean): void {
    if (last) {
      if (block.fields.length > 0) this.trailers = new Fields(block.fields)
      return
    }
    const stream = this.stream!
    this.answered = true
    this.status = Number(block.status)
    this.fields = new Fields(block.fields)
    const length = stream.expected >= 0 ? stream.expected : stream.remoteEnded ? 0 : undefined
    const { bodyIdleMs = 0 } = this.timeouts
    this.body = new StreamBody(this, stream, length, this.rules.maxBodyBytes, bodyIdleMs)
    this.resolve(this)
  }

  data(piece: Buffer): void {
    this.body.push(piece)
  }

  ended(): void {
    this.body.finish()
    this.finish()
  }

  failed(error: WireError, code: number): void {
    if (this.over) return
    if (this.answered) {
      this.finish()
      this.body.fail(error)
    } else if (code === REFUSED_STREAM && !error.sent && this.repeatable) {
      this.stream = undefined
      this.rules.again(this)
    } else {
      this.finish()
      this.reject(error)
    }
  }

  tick(now: number): void {
    if (this.answered) return this.body.tick(now)
    if (this.sentAt < 0) this.sentAt = now
    const { headersMs } = this.timeouts
    if (headersMs === undefined || now - this.sentAt <= headersMs) return
    this.settle(
      new WireError('TIMEOUT', `no response from ${this.request.origin} within ${headersMs} ms`, {
        sent: true,
      }),
    )
  }

  bodyWanted(): void {}

  bodyUnwanted(): void {
    this.stream?.reset(CANCEL)
    this.finish()
  }

  /** Only what is at hand can be sent twice. */
  private get repeatable(): boolean {
    const { body, signal } = this.request
    return (body === undefined || this.whole !== undefined) && this.attempts < maxAttempts && !signal?.aborted
  }

  private abort(cause: unknown): void {
    this.settle(new WireError('ABORTED', 'the request was aborted', { cause, sent: this.attempts > 0 }))
  }

  private async pump(stream: Stream, body: AsyncIterable<Uint8Array>): Promise<void> {
    const length = this.request.bodyLength
    let left = length ?? 0
    for await (const chunk of body) {
      left -= chunk.length
      if (length !== undefined && left < 0) break
      // Leaving the loop closes the source.
      if (stream.closed) return
      const room = stream.write(chunk)
      // What broke the stream tells the call itself.
      if (room !== undefined && !(await room.then(yes, no))) return
    }
    if (length !== undefined && left !== 0) {
      const text = `the request body is ${left < 0 ? 'longer' : 'shorter'} than the ${length} bytes that were announced`
      return this.settle(new WireError('PROTOCOL', text, { sent: true }))
    }
    stream.end()
  }

  private sourceFailed(cause: unknown): void {
    this.settle(new WireError('ABORTED', 'the request body could not be read', { cause, sent: true }))
  }

  private finish(): void {
    if (this.over) return
    this.over = true
    if (this.aborted !== undefined) this.request.signal?.removeEventListener('abort', this.aborted)
    this.rules.done()
  }
}

const yes = (): boolean => true
const no = (): boolean => false

/** Methods that say nothing about a body when they have none. */
const quiet: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'])

function hostOf(fields: readonly string[]): string | undefined {
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index]!
    if (name.length === 4 && name.toLowerCase() === 'host') return fields[index + 1]
  }
  return undefined
}
