import type { MiddlewareBodyInit } from '@outrigger/spec'
import { WireError, type Body } from '@outrigger/wire'
import { MemoryBody, wholeBody } from '../app/memory-body.ts'

const encoder = new TextEncoder()

/** What a middleware gives as a body. `former`: what it replaces, of which a stream may be made. */
export function bodyOf(init: MiddlewareBodyInit | undefined, former?: Body): Body {
  if (init === undefined) return new MemoryBody()
  if (typeof init === 'string') return new MemoryBody(encoder.encode(init))
  return init instanceof Uint8Array ? new MemoryBody(init) : new StreamBody(init, former)
}

/** A body that a middleware, or a caller inside the runtime, makes while it is read. */
export class StreamBody implements Body {
  readonly length = undefined
  readonly #source: AsyncIterable<Uint8Array>
  readonly #former: Body | undefined
  #limit = Number.POSITIVE_INFINITY
  #reader: AsyncIterator<Uint8Array> | undefined

  constructor(source: AsyncIterable<Uint8Array>, former?: Body) {
    this.#source = source
    this.#former = former
  }

  /** The limit is for what comes in, and that is the former body. */
  get limit(): number {
    return this.#former?.limit ?? this.#limit
  }

  set limit(bytes: number) {
    if (this.#former !== undefined) this.#former.limit = bytes
    this.#limit = bytes
  }

  get idleTimeoutMs(): number {
    return this.#former?.idleTimeoutMs ?? 0
  }

  set idleTimeoutMs(ms: number) {
    if (this.#former !== undefined) this.#former.idleTimeoutMs = ms
  }

  bytes(limit = this.#limit): Promise<Uint8Array> {
    return wholeBody(this, limit)
  }

  /** Ends the source as well, wherever it is. */
  cancel(): void {
    this.#reader?.return?.().catch(() => {})
    this.#reader ??= ended
    this.#former?.cancel()
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    if (this.#reader !== undefined) throw new WireError('PROTOCOL', 'the body was read or given up already')
    this.#reader = this.#source[Symbol.asyncIterator]()
    return this.#reader
  }
}

const ended: AsyncIterator<Uint8Array> = { next: () => Promise.resolve({ done: true, value: undefined }) }
