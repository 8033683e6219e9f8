import { ChunkList, WireError, type Body } from '@outrigger/wire'

/** A body that is there as a whole. */
export class MemoryBody implements Body {
  limit = Number.POSITIVE_INFINITY
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#bytes = bytes
  }

  get length(): number {
    return this.#bytes.length
  }

  bytes(limit = this.limit): Promise<Uint8Array> {
    if (this.#bytes.length <= limit) return Promise.resolve(this.#bytes)
    return Promise.reject(new WireError('TOO_LARGE', `the body is larger than ${limit} bytes`, { limit }))
  }

  cancel(): void {}

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    if (this.#bytes.length > 0) yield await this.bytes()
  }
}

/** All of a body, which must not be longer than `limit`. Rejects with a WireError `TOO_LARGE` when it is. */
export async function wholeBody(
  body: Uint8Array | AsyncIterable<Uint8Array> | undefined,
  limit = Number.POSITIVE_INFINITY,
): Promise<Uint8Array> {
  if (body === undefined) return new Uint8Array(0)
  const chunks = new ChunkList()
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    chunks.push(chunk)
    if (chunks.size > limit)
      throw new WireError('TOO_LARGE', `the body is larger than ${limit} bytes`, { limit })
  }
  return chunks.take()
}
