import type { Metadata } from '@outrigger/spec'
import { ofStatus, success } from './reply.ts'
import type { Subscriber } from './subscriber.ts'

/** A message as a function of this process gets it. */
export interface SubscribedEvent {
  readonly pubsubName: string
  readonly topic: string
  /** The whole CloudEvent as JSON. */
  readonly bytes: Uint8Array
  /** The same as objects; throws a SyntaxError where something inside is no JSON. */
  value(): Readonly<Record<string, unknown>>
  /** Of the message, from its broker. */
  readonly metadata: Metadata
  /** Aborts when the answer comes too late: the message is delivered again. */
  readonly signal: AbortSignal
}

/** What became of an event; nothing is a success, and whatever is thrown counts as RETRY. */
export type EventStatus = 'SUCCESS' | 'RETRY' | 'DROP'
export type TakeEvent = (event: SubscribedEvent) => EventStatus | void | Promise<EventStatus | void>

export function functionSubscriber(take: TakeEvent): Subscriber {
  return {
    async deliver({ plan, topic, message, event }, signal) {
      const status = await untilAborted(
        signal,
        take({
          pubsubName: plan.info.pubsubName,
          topic,
          bytes: event.bytes,
          value: () => event.value(),
          metadata: message.metadata,
          signal,
        }),
      )
      return status === undefined ? success : ofStatus(status)
    },
  }
}

/** A function that does not listen to its signal holds up nobody. */
function untilAborted<T>(signal: AbortSignal, work: T | Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new Error('the subscription ended before the event was answered'))
    if (signal.aborted) return giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    void Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', giveUp))
  })
}
