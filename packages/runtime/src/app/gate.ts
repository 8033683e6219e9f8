import { WireError } from '@outrigger/wire'
import { AppBusyError } from './channel.ts'

interface Waiter {
  readonly enter: () => void
}

/** Lets so many in at once; the others wait in the order in which they came, and no more than `maxWaiting` of them. */
export class Gate {
  private readonly limit: number
  private readonly maxWaiting: number
  private readonly waiting = new Set<Waiter>()
  private inside = 0

  constructor(limit: number, maxWaiting: number) {
    this.limit = limit
    this.maxWaiting = maxWaiting
  }

  /** Resolves when there is room. Each one that was let in calls `leave` once. */
  enter(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(abandoned(signal))
    if (this.inside < this.limit) {
      this.inside++
      return Promise.resolve()
    }
    if (this.waiting.size >= this.maxWaiting) {
      return Promise.reject(new AppBusyError(this.limit, this.waiting.size))
    }
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.waiting.delete(waiter)
        reject(abandoned(signal))
      }
      const waiter: Waiter = {
        enter: () => {
          signal?.removeEventListener('abort', giveUp)
          resolve()
        },
      }
      signal?.addEventListener('abort', giveUp, { once: true })
      this.waiting.add(waiter)
    })
  }

  leave(): void {
    const [next] = this.waiting
    if (next === undefined) {
      this.inside--
      return
    }
    this.waiting.delete(next)
    next.enter()
  }
}

function abandoned(signal: AbortSignal | undefined): WireError {
  return new WireError('ABORTED', 'the call was given up before its turn came', { cause: signal?.reason })
}
