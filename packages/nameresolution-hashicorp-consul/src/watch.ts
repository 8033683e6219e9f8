import { backoffDelayMs, sleep } from '@outrigger/kit'
import type { Clock, Logger, Random, Instance, InstanceWatch } from '@outrigger/spec'

/** The shortest time between two questions: an application that changes all the time must not keep the agent busy. */
const shortestMs = 100

/** What a question gives: the instances, and the state that they are of. */
export interface Seen {
  readonly instances: readonly Instance[]
  readonly index: number
}

interface Watching {
  /** With an index it is answered when the state is another one, or after a while. */
  readonly ask: (index: number | undefined, signal: AbortSignal) => Promise<Seen>
  readonly onChange: (instances: readonly Instance[]) => void
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Asks again and again with questions that wait for a change. What was seen last holds while the agent is away. */
export async function startWatch(
  watching: Watching,
  signal: AbortSignal | undefined,
): Promise<InstanceWatch> {
  const over = new AbortController()
  const first = await watching.ask(undefined, signal ?? over.signal)
  watching.onChange(first.instances)
  const running = watch(watching, first, over.signal)
  const close = (): Promise<void> => {
    over.abort()
    return Promise.resolve()
  }
  return { close, ended: running.then(() => undefined) }
}

async function watch(watching: Watching, first: Seen, signal: AbortSignal): Promise<void> {
  const { clock, random, logger } = watching
  let told = JSON.stringify(first.instances)
  let index: number | undefined = first.index
  let failures = 0
  while (!signal.aborted) {
    const start = clock.monotonic()
    let pauseMs: number
    try {
      const seen = await watching.ask(index, signal)
      if (signal.aborted) return
      // Going backwards means that the server was restored; then it begins anew, as Consul asks for.
      index = seen.index > 0 && seen.index >= (index ?? 0) ? seen.index : undefined
      if (failures > 0) logger.info('Consul answers again')
      failures = 0
      const text = JSON.stringify(seen.instances)
      if (text !== told) watching.onChange(seen.instances)
      told = text
      pauseMs = start + shortestMs - clock.monotonic()
    } catch (error) {
      if (signal.aborted) return
      if (failures === 0) {
        logger.warn('instances could not be asked for; those that were seen last are used', { error })
      }
      failures++
      index = undefined
      pauseMs = backoffDelayMs(failures, { initialMs: 250, maxMs: 5000 }, random)
    }
    if (pauseMs > 0) await sleep(clock, pauseMs, signal).catch(() => undefined)
  }
}
