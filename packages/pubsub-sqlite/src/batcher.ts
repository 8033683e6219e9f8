import type { Clock, Deliver, DeliverBulk, IncomingMessage, Settlement, Timer } from '@outrigger/spec'

interface Waiting {
  readonly message: IncomingMessage
  readonly settle: (settlement: Settlement) => void
}

/** Collects deliveries: hands them over when there are `maxMessages`, or when the first has waited `maxWaitMs`. */
export class Batcher {
  readonly #deliver: DeliverBulk
  readonly #options: { readonly maxMessages: number; readonly maxWaitMs: number; readonly clock: Clock }
  #waiting: Waiting[] = []
  #timer: Timer | undefined

  constructor(
    deliver: DeliverBulk,
    options: { readonly maxMessages: number; readonly maxWaitMs: number; readonly clock: Clock },
  ) {
    this.#deliver = deliver
    this.#options = options
  }

  readonly add: Deliver = (message) =>
    new Promise((settle) => {
      this.#waiting.push({ message, settle })
      if (this.#waiting.length >= this.#options.maxMessages) this.flush()
      else this.#timer ??= this.#options.clock.schedule(this.#options.maxWaitMs, () => this.flush())
    })

  /** Hands over what has been collected. */
  flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const batch = this.#waiting
    if (batch.length === 0) return
    this.#waiting = []
    this.#deliver(batch.map(({ message }) => message)).then(
      // What has no settlement of its own was not taken.
      (settlements) => batch.forEach(({ settle }, index) => settle(settlements[index] ?? 'nack')),
      () => batch.forEach(({ settle }) => settle('nack')),
    )
  }
}
