import { isTooMuch } from '../bulk.ts'
import { ChunkList } from '../chunk-list.ts'
import { overloaded, WireError } from '../error.ts'
import type { Body } from '../types.ts'
import type { Stream } from './stream.ts'

const empty = new Uint8Array(0)
const end: IteratorResult<Uint8Array> = { done: true, value: undefined }

/** The message that a body belongs to. */
export interface BodyOwner {
  /** The body is about to be read: `100 Continue`. */
  bodyWanted(): void
  /** Its rest is not wanted any more. */
  bodyUnwanted(): void
}

interface Reader {
  resolve(value: never): void
  reject(error: WireError): void
}

/** What arrives on a stream, kept until somebody reads it. The window of the stream bounds it. */
export class StreamBody implements Body {
  limit: number
  idleTimeoutMs: number
  readonly length: number | undefined
  private readonly owner: BodyOwner
  private readonly stream: Stream
  private chunks: ChunkList | undefined
  private kept = 0
  private seen = 0
  private taken = false
  private finished = false
  private discarding = false
  private failure: WireError | undefined
  /** Who waits for all of it, or for the next chunk. */
  private whole: Reader | undefined
  private next: Reader | undefined
  private waitingSince = 0

  constructor(
    owner: BodyOwner,
    stream: Stream,
    length: number | undefined,
    limit: number,
    idleTimeoutMs: number,
  ) {
    this.owner = owner
    this.stream = stream
    this.length = length
    this.limit = limit
    this.idleTimeoutMs = idleTimeoutMs
  }

  bytes(limit = this.limit): Promise<Uint8Array> {
    const refused = this.take(limit)
    if (refused !== undefined) return Promise.reject(refused)
    this.limit = limit
    if (this.seen > limit) return Promise.reject(this.exceeded())
    if (this.finished) return Promise.resolve(this.join())
    this.owner.bodyWanted()
    // It is wanted whole: the window opens as it comes.
    this.release()
    return new Promise<Uint8Array>((resolve, reject) => {
      this.whole = { resolve, reject }
      this.waitingSince = -1
    })
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const refused = this.take(this.limit)
    if (refused !== undefined) return { next: () => Promise.reject(refused) }
    if (!this.finished) this.owner.bodyWanted()
    return {
      next: () => this.read(),
      return: () => {
        this.cancel()
        return Promise.resolve(end)
      },
    }
  }

  cancel(): void {
    this.taken = true
    if (this.finished && this.chunks === undefined) return
    const unwanted = !this.finished
    this.fail(new WireError('ABORTED', 'the body was cancelled', { sent: true }))
    if (unwanted) this.owner.bodyUnwanted()
  }

  /** Data of the stream. */
  push(piece: Uint8Array): void {
    this.seen += piece.length
    if (this.discarding || this.failure !== undefined) return this.stream.consumed(piece.length)
    this.waitingSince = -1
    if (this.taken && this.seen > this.limit) {
      this.stream.consumed(piece.length)
      this.exceeded()
    } else if (this.next !== undefined) {
      const { resolve } = this.next as { resolve(value: IteratorResult<Uint8Array>): void }
      this.next = undefined
      this.stream.consumed(piece.length)
      resolve({ done: false, value: piece })
    } else {
      this.chunks ??= new ChunkList()
      this.chunks.push(piece)
      if (this.whole !== undefined) this.takeIn(piece.length)
      else this.kept += piece.length
    }
  }

  /** Nothing more comes. */
  finish(): void {
    this.finished = true
    if (this.whole !== undefined) (this.whole as { resolve(value: Uint8Array): void }).resolve(this.join())
    else (this.next as { resolve(value: IteratorResult<Uint8Array>): void } | undefined)?.resolve(end)
    this.whole = this.next = undefined
  }

  /** The stream broke, or nobody wants the rest. */
  fail(error: WireError): void {
    if (this.failure !== undefined) return
    this.release()
    // What came completely can still be read.
    if (this.finished && error.code !== 'ABORTED') return
    this.failure = error
    this.chunks = undefined
    const reader = this.whole ?? this.next
    this.whole = this.next = undefined
    reader?.reject(error)
  }

  /** The answer is complete: whatever was not read must not hold the window of the connection. */
  discard(): void {
    this.release()
    if (this.taken) return
    this.taken = this.discarding = true
    this.chunks = undefined
  }

  tick(now: number): void {
    if (this.whole === undefined && this.next === undefined) return
    if (this.waitingSince < 0) this.waitingSince = now
    else if (this.idleTimeoutMs > 0 && now - this.waitingSince > this.idleTimeoutMs) {
      const message = `nothing of the body came for ${this.idleTimeoutMs} ms`
      this.fail(new WireError('TIMEOUT', message, { sent: true }))
      this.owner.bodyUnwanted()
    }
  }

  /** One more piece of what is wanted whole: the window opens for the next. */
  private takeIn(length: number): void {
    this.stream.consumed(length)
    if (!isTooMuch(this.seen)) return
    this.fail(overloaded())
    this.owner.bodyUnwanted()
  }

  private read(): Promise<IteratorResult<Uint8Array>> {
    if (this.failure !== undefined) return Promise.reject(this.failure)
    const { chunks } = this
    const chunk = chunks?.shift()
    if (chunk !== undefined) {
      if (chunks!.size === 0) this.chunks = undefined
      const consumed = Math.min(chunk.length, this.kept)
      this.kept -= consumed
      if (consumed > 0) this.stream.consumed(consumed)
      return Promise.resolve({ done: false, value: chunk })
    }
    if (this.finished) return Promise.resolve(end)
    return new Promise((resolve, reject) => {
      this.next = { resolve, reject }
      this.waitingSince = -1
    })
  }

  /** @returns why the body cannot be read */
  private take(limit: number): WireError | undefined {
    if (this.failure !== undefined) return this.failure
    if (this.taken) return new WireError('PROTOCOL', 'the body was already read or cancelled')
    this.taken = true
    if (this.length !== undefined && this.length > limit) {
      this.limit = limit
      return this.exceeded()
    }
    return undefined
  }

  private exceeded(): WireError {
    const { limit } = this
    const error = new WireError('TOO_LARGE', `the body is larger than ${limit} bytes`, { limit, sent: true })
    const { finished } = this
    this.finished = false
    this.fail(error)
    this.finished = finished
    if (!finished) this.owner.bodyUnwanted()
    return error
  }

  private join(): Uint8Array {
    const { chunks } = this
    this.release()
    this.chunks = undefined
    return chunks?.take() ?? empty
  }

  /** Gives the window of what is kept back to the peer. */
  private release(): void {
    if (this.kept === 0) return
    const { kept } = this
    this.kept = 0
    this.stream.consumed(kept)
  }
}
