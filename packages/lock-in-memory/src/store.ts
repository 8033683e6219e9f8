import { throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  type Clock,
  type LockCapability,
  type LockStore,
  type OperationOptions,
  type Timer,
  type TryLockRequest,
  type UnlockRequest,
  type UnlockStatus,
} from '@outrigger/spec'

interface Held {
  readonly owner: string
  /** By the clock's monotonic time: a lock lasts as long whatever happens to the date. */
  readonly untilMs: number
}

const capabilities: ReadonlySet<LockCapability> = new Set()
const sweepEveryMs = 10_000
const mostLocks = 100_000

/** Locks in a Map. */
export class MemoryLockStore implements LockStore {
  readonly capabilities = capabilities
  readonly #clock: Clock
  readonly #locks = new Map<string, Held>()
  #sweep: Timer | undefined
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many locks are kept, with those that have expired and were not swept yet. */
  get size(): number {
    return this.#locks.size
  }

  // Async without await, so that what is thrown becomes a rejection.
  async tryLock(request: TryLockRequest, options: OperationOptions): Promise<boolean> {
    this.#check(options)
    const { resourceId, owner, expirySeconds } = request
    if (this.#find(resourceId) !== undefined) return false
    if (this.#locks.size >= mostLocks) this.#drop()
    if (this.#locks.size >= mostLocks) {
      throw new ComponentError('RESOURCE_EXHAUSTED', `${mostLocks} locks are held, which is the most`)
    }
    this.#locks.set(resourceId, { owner, untilMs: this.#clock.monotonic() + expirySeconds * 1000 })
    this.#sweep ??= this.#clock.schedule(sweepEveryMs, this.#sweepNow)
    return true
  }

  async unlock({ resourceId, owner }: UnlockRequest, options: OperationOptions): Promise<UnlockStatus> {
    this.#check(options)
    const held = this.#find(resourceId)
    if (held === undefined) return 'lock-does-not-exist'
    if (held.owner !== owner) return 'lock-belongs-to-others'
    this.#locks.delete(resourceId)
    return 'success'
  }

  async ping(options: OperationOptions): Promise<void> {
    this.#check(options)
  }

  close(): Promise<void> {
    this.#closed = true
    this.#sweep?.cancel()
    this.#sweep = undefined
    this.#locks.clear()
    return Promise.resolve()
  }

  #find(resourceId: string): Held | undefined {
    const held = this.#locks.get(resourceId)
    return held !== undefined && held.untilMs > this.#clock.monotonic() ? held : undefined
  }

  #drop(): void {
    const now = this.#clock.monotonic()
    for (const [resourceId, { untilMs }] of this.#locks) if (untilMs <= now) this.#locks.delete(resourceId)
  }

  /** Gives back the memory of locks that nobody asks for again. */
  readonly #sweepNow = (): void => {
    this.#drop()
    this.#sweep = this.#locks.size > 0 ? this.#clock.schedule(sweepEveryMs, this.#sweepNow) : undefined
  }

  #check(options: OperationOptions): void {
    throwIfAborted(options.signal)
    if (this.#closed) throw new ComponentError('CLOSED', 'the in-memory lock store is closed')
  }
}
