import type { Binding, BindingEvent } from '@outrigger/spec'
import type { HeldPlace } from '../app/held-place.ts'
import type { Live } from '../components/live.ts'
import { whole, type Policy } from '../resiliency/policy.ts'
import type { DeliveryOptions, EventAnswer, EventDoor } from './events.ts'

/** Taken, but with a status that a policy repeats. */
class NotOk extends Error {
  readonly answer: EventAnswer

  constructor(answer: EventAnswer) {
    super(`the application answered ${answer.status}`)
    this.answer = answer
  }
}

/**
 * Delivers an event as often as the policy says, and not again once `halt` has aborted. As in Dapr, only 200 ends the
 * tries; what is left in the end counts as taken with any 2xx.
 */
export async function deliverByPolicy(
  policy: Policy,
  door: EventDoor,
  live: Live<Binding>,
  event: BindingEvent,
  options: DeliveryOptions,
  halt: AbortSignal,
  held: HeldPlace | undefined,
): Promise<EventAnswer> {
  try {
    return await policy.run(
      async (signal = options.signal) => {
        const answer = await door.deliver(live, event, { ...options, signal, place: held?.current })
        if (answer.status !== undefined && answer.status !== 200) throw new NotOk(answer)
        return answer
      },
      {
        signal: options.signal,
        until: halt,
        ready: held?.next,
        outcome: whole,
        judge: (error) => (error instanceof NotOk ? { http: error.answer.status } : door.judge(error)),
      },
    )
  } catch (error) {
    if (error instanceof NotOk) return error.answer
    throw error
  }
}
