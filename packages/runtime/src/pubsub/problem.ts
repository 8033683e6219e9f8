/**
 * Why a publish request was not served.
 * - `not-found` no broker of this name
 * - `topic-empty` the request names no topic
 * - `forbidden` the scopes of the component do not let this application publish to the topic
 * - `bad-metadata` a value of the metadata makes no sense
 * - `cloud-event` the data is announced as a CloudEvent and is none
 * - `not-subscribed` the component refused the subscription, see the message
 * - `too-many` as many streams are open as there may be
 * - `publish-failed` the component failed, see `cause`
 */
export type PubSubProblemKind =
  | 'not-found'
  | 'topic-empty'
  | 'forbidden'
  | 'bad-metadata'
  | 'cloud-event'
  | 'not-subscribed'
  | 'too-many'
  | 'publish-failed'

export class PubSubProblem extends Error {
  readonly kind: PubSubProblemKind
  readonly pubsubName: string
  readonly topic: string

  constructor(kind: PubSubProblemKind, pubsubName: string, topic: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'PubSubProblem'
    this.kind = kind
    this.pubsubName = pubsubName
    this.topic = topic
  }
}
