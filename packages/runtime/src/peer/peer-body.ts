import { ChunkList, isWireError, WireError, type Body } from '@outrigger/wire'
import { isGrpcError } from '@outrigger/wire/grpc'
import type { FrameReader } from './frames.ts'
import type { Piece } from './messages.ts'

/** The body of a request or an answer that comes in pieces. It can be read once. */
export class PeerBody implements Body {
  readonly length: number | undefined
  limit = Number.POSITIVE_INFINITY
  readonly #frames: FrameReader
  readonly #decode: (bytes: Uint8Array) => Piece<unknown>
  readonly #onEnd: (() => void) | undefined
  #first: Uint8Array | undefined
  #seq: number
  #taken = false

  /**
   * @param first what came with the head
   * @param onEnd called behind the last piece; what it throws breaks the body off
   */
  constructor(
    frames: FrameReader,
    decode: (bytes: Uint8Array) => Piece<unknown>,
    first: Uint8Array | undefined,
    length: number | undefined,
    onEnd?: () => void,
  ) {
    this.#frames = frames
    this.#decode = decode
    this.#first = first
    this.#seq = first === undefined ? 0 : 1
    this.length = length
    this.#onEnd = onEnd
  }

  async bytes(limit = this.limit): Promise<Uint8Array> {
    this.limit = limit
    const chunks = new ChunkList()
    for await (const chunk of this) chunks.push(chunk)
    return chunks.take()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#taken) throw new WireError('PROTOCOL', 'the body was already read or cancelled')
    this.#taken = true
    let size = 0
    let complete = false
    try {
      let data = this.#first ?? (await this.#next())
      this.#first = undefined
      while (data !== undefined) {
        size += data.length
        if (size > this.limit) {
          const text = `the body is larger than ${this.limit} bytes`
          throw new WireError('TOO_LARGE', text, { limit: this.limit, sent: true })
        }
        if (data.length > 0) yield data
        data = await this.#next()
      }
      complete = true
    } catch (error) {
      throw isWireError(error) ? error : brokenOff(error)
    } finally {
      if (!complete) this.#frames.cancel()
    }
  }

  cancel(): void {
    if (this.#taken) return
    this.#taken = true
    this.#first = undefined
    this.#frames.cancel()
  }

  /** The next piece; `undefined` behind the last one. */
  async #next(): Promise<Uint8Array | undefined> {
    const bytes = await this.#frames.next()
    if (bytes === undefined) {
      this.#onEnd?.()
      return undefined
    }
    const { head, data, seq } = this.#decode(bytes)
    if (head !== undefined) throw new Error('a second head came in the middle of the body')
    if (data === undefined) return new Uint8Array(0)
    if (seq !== this.#seq) throw new Error(`piece ${seq} came where piece ${this.#seq} was expected`)
    this.#seq++
    return data
  }
}

function brokenOff(error: unknown): WireError {
  const code = isGrpcError(error) && error.code === 8 ? 'TOO_LARGE' : 'RESET'
  const text = error instanceof Error ? error.message : String(error)
  return new WireError(code, `the body broke off: ${text}`, { cause: error, sent: true })
}
