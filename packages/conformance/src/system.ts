import type { Clock, Logger, Random } from '@outrigger/spec'

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}

/** The machine's own chance. */
export const systemRandom: Random = {
  next: () => Math.random(),
  uuid: () => crypto.randomUUID(),
}

const nothing = (): void => {}

/** A log that nobody reads. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }
