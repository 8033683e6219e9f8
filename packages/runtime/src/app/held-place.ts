import type { Place, TakePlace } from './channel.ts'

/** The place of a delivery that may take several tries: each waits for one of its own. */
export class HeldPlace {
  /** Of the try that is under way. */
  current: Place | undefined
  readonly #take: TakePlace
  readonly #source: string
  readonly #signal: AbortSignal

  constructor(take: TakePlace, source: string, signal: AbortSignal) {
    this.#take = take
    this.#source = source
    this.#signal = signal
  }

  /** Before each try. Rejects when the signal aborts. */
  readonly next = async (): Promise<void> => {
    this.leave()
    this.current = await this.#take(this.#source, this.#signal)
  }

  /** Leaves what a try did not use. */
  leave(): void {
    this.current?.leave()
    this.current = undefined
  }
}
