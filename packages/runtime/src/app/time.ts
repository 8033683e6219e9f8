import type { Clock, Random } from '@outrigger/spec'

/** Resolves after `ms`, or at once when `signal` aborts; `true` when the time ran out. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted) return Promise.resolve(false)
  return new Promise((resolve) => {
    const aborted = (): void => {
      timer.cancel()
      resolve(false)
    }
    const timer = clock.schedule(ms, () => {
      signal?.removeEventListener('abort', aborted)
      resolve(true)
    })
    signal?.addEventListener('abort', aborted, { once: true })
  })
}

/**
 * Runs `work` with a signal that aborts with `parent`, but only until `work` has settled: what it made lives on.
 */
export async function whilePending<T>(
  parent: AbortSignal | undefined,
  work: (signal: AbortSignal, controller: AbortController) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const abort = (): void => controller.abort(parent?.reason)
  if (parent?.aborted) abort()
  else parent?.addEventListener('abort', abort, { once: true })
  try {
    return await work(controller.signal, controller)
  } finally {
    parent?.removeEventListener('abort', abort)
  }
}

/** Runs `work` with a signal that aborts with `parent` and when `ms` have passed. */
export function withDeadline<T>(
  clock: Clock,
  ms: number,
  parent: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return whilePending(parent, async (signal, controller) => {
    const timer = clock.schedule(ms, () => controller.abort(new Error(`no answer within ${ms} ms`)))
    try {
      return await work(signal)
    } finally {
      timer.cancel()
    }
  })
}

export interface BackoffRules {
  readonly initialMs: number
  readonly maxMs: number
  readonly factor: number
}

/** Waits that grow by a factor up to a maximum, each drawn from 50 % to 150 % so that many do not come back at once. */
export class Backoff {
  private readonly rules: BackoffRules
  private readonly random: Random
  private currentMs: number

  constructor(rules: BackoffRules, random: Random) {
    this.rules = rules
    this.random = random
    this.currentMs = rules.initialMs
  }

  nextMs(): number {
    const base = this.currentMs
    this.currentMs = Math.min(base * this.rules.factor, this.rules.maxMs)
    return Math.min(Math.round(base * (0.5 + this.random.next())), this.rules.maxMs)
  }

  reset(): void {
    this.currentMs = this.rules.initialMs
  }
}
