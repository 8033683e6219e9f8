import type { IncomingMessage } from 'node:http'
import { WireError } from './error.ts'
import { Fields } from './fields.ts'
import type { Body } from './types.ts'
import type { Watch, Watched } from './watch.ts'

/** What bodies of one side have in common. */
export interface BodyRules {
  readonly side: 'server' | 'client'
  readonly watch: Watch
}

const empty = new Uint8Array(0)
const end: IteratorResult<Uint8Array> = { done: true, value: undefined }

/** Bytes of an unwanted request body that are read so that the client sees its answer; more cuts it off. */
const drainLimit = 1024 * 1024

/** A body over node's IncomingMessage: of a request on a server, of a response on a client. */
export class IncomingBody implements Body, Watched {
  limit: number
  readonly length: number | undefined
  readonly idleMs: number
  activeAt = 0
  private readonly source: IncomingMessage
  private readonly rules: BodyRules
  /** Called before the first read: `100 Continue`. */
  private readonly begin: (() => void) | undefined
  private taken = false
  private attached = false
  private finished: boolean
  private failure: WireError | undefined
  private seen = 0
  /** Continues whoever waits for data, the end or a failure. */
  private wake: (() => void) | undefined

  constructor(
    source: IncomingMessage,
    rules: BodyRules,
    length: number | undefined,
    limit: number,
    idleMs: number,
    begin?: () => void,
  ) {
    this.source = source
    this.rules = rules
    this.length = length
    this.limit = limit
    this.idleMs = idleMs
    this.begin = begin
    this.finished = length === 0
    // node frees a client's connection only when the message has been read to its end.
    if (length === 0 && rules.side === 'client') source.resume()
  }

  bytes(limit = this.limit): Promise<Uint8Array> {
    const refused = this.take(limit)
    if (refused !== undefined) return Promise.reject(refused)
    if (this.finished) return Promise.resolve(empty)
    return new Promise((resolve, reject) => {
      const chunks: Uint8Array[] = []
      this.wake = () => {
        if (this.failure !== undefined) reject(this.failure)
        else if (this.finished) resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, this.seen))
      }
      this.source.on('data', (chunk: Uint8Array) => {
        if (this.failure !== undefined) return
        this.activeAt = this.rules.watch.now
        this.seen += chunk.length
        if (this.seen > limit) return this.fail(tooLarge(limit))
        chunks.push(chunk)
        // The last byte of an announced length is the end: no need to wait for the event.
        if (this.seen === this.length) this.end()
      })
      this.attach()
      this.rules.watch.add(this)
    })
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const refused = this.take(this.limit)
    if (refused !== undefined) return { next: () => Promise.reject(refused) }
    if (!this.finished) {
      this.source.on('readable', () => this.stir())
      this.attach()
    }
    return {
      next: () => this.next(),
      return: () => {
        this.cancel()
        return Promise.resolve(end)
      },
    }
  }

  cancel(): void {
    this.taken = true
    if (this.finished || this.failure !== undefined) return
    this.fail(new WireError('ABORTED', 'the body was cancelled', { sent: true }))
  }

  /** Fails the body now. What still comes is thrown away on a server; a client cuts the connection. */
  fail(error: WireError): void {
    if (this.failure !== undefined || this.finished) return
    this.failure = error
    this.rules.watch.delete(this)
    if (this.rules.side === 'server') this.drain()
    else {
      this.attach()
      this.source.destroy()
    }
    this.stir()
  }

  /** The answer is complete: what is left of the request must not block the connection, nor flow for ever. */
  discard(): void {
    if (this.finished || this.failure !== undefined) return
    // Somebody waits for it, or it was read in part.
    if (this.taken) return this.cancel()
    this.taken = true
    // node itself reads on and throws away what nobody asked for.
    if (this.length === undefined || this.length > drainLimit) this.drain()
  }

  /** Reads on and throws away, but not without end. */
  private drain(): void {
    const source = this.source
    let rest = drainLimit
    source.removeAllListeners('readable')
    source.on('data', (chunk: Uint8Array) => {
      this.activeAt = this.rules.watch.now
      rest -= chunk.length
      if (rest < 0) source.socket.destroy()
    })
    this.attach()
    this.rules.watch.add(this)
    source.resume()
  }

  timeOut(): void {
    this.failure ??= new WireError('TIMEOUT', `nothing of the body came for ${this.idleMs} ms`, {
      sent: true,
    })
    this.source.socket.destroy()
    this.stir()
  }

  /** @returns why the body cannot be read */
  private take(limit: number): WireError | undefined {
    if (this.failure !== undefined) return this.failure
    if (this.taken) return new WireError('PROTOCOL', 'a body can be read only once', { sent: true })
    this.taken = true
    if (this.length !== undefined && this.length > limit) this.fail(tooLarge(limit))
    else this.begin?.()
    return this.failure
  }

  private async next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      if (this.failure !== undefined) throw this.failure
      const chunk = this.finished ? null : (this.source.read() as Uint8Array | null)
      if (chunk !== null) {
        this.seen += chunk.length
        if (this.seen <= this.limit) return { done: false, value: chunk }
        this.fail(tooLarge(this.limit))
      } else if (this.finished) return end
      else await this.arrival()
    }
  }

  /** Only a body that somebody waits for can be late: back-pressure is no fault of the peer. */
  private async arrival(): Promise<void> {
    this.rules.watch.add(this)
    await new Promise<void>((resolve) => {
      this.wake = resolve
    })
    this.rules.watch.delete(this)
  }

  private attach(): void {
    if (this.attached) return
    this.attached = true
    const source = this.source
    if (this.length === undefined || this.wake === undefined) source.on('end', () => this.end())
    source.on('error', (cause) => this.broken(cause))
    if (source.destroyed) this.broken(source.errored ?? undefined)
  }

  private end(): void {
    this.finished = true
    this.settle()
  }

  private broken(cause: Error | undefined): void {
    if (this.finished) return
    this.failure ??= new WireError('RESET', 'the peer went away in the middle of the body', {
      cause,
      sent: true,
    })
    this.settle()
  }

  private settle(): void {
    this.rules.watch.delete(this)
    this.stir()
  }

  private stir(): void {
    this.wake?.()
  }
}

/** The length that header fields announce: 0 without a body, `undefined` when it is not known. */
export function announcedLength(contentLength: string | undefined, chunked: boolean): number | undefined {
  if (chunked) return undefined
  return contentLength === undefined ? 0 : Number(contentLength)
}

/** Trailers of a message that has arrived completely. */
export function trailersOf(source: IncomingMessage): Fields | undefined {
  if (!source.complete || source.rawTrailers.length === 0) return undefined
  return new Fields(source.rawTrailers)
}

function tooLarge(limit: number): WireError {
  return new WireError('TOO_LARGE', `the body is larger than ${limit} bytes`, { limit, sent: true })
}
