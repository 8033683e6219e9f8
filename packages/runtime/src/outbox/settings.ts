import type { LoadedComponent } from '../components/live.ts'
import { property } from '../components/properties.ts'
import { isTruthy } from './truthy.ts'

/** What the metadata of a state store says about its outbox. */
export interface OutboxSettings {
  /** Where events about committed writes are published. */
  readonly publishPubsub: string
  readonly publishTopic: string
  /** The broker that holds the events until their transaction is known to be committed. */
  readonly pubsub: string
  /** Drop an event whose transaction cannot be found, instead of looking again later. */
  readonly discard: boolean
}

/** `undefined` unless `outboxPublishPubsub` and `outboxPublishTopic` are both there. */
export function outboxSettings({
  properties,
}: Pick<LoadedComponent, 'properties'>): OutboxSettings | undefined {
  const publishPubsub = property(properties, 'outboxPublishPubsub')
  const publishTopic = property(properties, 'outboxPublishTopic')
  if (!publishPubsub || !publishTopic) return undefined
  return {
    publishPubsub,
    publishTopic,
    pubsub: property(properties, 'outboxPubsub') || publishPubsub,
    discard: isTruthy(property(properties, 'outboxDiscardWhenMissingState')),
  }
}

/** The topic through which the instances of one application hand events to themselves, named as in Dapr. */
export function internalTopic(appId: string, namespace: string, settings: OutboxSettings): string {
  return `${namespace}${appId}${settings.publishTopic}outbox`
}
