import type { Clock, Deliver, DeliverBulk, IncomingMessage, Settlement, Timer } from '@outrigger/spec'
import type { BulkRules } from './subscriptions.ts'

interface Pending {
  readonly message: IncomingMessage
  readonly settle: (settlement: Settlement) => void
}

/** Gathers messages for brokers that hand them out one by one: until there are enough, or the first waited long enough. */
export class BulkBuffer {
  private readonly rules: BulkRules
  private readonly clock: Clock
  private readonly deliverBulk: DeliverBulk
  private pending: Pending[] = []
  private timer: Timer | undefined
  private draining = false

  constructor(rules: BulkRules, clock: Clock, deliverBulk: DeliverBulk) {
    this.rules = rules
    this.clock = clock
    this.deliverBulk = deliverBulk
  }

  readonly deliver: Deliver = (message) =>
    new Promise((settle) => {
      this.pending.push({ message, settle })
      if (this.draining || this.pending.length >= this.rules.maxMessages) this.flush()
      else this.timer ??= this.clock.schedule(this.rules.maxWaitMs, () => this.flush())
    })

  /** Nothing waits any longer: neither what is here nor what still comes. */
  drain(): void {
    this.draining = true
    this.flush()
  }

  private flush(): void {
    this.timer?.cancel()
    this.timer = undefined
    const batch = this.pending
    if (batch.length === 0) return
    this.pending = []
    void this.deliverBulk(batch.map(({ message }) => message)).then((settlements) => {
      for (const [index, { settle }] of batch.entries()) settle(settlements[index] ?? 'nack')
    })
  }
}
