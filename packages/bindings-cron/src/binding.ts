import { throwIfAborted } from '@outrigger/kit'
import { ComponentError, type Binding, type BindingReader, type ComponentContext } from '@outrigger/spec'
import { goTime } from './go-time.ts'
import type { CronMetadata } from './metadata.ts'
import { startReader } from './reader.ts'
import { nextOf, parseSchedule, ScheduleError, type Schedule } from './schedule.ts'

/** Creates the binding; a schedule that can never be due is refused here. */
export async function createBinding(context: ComponentContext<CronMetadata>): Promise<Binding> {
  const { clock, logger, metadata } = context
  const schedule = readSchedule(metadata.schedule)
  const next = nextOf(schedule, Intl.DateTimeFormat().resolvedOptions().timeZone)
  if (next(clock.now()) === undefined) throw invalid(metadata.schedule, 'is never due')
  const timeZone = (schedule.kind === 'calendar' ? schedule.zone : undefined) ?? 'Local'
  let reader: BindingReader | undefined
  let closed = false

  return {
    capabilities: new Set(['input'] as const),
    async read(deliver, options) {
      if (closed) throw new ComponentError('CLOSED', 'the binding was closed')
      if (reader !== undefined)
        throw new ComponentError('FAILED_PRECONDITION', 'the binding is being read already')
      throwIfAborted(options.signal)
      reader = startReader({
        clock,
        logger,
        // An interval takes no notice of a wall clock that is set.
        now: schedule.kind === 'interval' ? () => clock.monotonic() : () => clock.now(),
        next,
        eventMetadata: () => ({ readTimeUTC: goTime(clock.now()), timeZone }),
        maxConcurrency: metadata.maxConcurrency,
        deliver,
      })
      return reader
    },
    async close() {
      closed = true
      await reader?.close()
    },
  }
}

function readSchedule(text: string): Schedule {
  try {
    return parseSchedule(text)
  } catch (error) {
    if (error instanceof ScheduleError) throw invalid(text, error.message)
    throw error
  }
}

function invalid(text: string, problem: string): ComponentError {
  return new ComponentError('INVALID_METADATA', `schedule ${JSON.stringify(text)}: ${problem}`)
}
