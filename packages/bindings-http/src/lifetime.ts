import { ComponentError, type Clock } from '@outrigger/spec'

/** How long one request may go on. */
export interface Lifetime {
  readonly signal: AbortSignal
  /** The error that the end of the lifetime means; `undefined` while it lasts. */
  reason(): ComponentError | undefined
  /** Lets go of the timer and the caller's signal. */
  end(): void
}

export interface LifetimeOptions {
  readonly clock: Clock
  readonly timeoutMs: number | undefined
  readonly signal: AbortSignal | undefined
}

/** Begins a lifetime that ends with the caller's signal, after a time, or when `cut` is called. */
export function beginLifetime({ clock, timeoutMs, signal }: LifetimeOptions): Lifetime & { cut(): void } {
  const controller = new AbortController()
  let reason: ComponentError | undefined
  function stop(error: ComponentError): void {
    reason ??= error
    controller.abort(error)
  }
  const cancel = (): void => {
    stop(new ComponentError('CANCELLED', 'the operation was cancelled', { cause: signal?.reason }))
  }
  if (signal?.aborted === true) cancel()
  signal?.addEventListener('abort', cancel, { once: true })
  const timer =
    timeoutMs === undefined
      ? undefined
      : clock.schedule(timeoutMs, () => {
          stop(
            new ComponentError(
              'DEADLINE_EXCEEDED',
              `there was no whole answer within responseTimeout (${timeoutMs}ms)`,
            ),
          )
        })
  return {
    signal: controller.signal,
    reason: () => reason,
    cut: () => stop(new ComponentError('CLOSED', 'the binding was closed')),
    end() {
      timer?.cancel()
      signal?.removeEventListener('abort', cancel)
    },
  }
}
