import type { Binding, BindingEvent, BindingReply, OperationOptions } from '@outrigger/spec'
import type { Place, TakePlace } from '../app/channel.ts'
import type { Live } from '../components/live.ts'
import type { Verdict } from '../resiliency/policy.ts'
import { metadataValue } from '../pubsub/metadata.ts'

/** How events get to the application, in the protocol that it speaks. */
export interface EventDoor {
  /** Waits until a call may be made; absent where there is no limit. */
  readonly place?: TakePlace | undefined
  /** What the application is asked by, for messages: `OPTIONS /tick`. */
  question(live: Live<Binding>): string
  /** Whether the application takes the events of a binding. Rejects when it does not answer. */
  wants(live: Live<Binding>, signal: AbortSignal): Promise<boolean>
  /** Resolves when the application has taken the event; rejects with the reason when it has not. */
  deliver(live: Live<Binding>, event: BindingEvent, options: DeliveryOptions): Promise<EventAnswer>
  /** By which status `deliver` rejected. */
  judge(error: unknown): Verdict
}

export type DeliveryOptions = OperationOptions & {
  readonly signal: AbortSignal
  /** Of this call at the application, where there is a limit. */
  readonly place?: Place | undefined
}

/** What an application answered that has taken an event. */
export interface EventAnswer {
  /** Over HTTP. */
  readonly status?: number
  readonly reply: BindingReply
  /** Does what the application asks for by its answer. Never rejects. */
  readonly respond: ((options: OperationOptions) => Promise<void>) | undefined
}

/** The application gave a status that is no success. */
export class RefusedEvent extends Error {
  readonly status: number

  constructor(status: number, name: string) {
    super(`the application answered ${status} to binding ${name}`)
    this.name = 'RefusedEvent'
    this.status = status
  }
}

/** Where an application that speaks HTTP takes the events of a binding. */
export function routeOf({ name, properties }: Live<Binding>): string {
  return `/${(metadataValue(properties, 'route') ?? name).trim().replace(/^\/+/, '')}`
}
