import type { Clock } from '@outrigger/spec'
import { createClient } from '@outrigger/wire'
import { sleep } from './app/time.ts'

export interface WaitUntilReadyOptions {
  /** Of the HTTP API of a sidecar on this machine. */
  readonly port: number
  readonly timeoutMs: number
  readonly clock: Clock
  readonly print: (line: string) => void
}

/** What `daprd --wait` does: asks a sidecar until its components can be used. @returns whether they can, in time */
export async function waitUntilReady(options: WaitUntilReadyOptions): Promise<boolean> {
  const { port, timeoutMs, clock, print } = options
  const origin = `http://127.0.0.1:${port}`
  const end = clock.monotonic() + timeoutMs
  const client = createClient({ timeouts: { connectMs: 500, headersMs: 500 } })
  print(`waiting up to ${timeoutMs / 1000} s for the sidecar at ${origin}`)
  let problem = ''
  try {
    do {
      try {
        const { status, body } = await client.request({ origin, path: '/v1.0/healthz/outbound' })
        body.cancel()
        if (status === 204) {
          print('the sidecar is ready')
          return true
        }
        problem = `it answered ${status}`
      } catch (error) {
        problem = (error as Error).message
      }
    } while (clock.monotonic() < end && (await sleep(clock, 100)))
  } finally {
    client.close()
  }
  print(`the sidecar is not ready: ${problem}`)
  return false
}
