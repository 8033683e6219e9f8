import { isTooMuch } from '../bulk.ts'
import { overloaded, WireError } from '../error.ts'
import type { Body } from '../types.ts'
import { ChunkList } from '../chunk-list.ts'

/** The connection that a body arrives on. */
export interface BodyCarrier {
  /** Somebody begins to read. */
  bodyWanted(): void
  /** Whether more may come: not when as much is kept as may be. */
  letBodyFlow(flow: boolean): void
  /** Whether somebody waits for bytes, so that a pause is the peer's fault. */
  awaitBody(waiting: boolean): void
  /** Nobody wants the rest. */
  bodyAbandoned(): void
}

interface Waiting {
  resolve(value: never): void
  reject(error: WireError): void
}

const empty = new Uint8Array(0)
const end: IteratorResult<Uint8Array> = { done: true, value: undefined }

/** Bytes that are kept for a reader that is slower than the peer. */
const highWater = 64 * 1024

/** A body as it arrives: of a request on a server, of a response on a client. */
export class IncomingBody implements Body {
  limit: number
  readonly length: number | undefined
  private readonly carrier: BodyCarrier
  private readonly chunks = new ChunkList()
  private taken = false
  private finished: boolean
  private discarding = false
  private held = false
  private failure: WireError | undefined
  private seen = 0
  /** Limit of a reader that wants the whole; `undefined` for one that takes chunk by chunk. */
  private wholeLimit: number | undefined
  private waiting: Waiting | undefined

  constructor(carrier: BodyCarrier, length: number | undefined, limit: number) {
    this.carrier = carrier
    this.length = length
    this.limit = limit
    this.finished = length === 0
  }

  /** Whether what still comes is thrown away. */
  get abandoned(): boolean {
    return this.discarding
  }

  bytes(limit = this.limit): Promise<Uint8Array> {
    const refused = this.begin(limit)
    if (refused !== undefined) return Promise.reject(refused)
    if (this.finished) {
      if (this.chunks.size <= limit)
        return Promise.resolve(this.chunks.size === 0 ? empty : this.chunks.take())
      return Promise.reject(this.overflow(limit))
    }
    if (this.chunks.size > limit) return Promise.reject(this.overflow(limit))
    this.wholeLimit = limit
    return this.wait() as Promise<Uint8Array>
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const refused = this.begin(this.limit)
    if (refused !== undefined) return { next: () => Promise.reject(refused) }
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
    if (this.discarding || this.failure !== undefined || (this.finished && this.chunks.size === 0)) return
    this.abandon(new WireError('ABORTED', 'the body was cancelled', { sent: true }))
  }

  /** The answer is complete, so what is left of the request is not needed, except by a reader that has all of it. */
  discard(): void {
    if (!this.finished) this.cancel()
  }

  push(chunk: Uint8Array): void {
    if (this.discarding) return
    this.chunks.push(chunk)
    const limit = this.wholeLimit
    if (limit !== undefined) {
      if (this.chunks.size > limit) this.overflow(limit)
      else if (isTooMuch(this.chunks.size)) this.abandon(overloaded())
      return
    }
    if (this.waiting !== undefined) this.deliver()
    else if (this.chunks.size >= highWater && !this.held) {
      this.held = true
      this.carrier.letBodyFlow(false)
    }
  }

  /** All of it has arrived. */
  end(): void {
    if (this.finished) return
    this.finished = true
    const waiting = this.stopWaiting()
    if (waiting === undefined) return
    if (this.wholeLimit === undefined) waiting.resolve(end as never)
    else waiting.resolve((this.chunks.size === 0 ? empty : this.chunks.take()) as never)
  }

  /** It will not arrive completely. */
  fail(error: WireError): void {
    if (this.finished || this.failure !== undefined) return
    this.failure = error
    this.chunks.clear()
    this.stopWaiting()?.reject(error)
  }

  /** @returns why the body cannot be read */
  private begin(limit: number): WireError | undefined {
    if (this.failure !== undefined) return this.failure
    if (this.taken) return new WireError('PROTOCOL', 'a body can be read only once', { sent: true })
    this.taken = true
    if (this.length !== undefined && this.length > limit) return this.overflow(limit)
    if (!this.finished) {
      this.carrier.bodyWanted()
      this.release()
    }
    return this.failure
  }

  private next(): Promise<IteratorResult<Uint8Array>> {
    if (this.failure !== undefined) return Promise.reject(this.failure)
    if (this.waiting !== undefined) {
      return Promise.reject(new WireError('PROTOCOL', 'the last chunk is still awaited', { sent: true }))
    }
    const chunk = this.chunks.shift()
    if (chunk === undefined) {
      return this.finished ? Promise.resolve(end) : (this.wait() as Promise<IteratorResult<Uint8Array>>)
    }
    this.release()
    this.seen += chunk.length
    if (this.seen > this.limit) return Promise.reject(this.overflow(this.limit))
    return Promise.resolve({ done: false, value: chunk })
  }

  private deliver(): void {
    const chunk = this.chunks.shift()!
    this.seen += chunk.length
    if (this.seen > this.limit) {
      this.overflow(this.limit)
      return
    }
    this.stopWaiting()!.resolve({ done: false, value: chunk } as never)
  }

  private overflow(limit: number): WireError {
    const error = new WireError('TOO_LARGE', `the body is larger than ${limit} bytes`, { limit, sent: true })
    this.abandon(error)
    return error
  }

  private abandon(error: WireError): void {
    this.failure ??= error
    this.discarding = true
    this.chunks.clear()
    this.stopWaiting()?.reject(error)
    if (this.finished) return
    this.release()
    this.carrier.bodyAbandoned()
  }

  private release(): void {
    if (!this.held || this.chunks.size >= highWater / 2) return
    this.held = false
    this.carrier.letBodyFlow(true)
  }

  private wait(): Promise<unknown> {
    if (this.held) {
      this.held = false
      this.carrier.letBodyFlow(true)
    }
    this.carrier.awaitBody(true)
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.waiting = { resolve, reject }
    return promise
  }

  private stopWaiting(): Waiting | undefined {
    const { waiting } = this
    if (waiting === undefined) return undefined
    this.waiting = undefined
    this.carrier.awaitBody(false)
    return waiting
  }
}
