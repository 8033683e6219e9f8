import type { MiddlewareBody, MiddlewareBodyInit } from '@outrigger/spec'

/** A body that can be read once. */
export class TestBody implements MiddlewareBody {
  readonly length: number | undefined
  /** Chunks that were asked for so far. */
  pulled = 0
  #read = false
  readonly #source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>

  constructor(init: MiddlewareBodyInit = '') {
    const bytes = typeof init === 'string' ? Buffer.from(init) : init
    this.length = bytes instanceof Uint8Array ? bytes.length : undefined
    this.#source = bytes instanceof Uint8Array ? (bytes.length === 0 ? [] : [bytes]) : bytes
  }

  async bytes(limitBytes = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of this) {
      size += chunk.length
      if (size > limitBytes) throw new Error(`the body is larger than ${limitBytes} bytes`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    if (this.#read) throw new Error('a body can be read once')
    this.#read = true
    for await (const chunk of this.#source) {
      this.pulled++
      yield chunk
    }
  }
}
