import { Fields, WireError, type Body, type BodyWriter, type FieldsInit } from '@outrigger/wire'
import { wholeBody } from '../app/memory-body.ts'

/** A body that one side writes while the other reads it. The writer waits until all that it wrote is taken. */
export class BodyPipe implements Body, BodyWriter {
  limit = Number.POSITIVE_INFINITY
  readonly length: number | undefined
  trailers: Fields | undefined
  readonly #queue: Uint8Array[] = []
  #drained: PromiseWithResolvers<void> | undefined
  #wake: (() => void) | undefined
  #state: 'open' | 'ended' | 'broken' | 'cancelled' = 'open'
  #read = false

  constructor(length: number | undefined) {
    this.length = length
  }

  write(chunk: Uint8Array | string): Promise<void> | undefined {
    if (this.#state !== 'open') return Promise.reject(gone())
    if (chunk.length === 0) return undefined
    this.#queue.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
    if (this.#drained === undefined) {
      this.#drained = Promise.withResolvers()
      // A writer that does not wait is told with its next chunk.
      this.#drained.promise.catch(() => {})
    }
    this.#wake?.()
    return this.#drained.promise
  }

  end(trailers?: FieldsInit): void {
    if (trailers !== undefined) this.trailers = Fields.from(trailers)
    this.#close('ended')
  }

  abort(): void {
    this.#close('broken')
  }

  /** Nobody reads the rest. */
  cancel(): void {
    this.#close('cancelled')
    this.#queue.length = 0
    this.#drained?.reject(gone())
    this.#drained = undefined
  }

  bytes(limit = this.limit): Promise<Uint8Array> {
    return wholeBody(this, limit)
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    if (this.#read) throw new WireError('PROTOCOL', 'the body was read already')
    this.#read = true
    try {
      for (;;) {
        const chunk = this.#queue.shift()
        if (chunk !== undefined) {
          yield chunk
          continue
        }
        this.#drained?.resolve()
        this.#drained = undefined
        if (this.#state === 'ended') return
        if (this.#state !== 'open') throw new WireError('RESET', 'the answer broke off')
        await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      this.cancel()
    }
  }

  #close(state: 'ended' | 'broken' | 'cancelled'): void {
    if (this.#state === 'open') this.#state = state
    this.#wake?.()
  }
}

function gone(): WireError {
  return new WireError('ABORTED', 'nobody reads the answer any more')
}
