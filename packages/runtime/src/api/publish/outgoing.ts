/** What is to be sent on a stream, in order; read by one. */
export class Outgoing<T> implements AsyncIterable<T> {
  #items: T[] = []
  #over = false
  #failure: unknown
  #wake: (() => void) | undefined

  push(item: T): void {
    if (this.#over) return
    this.#items.push(item)
    this.#wake?.()
  }

  /** What was pushed before is still read. */
  end(): void {
    this.#over = true
    this.#wake?.()
  }

  /** Ends at once with an error. */
  fail(error: unknown): void {
    if (this.#over) return
    this.#failure = error
    this.#items = []
    this.end()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const items = this.#items
      this.#items = []
      yield* items
      if (this.#items.length > 0) continue
      if (this.#failure !== undefined) throw this.#failure
      if (this.#over) return
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}
