import { WireError } from '../error.ts'
import type { FlatFields } from '../fields.ts'
import { defaultWindow } from './frames/constants.ts'
import type { HeaderBlock } from './header-block.ts'

/** What a stream asks of its connection. */
export interface Carrier {
  /** Bytes that wait in all streams together. */
  backlog: number
  /** Milliseconds of a clock. */
  readonly now: number
  /** Something of this stream can be sent. */
  ready(stream: Stream): void
  /** `count` bytes that this stream has received are not kept any more. */
  consumed(stream: Stream, count: number): void
  /** Ends the stream now, in both directions. */
  resetStream(stream: Stream, code: number): void
}

/** Takes what arrives on a stream: a request on a server, a response on a client. */
export interface StreamSink {
  /** A header section: the head of a response, or trailers. */
  headers(block: HeaderBlock, last: boolean): void
  /** Data; the sink says `stream.consumed` when it does not keep it any more. */
  data(piece: Buffer): void
  /** The peer has sent all. */
  ended(): void
  /** The stream broke; nothing more comes. `code` is that of HTTP/2. */
  failed(error: WireError, code: number): void
  /** Told now and then of the time in milliseconds, to look at deadlines. */
  tick(now: number): void
}

/** Bytes that may wait in a stream before its writer has to: what one write to the socket takes. */
const highWater = 256 * 1024
/** The same while much waits in the streams of this connection already. */
const crowdedWater = 16 * 1024
const crowded = 1024 * 1024

/** One stream (RFC 9113, section 5): flow control of both directions, and what waits to be sent. Without any data it holds no arrays. */
export class Stream {
  readonly id: number
  sink!: StreamSink
  sendWindow: number
  receiveWindow = defaultWindow
  /** What the receive window is when nothing is kept. */
  capacity = defaultWindow
  /** Received and consumed, but not yet given back to the peer. */
  uncredited = 0
  /** The peer has ended its side. */
  remoteEnded = false
  /** Our last frame is queued. */
  ending = false
  /** Our last frame is written. */
  localEnded = false
  /** Neither side sends any more, or the stream was reset. */
  closed = false
  /** Bytes of the body still to come by its content-length; -1 when it announced none. */
  expected = -1
  /** Links streams that can send something. */
  next: Stream | undefined
  queued = false
  /** When a byte of what waits here was last sent. */
  progressAt = 0
  trailers: FlatFields | undefined
  private readonly carrier: Carrier
  private first: Uint8Array | undefined
  private rest: Uint8Array[] | undefined
  private restAt = 0
  private waiting = 0
  private room: { promise: Promise<void>; resolve(): void; reject(error: WireError): void } | undefined

  constructor(id: number, carrier: Carrier, sendWindow: number) {
    this.id = id
    this.carrier = carrier
    this.sendWindow = sendWindow
  }

  /** Bytes that wait to be sent. */
  get backlog(): number {
    return this.waiting
  }

  /** Queues data. Returns a promise when the caller should wait; it rejects when the stream breaks. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.closed || this.ending) {
      return rejected(
        new WireError(this.ending ? 'PROTOCOL' : 'ABORTED', 'the stream has ended', { sent: true }),
      )
    }
    if (chunk.byteLength > 0) this.push(chunk)
    if (this.waiting < this.mark) return undefined
    return this.waitForRoom()
  }

  /** Queues the end, behind all data. */
  end(trailers?: FlatFields): void {
    if (this.closed || this.ending) return
    this.ending = true
    this.trailers = trailers !== undefined && trailers.length > 0 ? trailers : undefined
    this.carrier.ready(this)
  }

  consumed(count: number): void {
    if (!this.closed) this.carrier.consumed(this, count)
  }

  reset(code: number): void {
    if (!this.closed) this.carrier.resetStream(this, code)
  }

  /** Takes up to `most` bytes of what waits. */
  take(most: number): Uint8Array {
    const head = this.first!
    let taken = head
    if (head.byteLength > most) {
      taken = head.subarray(0, most)
      this.first = head.subarray(most)
    } else this.first = this.shift()
    this.waiting -= taken.byteLength
    this.carrier.backlog -= taken.byteLength
    if (this.room !== undefined && this.waiting <= this.mark / 2) {
      this.room.resolve()
      this.room = undefined
    }
    return taken
  }

  /** The stream is over: what waits is dropped. */
  drop(error: WireError): void {
    this.closed = true
    this.first = this.rest = undefined
    this.carrier.backlog -= this.waiting
    this.waiting = 0
    this.room?.reject(error)
    this.room = undefined
  }

  private get mark(): number {
    return this.carrier.backlog > crowded ? crowdedWater : highWater
  }

  private shift(): Uint8Array | undefined {
    const { rest } = this
    if (rest === undefined) return undefined
    const chunk = rest[this.restAt++]
    if (this.restAt >= rest.length) {
      this.rest = undefined
      this.restAt = 0
    }
    return chunk
  }

  private push(chunk: Uint8Array): void {
    if (this.first === undefined) this.first = chunk
    else if (this.rest === undefined) this.rest = [chunk]
    else this.rest.push(chunk)
    // What the peer did before is no progress of this.
    if (this.waiting === 0) this.progressAt = this.carrier.now
    this.waiting += chunk.byteLength
    this.carrier.backlog += chunk.byteLength
    this.carrier.ready(this)
  }

  private waitForRoom(): Promise<void> {
    if (this.room === undefined) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      // Whoever does not wait for it learns of the break elsewhere.
      promise.catch(ignore)
      this.room = { promise, resolve, reject }
    }
    return this.room.promise
  }
}

/** A rejection that may be overlooked: whoever writes to a stream that is gone learns of it elsewhere too. */
export function rejected(error: WireError): Promise<never> {
  const promise = Promise.reject(error)
  promise.catch(ignore)
  return promise
}

function ignore(): void {}
