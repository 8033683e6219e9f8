import { ComponentError, definePubSub } from '@outrigger/spec'
import type {
  BulkPublishRequest,
  Deliver,
  IncomingMessage,
  PublishRequest,
  PubSub,
  PubSubCapability,
  Settlement,
  SubscribeRequest,
  Subscription,
} from '@outrigger/spec'
import type { Live } from '../../src/components/live.ts'

export interface Subscribed {
  readonly request: SubscribeRequest
  readonly deliver: Deliver
  /** Ends the subscription from the broker's side. */
  end(error: Error): void
  closed: boolean
  /** Deliveries that were not settled. */
  pending: number
}

/** A broker in memory that keeps what was published and delivers what a test says. */
export class FakeBroker implements PubSub {
  readonly capabilities: ReadonlySet<PubSubCapability>
  readonly published: PublishRequest[] = []
  readonly subscribed: Subscribed[] = []
  attempts = 0
  /** Subscribe fails so many times. */
  failSubscribe = 0
  failPublish: ((request: PublishRequest) => Error | undefined) | undefined

  constructor(capabilities: readonly PubSubCapability[] = []) {
    this.capabilities = new Set(capabilities)
  }

  async publish(request: PublishRequest): Promise<void> {
    const error = this.failPublish?.(request)
    if (error !== undefined) throw error
    this.published.push(request)
  }

  async subscribe(request: SubscribeRequest, deliver: Deliver): Promise<Subscription> {
    this.attempts++
    if (this.failSubscribe-- > 0) throw new ComponentError('UNAVAILABLE', 'the broker is away')
    const { promise, resolve } = Promise.withResolvers<Error | undefined>()
    const entry: Subscribed = {
      request,
      closed: false,
      pending: 0,
      end: resolve,
      deliver: async (message) => {
        entry.pending++
        try {
          return await deliver(message)
        } finally {
          entry.pending--
        }
      },
    }
    this.subscribed.push(entry)
    return {
      ended: promise,
      async close(signal) {
        entry.closed = true
        while (entry.pending > 0 && signal?.aborted !== true) await new Promise(setImmediate)
        resolve(undefined)
      },
    }
  }

  async close(): Promise<void> {}

  /** Hands a message to the open subscription of a topic. */
  deliver(topic: string, data: string, more: Partial<IncomingMessage> = {}): Promise<Settlement> {
    const entry = this.subscribed.find((one) => one.request.topic === topic && !one.closed)
    if (entry === undefined) throw new Error(`nobody has subscribed to ${topic}`)
    return entry.deliver({ topic, data: Buffer.from(data), metadata: {}, ...more })
  }
}

/** A broker that takes many messages at once; those whose data says `bad` fail. */
export class BulkBroker extends FakeBroker {
  readonly bulks: BulkPublishRequest[] = []

  constructor() {
    super(['bulkPublish'])
  }

  async bulkPublish(request: BulkPublishRequest) {
    this.bulks.push(request)
    return request.entries
      .filter(({ data }) => Buffer.from(data).toString().includes('bad'))
      .map(({ entryId }) => ({ entryId, error: new ComponentError('INVALID_ARGUMENT', 'bad') }))
  }
}

export function livePubSub(
  name: string,
  instance: PubSub,
  properties: Readonly<Record<string, string>> = {},
): Live<PubSub> {
  return {
    name,
    kind: 'pubsub',
    version: 'v1',
    definition: definePubSub({ type: 'pubsub.fake', title: 'Fake', versions: {} }),
    properties,
    instance,
    resource: {
      kind: 'Component',
      name,
      namespace: undefined,
      type: 'pubsub.fake',
      version: 'v1',
      ignoreErrors: false,
      initTimeoutMs: 5000,
      metadata: Object.entries(properties).map(([key, value]) => ({ name: key, value, line: 1 })),
      secretStore: undefined,
      scopes: [],
      source: { file: 'pubsub.yaml', line: 1 },
    },
  }
}
