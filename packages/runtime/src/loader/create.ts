import { type Clock, isComponentError, type LiveComponent } from '@outrigger/spec'
import { LoadProblem } from './resolve.ts'

export interface InitLimits {
  readonly clock: Clock
  readonly timeoutMs: number
  /** Aborts as well: the runtime ends while it starts. */
  readonly signal: AbortSignal | undefined
}

/**
 * Runs the start of a component within its time. The signal asks it to stop, and the race makes sure that one that
 * does not listen holds up nobody; what it returns then is closed.
 * @throws LoadProblem after the time, the signal's reason when the runtime ends, or what `start` throws
 */
export async function within<I>(
  limits: InitLimits,
  start: (signal: AbortSignal) => Promise<I>,
  closeLate: (late: I) => Promise<void>,
): Promise<I> {
  const { clock, timeoutMs, signal } = limits
  signal?.throwIfAborted()
  const controller = new AbortController()
  const stop = () => controller.abort(signal?.reason)
  signal?.addEventListener('abort', stop, { once: true })
  const timer = clock.schedule(timeoutMs, () =>
    controller.abort(
      new LoadProblem(
        `is not ready after ${timeoutMs} ms: check that its service can be reached, or raise spec.initTimeout`,
      ),
    ),
  )
  const aborted = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true })
  })
  const starting = start(controller.signal)
  try {
    return await Promise.race([starting, aborted])
  } catch (error) {
    if (!controller.signal.aborted) throw error
    starting.then(closeLate).catch(() => {})
    throw controller.signal.reason
  } finally {
    timer.cancel()
    signal?.removeEventListener('abort', stop)
  }
}

/** Whether `create` returned something that can be used. */
export function isLive(value: unknown): value is LiveComponent {
  return typeof value === 'object' && value !== null && typeof (value as LiveComponent).close === 'function'
}

/** What a failed `create` says, on one line. */
export function reasonOf(error: unknown): string {
  const line = lineOf(error)
  if (error instanceof LoadProblem) return line
  return isComponentError(error) ? `cannot be started (${error.code}): ${line}` : `cannot be started: ${line}`
}

/** The message of whatever was thrown, on one line of bearable length. */
export function lineOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replaceAll(/\s*\n\s*/g, ' ').slice(0, 1000)
}
