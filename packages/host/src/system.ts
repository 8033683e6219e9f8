import type { Clock, Random } from '@outrigger/spec'

/** Longest delay that a timer of the platform can hold. */
const longestDelay = 2 ** 31 - 1

/** The machine's own time. Timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic() {
    // The first use of `performance` would load half a MiB of Node.js, which an idle sidecar can do without.
    const [seconds, nanoseconds] = process.hrtime()
    return seconds * 1000 + nanoseconds / 1_000_000
  },
  schedule(delayMs, callback) {
    let timer: NodeJS.Timeout
    // A longer delay would fire at once: it is waited for in pieces.
    const wait = (left: number): void => {
      const step = Math.min(left, longestDelay)
      timer = setTimeout(() => (left > step ? wait(left - step) : callback()), step).unref()
    }
    wait(Math.max(0, delayMs))
    return { cancel: () => clearTimeout(timer) }
  },
}

/** The machine's own chance. */
export const systemRandom: Random = {
  next: () => Math.random(),
  uuid: () => crypto.randomUUID(),
}

/** Keeps the process alive, as timers do not, until what it returns is called. For executables only. */
export function keepAlive(): () => void {
  const timer = setInterval(() => {}, longestDelay)
  return () => clearInterval(timer)
}
