import type { BindingReader, Clock, DeliverEvent, Logger, Metadata, Timer } from '@outrigger/spec'
import type { Next } from './schedule.ts'

export interface ReaderOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** The time that the schedule goes by, in milliseconds. */
  readonly now: () => number
  readonly next: Next
  /** Metadata of an event that happens now. */
  readonly eventMetadata: () => Metadata
  readonly maxConcurrency: number
  readonly deliver: DeliverEvent
}

/** A timer is never set for longer, so that a clock that was put forward, or a machine that slept, is noticed. */
const longestWaitMs = 60_000

/** Delivers an event each time that the schedule is due, until it is closed. What fell due while nobody looked is one event. */
export function startReader(options: ReaderOptions): BindingReader {
  const { clock, logger, now, next, maxConcurrency, deliver } = options
  const aborted = new AbortController()
  const underWay = new Set<Promise<void>>()
  const { promise: ended, resolve: end } = Promise.withResolvers<Error | undefined>()
  let timer: Timer | undefined
  let due = next(now())
  let behind = false
  let closed = false

  function wait(): void {
    if (closed) return
    if (due === undefined) {
      logger.warn('the schedule will never be due again')
      return
    }
    timer = clock.schedule(Math.max(0, Math.min(longestWaitMs, due - now())), wake)
  }

  function wake(): void {
    const time = now()
    if (due !== undefined && time >= due) {
      fire()
      due = advance(due, time)
    }
    wait()
  }

  /** Counts from when it was due, so that an interval does not drift; what lies in the past by now is left out. */
  function advance(from: number, time: number): number | undefined {
    const following = next(from)
    return following === undefined || following > time ? following : next(time)
  }

  function fire(): void {
    if (underWay.size >= maxConcurrency) {
      if (!behind)
        logger.warn('the application is still busy with former runs; runs are left out', { maxConcurrency })
      behind = true
      return
    }
    const event = { data: new Uint8Array(), metadata: options.eventMetadata() }
    const delivery = deliver(event, { signal: aborted.signal }).then((reply) => {
      behind = false
      underWay.delete(delivery)
      // There is nothing to deliver again: the next run comes by itself.
      if (reply.settlement === 'nack')
        logger.debug('the application failed a run', { error: reply.error?.message })
    })
    underWay.add(delivery)
  }

  async function close(signal?: AbortSignal): Promise<void> {
    closed = true
    timer?.cancel()
    const { promise: cut, resolve } = Promise.withResolvers<void>()
    const abort = (): void => {
      aborted.abort(signal?.reason)
      underWay.clear()
      resolve()
    }
    if (signal?.aborted === true) abort()
    signal?.addEventListener('abort', abort, { once: true })
    await Promise.race([Promise.all(underWay), cut])
    signal?.removeEventListener('abort', abort)
    end(undefined)
  }

  wait()
  return { close, ended }
}
