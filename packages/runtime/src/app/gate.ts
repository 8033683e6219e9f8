import { WireError } from '@outrigger/wire'
import { AppBusyError, type Place } from './channel.ts'

interface Waiter {
  readonly line: Line
  /** Counts for `maxWaiting`. */
  readonly counted: boolean
  readonly enter: () => void
  before: Waiter | undefined
  after: Waiter | undefined
}

/** Those of one source, in the order in which they came. Lines stand in a ring. */
interface Line {
  readonly source: string
  first: Waiter | undefined
  last: Waiter | undefined
  /** Of those that count. */
  counted: number
  before: Line
  after: Line
}

/** So many times the places that are free may be taken by one source: whoever comes next finds room as well. */
const share = 3

/**
 * Lets so many in at once. The others wait: sources take turns, and within one it goes by who came first. No more
 * than `maxWaiting` wait, and a source alone leaves a quarter of that to others. Everything takes constant time.
 */
export class Gate {
  readonly #limit: number
  readonly #maxWaiting: number
  readonly #lines = new Map<string, Line>()
  /** Whose turn it is. */
  #turn: Line | undefined
  #inside = 0
  #counted = 0

  constructor(limit: number, maxWaiting: number) {
    this.#limit = limit
    this.#maxWaiting = maxWaiting
  }

  /**
   * Resolves when there is room, with a place to be left once. Who is patient waits however many wait already, and
   * is to be bounded elsewhere. Rejects with an AppBusyError, or a WireError `ABORTED` when `signal` aborts.
   */
  enter(source: string, signal?: AbortSignal, patient = false): Promise<Place> {
    if (signal?.aborted) return Promise.reject(abandoned(signal))
    if (this.#inside < this.#limit) {
      this.#inside++
      return Promise.resolve(this.#place())
    }
    const known = this.#lines.get(source)
    if (!patient && !this.#hasRoom(known?.counted ?? 0))
      return Promise.reject(new AppBusyError(this.#limit, this.#counted, known?.counted ?? 0))
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#remove(waiter)
        reject(abandoned(signal))
      }
      const waiter: Waiter = {
        line: known ?? this.#line(source),
        counted: !patient,
        enter: () => {
          signal?.removeEventListener('abort', giveUp)
          resolve(this.#place())
        },
        before: undefined,
        after: undefined,
      }
      signal?.addEventListener('abort', giveUp, { once: true })
      this.#append(waiter)
    })
  }

  #hasRoom(ofSource: number): boolean {
    const free = this.#maxWaiting - this.#counted
    return free > 0 && ofSource < share * free
  }

  #place(): Place {
    let left = false
    return {
      leave: () => {
        if (left) return
        left = true
        this.#leave()
      },
    }
  }

  #leave(): void {
    const line = this.#turn
    if (line === undefined) {
      this.#inside--
      return
    }
    const next = line.first!
    this.#turn = line.after
    this.#remove(next)
    next.enter()
  }

  /** A source that begins to wait is the last to have its turn. */
  #line(source: string): Line {
    const line = { source, first: undefined, last: undefined, counted: 0 } as unknown as Line
    const turn = this.#turn
    if (turn === undefined) {
      line.before = line.after = line
      this.#turn = line
    } else {
      line.before = turn.before
      line.after = turn
      line.before.after = turn.before = line
    }
    this.#lines.set(source, line)
    return line
  }

  #append(waiter: Waiter): void {
    const { line } = waiter
    waiter.before = line.last
    if (line.last === undefined) line.first = waiter
    else line.last.after = waiter
    line.last = waiter
    this.#count(waiter, 1)
  }

  #remove(waiter: Waiter): void {
    const { line, before, after } = waiter
    if (before === undefined) line.first = after
    else before.after = after
    if (after === undefined) line.last = before
    else after.before = before
    this.#count(waiter, -1)
    if (line.first !== undefined) return
    this.#lines.delete(line.source)
    line.before.after = line.after
    line.after.before = line.before
    if (this.#turn === line) this.#turn = line.after === line ? undefined : line.after
  }

  #count(waiter: Waiter, by: 1 | -1): void {
    if (!waiter.counted) return
    this.#counted += by
    waiter.line.counted += by
  }
}

function abandoned(signal: AbortSignal | undefined): WireError {
  return new WireError('ABORTED', 'the call was given up before its turn came', { cause: signal?.reason })
}
