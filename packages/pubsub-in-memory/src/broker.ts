import { metadataValue, throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  type Deliver,
  type OperationOptions,
  type PubSub,
  type PubSubCapability,
  type PublishRequest,
  type SubscribeRequest,
  type Subscription,
} from '@outrigger/spec'
import { GroupQueue, type QueueLimits, type Surroundings } from './queue.ts'
import { Consumer } from './consumer.ts'

export interface BrokerOptions extends QueueLimits {
  /** The group of subscriptions that name none. */
  readonly group: string
  readonly maxInFlight: number
}

const capabilities: ReadonlySet<PubSubCapability> = new Set(['wildcards', 'pause'])

/**
 * Topics, and for each a queue per group that has subscribed to it. A subscription makes the queue; what is published
 * before is not kept. The queue stays when the group's last subscription leaves, so that nothing is lost while an
 * application is away; when it is full by then, it is given up.
 */
export class MemoryBroker implements PubSub {
  readonly capabilities = capabilities
  readonly #options: BrokerOptions
  readonly #surroundings: Surroundings
  readonly #exact = new Map<string, Map<string, GroupQueue>>()
  /** By prefix: the topic of the subscription without its star. */
  readonly #wild = new Map<string, Map<string, GroupQueue>>()
  #closed = false

  constructor(options: BrokerOptions, surroundings: Surroundings) {
    this.#options = options
    this.#surroundings = surroundings
  }

  // Async without await, so that what is thrown becomes a rejection.
  async publish(request: PublishRequest, options: OperationOptions): Promise<void> {
    this.#check(options)
    if (request.topic === '') throw new ComponentError('INVALID_ARGUMENT', 'the topic is empty')
    const queues = this.#queuesOf(request.topic)
    // All groups or none: a publisher that is refused tries again, and nobody shall have it twice.
    const bytes = request.data.length
    for (const queue of queues) queue.checkRoom(bytes)
    for (const queue of queues) queue.add(request)
  }

  async subscribe(
    request: SubscribeRequest,
    deliver: Deliver,
    options: OperationOptions,
  ): Promise<Subscription> {
    this.#check(options)
    const { topic, maxInFlight = this.#options.maxInFlight } = request
    if (topic === '') throw new ComponentError('INVALID_ARGUMENT', 'the topic is empty')
    if (!Number.isSafeInteger(maxInFlight) || maxInFlight < 1) {
      throw new ComponentError(
        'INVALID_ARGUMENT',
        `maxInFlight must be a whole number above 0, got ${maxInFlight}`,
      )
    }
    const wanted = metadataValue(request.metadata, 'consumerID')
    const group = wanted === undefined || wanted === '' ? this.#options.group : wanted
    return new Consumer(this.#queue(topic, group), deliver, maxInFlight)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const groups = [...this.#exact.values(), ...this.#wild.values()]
    this.#exact.clear()
    this.#wild.clear()
    await Promise.all(groups.flatMap((queues) => Array.from(queues.values(), (queue) => queue.close())))
  }

  #check(options: OperationOptions): void {
    throwIfAborted(options.signal)
    if (this.#closed) throw new ComponentError('CLOSED', 'the in-memory broker is closed')
  }

  #queuesOf(topic: string): GroupQueue[] {
    const queues = Array.from(this.#exact.get(topic)?.values() ?? [])
    for (const [prefix, groups] of this.#wild) {
      if (topic.length > prefix.length && topic.startsWith(prefix)) queues.push(...groups.values())
    }
    return queues
  }

  #queue(topic: string, group: string): GroupQueue {
    const wild = topic.endsWith('*')
    const table = wild ? this.#wild : this.#exact
    const name = wild ? topic.slice(0, -1) : topic
    let groups = table.get(name)
    if (groups === undefined) table.set(name, (groups = new Map()))
    let queue = groups.get(group)
    if (queue === undefined) {
      const forget = (): void => {
        groups.delete(group)
        if (groups.size === 0) table.delete(name)
      }
      queue = new GroupQueue(topic, group, this.#options, this.#surroundings, forget)
      groups.set(group, queue)
    }
    return queue
  }
}
