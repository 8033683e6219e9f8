import type { Outcome } from './reply.ts'
import type { Delivery, Subscriber } from './subscriber.ts'

type Settle = (outcome: Outcome) => void

/** Messages that are sent as they come, and answered some time later by the id of their event. */
export class StreamSubscriber implements Subscriber {
  readonly #send: (delivery: Delivery) => void
  /** Events that have the same id are answered in the order in which they were sent. */
  readonly #waiting = new Map<string, Settle[]>()

  constructor(send: (delivery: Delivery) => void) {
    this.#send = send
  }

  deliver(delivery: Delivery, signal: AbortSignal): Promise<Outcome> {
    const id = delivery.event.text('id') ?? ''
    return new Promise((resolve, reject) => {
      const settle: Settle = (outcome) => {
        signal.removeEventListener('abort', giveUp)
        resolve(outcome)
      }
      const giveUp = (): void => {
        this.#forget(id, settle)
        reject(new Error('the subscription ended before the event was answered'))
      }
      if (signal.aborted) return giveUp()
      signal.addEventListener('abort', giveUp, { once: true })
      const before = this.#waiting.get(id)
      if (before === undefined) this.#waiting.set(id, [settle])
      else before.push(settle)
      this.#send(delivery)
    })
  }

  /** @returns whether an event of this id was waiting for its answer */
  settle(id: string, outcome: Outcome): boolean {
    const settle = this.#waiting.get(id)?.[0]
    if (settle === undefined) return false
    this.#forget(id, settle)
    settle(outcome)
    return true
  }

  #forget(id: string, settle: Settle): void {
    const waiting = this.#waiting.get(id)
    const place = waiting?.indexOf(settle) ?? -1
    if (waiting === undefined || place < 0) return
    if (waiting.length === 1) this.#waiting.delete(id)
    else waiting.splice(place, 1)
  }
}
