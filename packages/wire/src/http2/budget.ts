/**
 * What a peer may do without getting anything done: a bucket of tokens that fills up again with time, and a
 * little with every useful frame.
 */
export class Budget {
  private tokens: number
  private readonly burst: number
  private readonly perSecond: number
  private at = 0

  constructor(burst: number, perSecond: number) {
    this.tokens = this.burst = burst
    this.perSecond = perSecond
  }

  /** Takes one token; false when there is none. `now` in milliseconds. */
  spend(now: number): boolean {
    if (now > this.at) {
      this.tokens = Math.min(this.burst, this.tokens + ((now - this.at) * this.perSecond) / 1000)
      this.at = now
    }
    if (this.tokens < 1) return false
    this.tokens--
    return true
  }

  earn(): void {
    if (this.tokens < this.burst) this.tokens++
  }
}
