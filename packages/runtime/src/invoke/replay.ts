/** Requests up to this size are kept so that they can be sent again. */
export const replayBytes = 1024 * 1024

/** What a chunk counts at least, as each is an object that costs more than a few bytes. */
const smallest = 128

/** A body that comes once, and of which what was read is kept up to a limit so that it can be read again. */
export class ReplayBody implements AsyncIterable<Uint8Array> {
  readonly #iterator: AsyncIterator<Uint8Array>
  readonly #limit: number
  #kept: Uint8Array[] | undefined = []
  #size = 0
  /** Chunks that were read. */
  #count = 0
  #ended = false
  #readers = 0
  /** One reader after the other: an old one that still waits must not take what belongs to its successor. */
  #reading: Promise<unknown> = Promise.resolve()

  /** As the body says; `undefined` when it does not know. */
  readonly length: number | undefined

  constructor(
    body: AsyncIterable<Uint8Array> & { readonly length?: number | undefined },
    limit = replayBytes,
  ) {
    this.length = body.length
    this.#iterator = body[Symbol.asyncIterator]()
    this.#limit = limit
  }

  /** Whether all that was read so far is still there. */
  get replayable(): boolean {
    return this.#kept !== undefined
  }

  /** Whether anybody began to read. */
  get started(): boolean {
    return this.#readers > 0
  }

  /** Nobody reads it again: what was kept is let go. */
  forget(): void {
    this.#kept = undefined
  }

  /** The rest is not wanted. */
  cancel(): void {
    this.#kept = undefined
    this.#iterator.return?.().catch(() => {})
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const reader = ++this.#readers
    for (let index = 0; ; index++) {
      const chunk = this.#kept?.[index] ?? (await this.#pull(reader, index))
      if (chunk === undefined) return
      yield chunk
    }
  }

  /** The chunk of this number; `undefined` behind the last one. */
  #pull(reader: number, index: number): Promise<Uint8Array | undefined> {
    const turn = this.#reading.then(async () => {
      if (reader !== this.#readers) throw new Error('the request is being sent again')
      // The reader before this one may have waited for it.
      if (index < this.#count) {
        const chunk = this.#kept?.[index]
        if (chunk === undefined) throw new Error(`more than ${this.#limit} bytes were sent and are not kept`)
        return chunk
      }
      if (this.#ended) return undefined
      const { done, value } = await this.#read()
      if (done === true) {
        this.#ended = true
        return undefined
      }
      this.#keep(value)
      return value
    })
    this.#reading = turn.catch(() => {})
    return turn
  }

  async #read(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.#iterator.next()
    } catch (error) {
      // Nobody can have the rest of it.
      this.#kept = undefined
      throw error
    }
  }

  #keep(chunk: Uint8Array): void {
    this.#count++
    if (this.#kept === undefined) return
    this.#size += Math.max(chunk.length, smallest)
    if (this.#size > this.#limit) this.#kept = undefined
    else this.#kept.push(chunk)
  }
}
