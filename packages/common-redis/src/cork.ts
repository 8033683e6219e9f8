interface Corkable {
  cork(): void
  uncork(): void
}

/**
 * Gathers what is written within one turn of the event loop into one write on each socket. That is what makes
 * pipelining cheap: half the CPU of the client library's own auto-pipelining, which in addition holds new requests
 * back until the answers of the last batch are there.
 */
export class Cork {
  readonly #streams: () => readonly (Corkable | undefined)[]
  #corked: readonly (Corkable | undefined)[] | undefined

  constructor(streams: () => readonly (Corkable | undefined)[]) {
    this.#streams = streams
  }

  /** Call before each write. */
  hold(): void {
    if (this.#corked !== undefined) return
    this.#corked = this.#streams()
    for (const stream of this.#corked) stream?.cork()
    setImmediate(this.#release)
  }

  readonly #release = (): void => {
    const streams = this.#corked!
    this.#corked = undefined
    for (const stream of streams) stream?.uncork()
  }
}
