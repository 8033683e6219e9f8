import type { Binding, BindingEvent, BindingReply, OperationOptions } from '@outrigger/spec'
import type { Live } from '../components/live.ts'
import { metadataValue } from '../pubsub/metadata.ts'

/** How events get to the application, in the protocol that it speaks. */
export interface EventDoor {
  /** What the application is asked by, for messages: `OPTIONS /tick`. */
  question(live: Live<Binding>): string
  /** Whether the application takes the events of a binding. Rejects when it does not answer. */
  wants(live: Live<Binding>, signal: AbortSignal): Promise<boolean>
  /** Resolves when the application has taken the event; rejects with the reason when it has not. */
  deliver(
    live: Live<Binding>,
    event: BindingEvent,
    options: OperationOptions & { readonly signal: AbortSignal },
  ): Promise<BindingReply>
}

/** Where an application that speaks HTTP takes the events of a binding. */
export function routeOf({ name, properties }: Live<Binding>): string {
  return `/${(metadataValue(properties, 'route') ?? name).trim().replace(/^\/+/, '')}`
}
