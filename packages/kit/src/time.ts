import { ComponentError, type Clock, type Random } from '@outrigger/spec'

/** Throws `CANCELLED` if the signal was aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new ComponentError('CANCELLED', 'the operation was cancelled', { cause: signal.reason })
  }
}

/** Resolves after `ms`, or rejects with `CANCELLED` when the signal aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancelled = (): void => {
      timer?.cancel()
      reject(new ComponentError('CANCELLED', 'the operation was cancelled', { cause: signal?.reason }))
    }
    if (signal?.aborted === true) {
      reject(new ComponentError('CANCELLED', 'the operation was cancelled', { cause: signal.reason }))
      return
    }
    const timer = clock.schedule(ms, () => {
      signal?.removeEventListener('abort', cancelled)
      resolve()
    })
    signal?.addEventListener('abort', cancelled, { once: true })
  })
}

/** Waits for `promise`, or rejects with `CANCELLED` when the signal aborts first. What the promise does goes on. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const cancelled = (): void => {
      reject(new ComponentError('CANCELLED', 'the operation was cancelled', { cause: signal.reason }))
    }
    if (signal.aborted) cancelled()
    else signal.addEventListener('abort', cancelled, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancelled))
  })
}

export interface BackoffOptions {
  readonly initialMs: number
  readonly maxMs: number
  /** Factor from one delay to the next; 2 without it. */
  readonly factor?: number
  /** Share of the delay that is left to chance, 0 to 1; 0.5 without it. */
  readonly jitter?: number
}

/** The delay before attempt number `attempt` (1 is the first repetition), in milliseconds. */
export function backoffDelayMs(attempt: number, options: BackoffOptions, random: Random): number {
  const whole = Math.min(options.maxMs, options.initialMs * (options.factor ?? 2) ** (attempt - 1))
  return whole * (1 - (options.jitter ?? 0.5) * random.next())
}
