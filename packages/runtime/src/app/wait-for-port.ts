import { connect } from 'node:net'
import type { Clock, Logger } from '@outrigger/spec'
import { sleep } from './time.ts'

export interface WaitForPortOptions {
  readonly host: string
  readonly port: number
  readonly clock: Clock
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined
  readonly logger: Logger
  /** Between two attempts. Default 50. */
  readonly intervalMs?: number
  /** Between two log lines. Default 5000. */
  readonly logEveryMs?: number
}

/** Waits until something listens: `true` then, `false` when the signal aborted first. */
export async function waitForPort(options: WaitForPortOptions): Promise<boolean> {
  const { host, port, clock, signal, logger } = options
  const logEveryMs = options.logEveryMs ?? 5000
  const started = clock.monotonic()
  let nextLog = started
  for (;;) {
    if (signal?.aborted) return false
    if (await listens(host, port, signal)) return true
    const now = clock.monotonic()
    if (now >= nextLog) {
      const waitedSeconds = Math.round((now - started) / 1000)
      logger.info(`waiting for the application to listen on ${host}:${port}`, { waitedSeconds })
      nextLog = now + logEveryMs
    }
    if (!(await sleep(clock, options.intervalMs ?? 50, signal))) return false
  }
}

function listens(host: string, port: number, signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const done = (answer: boolean): void => {
      signal?.removeEventListener('abort', given)
      socket.destroy()
      resolve(answer)
    }
    const given = (): void => done(false)
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
    signal?.addEventListener('abort', given, { once: true })
  })
}
