import type { Clock, Random } from '@outrigger/spec'
import { Backoff, sleep } from '../app/time.ts'

/**
 * Keeps an application that cannot be reached from spinning the brokers: what failed is held back a while before
 * it is given back. All that fail during one pause share it, and the pauses grow up to five seconds.
 */
export class Calm {
  private readonly clock: Clock
  private readonly backoff: Backoff
  private until = 0

  constructor(clock: Clock, random: Random) {
    this.clock = clock
    this.backoff = new Backoff({ initialMs: 100, maxMs: 5000, factor: 2 }, random)
  }

  async wait(signal: AbortSignal): Promise<void> {
    const now = this.clock.monotonic()
    if (now >= this.until) this.until = now + this.backoff.nextMs()
    await sleep(this.clock, this.until - now, signal)
  }

  succeeded(): void {
    this.backoff.reset()
    this.until = 0
  }
}
