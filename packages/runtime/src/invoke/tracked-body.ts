import type { Body } from '@outrigger/wire'

/** A body that tells when it is over: read to its end, or not. */
export class TrackedBody implements Body {
  readonly #body: Body
  #done: ((complete: boolean) => void) | undefined

  /** @param done called once */
  constructor(body: Body, done: (complete: boolean) => void) {
    this.#body = body
    this.#done = done
  }

  get length(): number | undefined {
    return this.#body.length
  }

  get limit(): number {
    return this.#body.limit
  }

  set limit(bytes: number) {
    this.#body.limit = bytes
  }

  async bytes(limit?: number): Promise<Uint8Array> {
    let complete = false
    try {
      const bytes = await this.#body.bytes(limit)
      complete = true
      return bytes
    } finally {
      this.#over(complete)
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    let complete = false
    try {
      yield* this.#body
      complete = true
    } finally {
      this.#over(complete)
    }
  }

  cancel(): void {
    this.#body.cancel()
    this.#over(false)
  }

  #over(complete: boolean): void {
    const done = this.#done
    this.#done = undefined
    done?.(complete)
  }
}
