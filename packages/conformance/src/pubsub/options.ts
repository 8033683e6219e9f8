import type {
  Deliver,
  IncomingMessage,
  PubSub,
  PubSubCapability,
  PublishRequest,
  Settlement,
  SubscribeRequest,
  Subscription,
} from '@outrigger/spec'
import { utf8 } from '@outrigger/kit'
import { plain } from '../checks.ts'
import type { Fixture, SuiteOptions } from '../fixture.ts'
import type { Case } from '../suite.ts'

/** What the pub/sub suite can be told. */
export interface PubSubSuiteOptions extends SuiteOptions {
  /** How long the broker may take to hand a message out again; `deadlineMs` without it. */
  readonly redeliveryDeadlineMs?: number | undefined
  /** A group that was there once is given what was published while all of its instances were away. */
  readonly durable?: boolean | undefined
  /** The broker lives within one instance: applications are told apart by `consumerID` in the metadata of subscriptions. */
  readonly withinInstance?: boolean | undefined
  /** Ends an instance as the death of its process would: without a word to the broker. */
  readonly kill?: ((instance: PubSub) => void | Promise<void>) | undefined
  /** How long the broker leaves a message with a consumer that does not extend its lease, with the properties given. */
  readonly leaseMs?: number | undefined
  /** What arrives besides the bytes; both without it. */
  readonly keeps?: readonly ('contentType' | 'metadata')[] | undefined
  /** Ends of topic names that must work and be kept apart. */
  readonly topicEndings?: readonly string[] | undefined
  /** How a wildcard is written; a `*` at the end without it. */
  readonly wildcard?:
    | {
        readonly pattern: (prefix: string) => string
        readonly matching: (prefix: string) => string
        readonly other: (prefix: string) => string
      }
    | undefined
  /** Metadata of published messages that gives them one partition key; `partitionKey` without it. */
  readonly partitionMetadata?: ((key: string) => Readonly<Record<string, string>>) | undefined
}

export type PubSubFixture = Fixture<PubSubCapability, PubSub, PubSubSuiteOptions>
export type PubSubCase = Case<PubSubCapability, PubSub, PubSubSuiteOptions>

/** One instance of an application. */
export interface Member {
  readonly pubsub: PubSub
  subscribe(
    topic: string,
    deliver: Deliver,
    extra?: Partial<Omit<SubscribeRequest, 'topic'>>,
  ): Promise<Subscription>
  /** Metadata of a subscription of this application. */
  readonly metadata: Readonly<Record<string, string>>
  /** Goes away without waiting for deliveries. */
  leave(): Promise<void>
}

/** Adds an instance of an application. */
export async function join(fixture: PubSubFixture, appId: string): Promise<Member> {
  const within = fixture.options.withinInstance === true
  const pubsub = within ? fixture.instance : await fixture.create({ appId })
  const metadata: Readonly<Record<string, string>> = within ? { consumerID: appId } : {}
  const subscriptions: Subscription[] = []
  return {
    pubsub,
    metadata,
    async subscribe(topic, deliver, extra = {}) {
      const subscription = await pubsub.subscribe(
        { topic, ...extra, metadata: { ...metadata, ...extra.metadata } },
        deliver,
        plain,
      )
      subscriptions.push(subscription)
      return subscription
    },
    async leave() {
      if (!within) return pubsub.close()
      await Promise.all(subscriptions.map((subscription) => subscription.close(AbortSignal.abort())))
    },
  }
}

/** What an application received, in order, and how it answers. */
export class Inbox {
  readonly messages: IncomingMessage[] = []
  /** Deliveries that are under way now, and the most there ever were at a time. */
  pending = 0
  most = 0
  /** Decides about each message; acks without it. */
  answer: (message: IncomingMessage) => Settlement | Promise<Settlement> = () => 'ack'

  readonly deliver: Deliver = async (message) => {
    this.messages.push(message)
    this.most = Math.max(this.most, ++this.pending)
    try {
      return await this.answer(message)
    } finally {
      this.pending--
    }
  }

  get texts(): readonly string[] {
    return this.messages.map(({ data }) => Buffer.from(data).toString('utf8'))
  }

  count(text: string): number {
    return this.texts.filter((each) => each === text).length
  }
}

/** A door that deliveries wait at until it is opened. */
export class Gate {
  #open: (() => void) | undefined
  readonly opened: Promise<void> = new Promise((resolve) => {
    this.#open = resolve
  })

  open(): void {
    this.#open?.()
  }
}

export function publishOf(topic: string, text: string, extra: Partial<PublishRequest> = {}): PublishRequest {
  return { topic, data: utf8(text), contentType: 'text/plain', metadata: {}, ...extra }
}

export function publish(pubsub: PubSub, topic: string, ...texts: readonly string[]): Promise<unknown> {
  return Promise.all(texts.map((text) => pubsub.publish(publishOf(topic, text), plain)))
}

export function redeliveryMs({ options, deadlineMs }: PubSubFixture): number {
  return options.redeliveryDeadlineMs ?? deadlineMs
}

/** How long to look for what must not come. */
export const quietMs = 250
