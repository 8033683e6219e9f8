import { ChunkList } from '@outrigger/wire'
import { GrpcError, grpcStatus } from '@outrigger/wire/grpc'

const headBytes = 5
const soon = Promise.resolve()

/**
 * Reads the messages of a gRPC body one by one, and can tell whether the body has ended without waiting for it:
 * most calls between sidecars are one message long, and need not be treated as streams.
 */
export class FrameReader {
  readonly #iterator: AsyncIterator<Uint8Array>
  readonly #maxBytes: number
  /** Of the next frame; it is put together once, not chunk by chunk. */
  readonly #pending = new ChunkList()
  #needed = headBytes
  /** A read that was begun ahead of its time; what it brings is added. */
  #ahead: Promise<void> | undefined
  #ended = false

  constructor(body: AsyncIterable<Uint8Array>, maxBytes: number) {
    this.#iterator = body[Symbol.asyncIterator]()
    this.#maxBytes = maxBytes
  }

  /** Whether it is known that nothing more comes. */
  get ended(): boolean {
    return this.#ended && this.#pending.size === 0
  }

  /** The next message, or `undefined` at the end. @throws GrpcError for what is no message, or too large a one */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const frame = this.#take()
      if (frame !== undefined) return frame
      if (this.#ended) {
        if (this.#pending.size === 0) return undefined
        throw new GrpcError(grpcStatus.INTERNAL, 'the stream ended in the middle of a message')
      }
      if (this.#ahead !== undefined) await this.#ahead
      else this.#add(await this.#iterator.next())
    }
  }

  /** Looks whether the end is there already. */
  async peek(): Promise<void> {
    if (this.#ended || this.#pending.size > 0) return
    if (this.#ahead === undefined) {
      this.#ahead = this.#iterator.next().then((result) => {
        this.#ahead = undefined
        this.#add(result)
      })
      // Whoever reads on meets the failure.
      this.#ahead.catch(() => {})
    }
    await soon
    await soon
  }

  /** Nothing more is wanted. */
  cancel(): void {
    this.#iterator.return?.().catch(() => {})
  }

  #add({ done, value }: IteratorResult<Uint8Array>): void {
    if (done === true) {
      this.#ended = true
      return
    }
    this.#pending.push(value)
  }

  #take(): Uint8Array | undefined {
    if (this.#pending.size < this.#needed) return undefined
    const bytes = this.#pending.take()
    const flag = bytes[0]!
    if (flag !== 0) {
      const text = flag === 1 ? 'compressed messages are not taken here' : `a message begins with ${flag}`
      throw new GrpcError(flag === 1 ? grpcStatus.UNIMPLEMENTED : grpcStatus.INTERNAL, text)
    }
    const size = ((bytes[1]! << 24) | (bytes[2]! << 16) | (bytes[3]! << 8) | bytes[4]!) >>> 0
    if (size > this.#maxBytes) {
      const text = `a message of ${size} bytes is larger than the limit of ${this.#maxBytes}`
      throw new GrpcError(grpcStatus.RESOURCE_EXHAUSTED, text)
    }
    const end = headBytes + size
    if (bytes.length < end) {
      this.#needed = end
      this.#pending.push(bytes)
      return undefined
    }
    this.#needed = headBytes
    if (bytes.length > end) this.#pending.push(bytes.subarray(end))
    return bytes.subarray(headBytes, end)
  }
}
