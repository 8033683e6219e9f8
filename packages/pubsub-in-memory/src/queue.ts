import {
  ComponentError,
  type Clock,
  type IncomingMessage,
  type Logger,
  type PublishRequest,
  type Random,
} from '@outrigger/spec'
import type { Consumer } from './consumer.ts'

export interface QueueLimits {
  readonly queueLimit: number
  readonly queueLimitBytes: number
}

export interface Surroundings {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** A message on its way to one group. */
export interface Letter {
  readonly request: PublishRequest
  /** Place in the queue, so that what comes back goes where it was. */
  readonly place: number
  /** How often it was handed out. */
  deliveries: number
}

/** What waits for one group on one topic, and those who take it. */
export class GroupQueue {
  readonly surroundings: Surroundings
  readonly #topic: string
  readonly #group: string
  readonly #limits: QueueLimits
  readonly #forget: () => void
  #waiting: Letter[] = []
  /** Index of the first that waits: taking one moves this instead of everything behind it. */
  #head = 0
  /** Everything that is not acked counts, waiting or handed out. */
  #count = 0
  #bytes = 0
  #places = 0
  readonly #consumers: Consumer[] = []
  #turn = 0
  #serving = false

  constructor(
    topic: string,
    group: string,
    limits: QueueLimits,
    surroundings: Surroundings,
    forget: () => void,
  ) {
    this.#topic = topic
    this.#group = group
    this.#limits = limits
    this.surroundings = surroundings
    this.#forget = forget
  }

  /** Throws `RESOURCE_EXHAUSTED` when there is no room for a message of this size. */
  checkRoom(bytes: number): void {
    const { queueLimit, queueLimitBytes } = this.#limits
    if (this.#count < queueLimit && (this.#bytes + bytes <= queueLimitBytes || this.#count === 0)) return
    const where = `group ${this.#group} on topic ${this.#topic}`
    if (this.#consumers.length === 0) {
      // Nobody may ever come back for these, and publishers cannot do anything about it.
      this.surroundings.logger.warn(`giving up the queue of ${where}: it is full and nobody reads it`, {
        messages: this.#count,
      })
      void this.close()
      return
    }
    const [limit, field] =
      this.#count >= queueLimit
        ? [`${queueLimit} messages`, 'queueLimit']
        : [`${queueLimitBytes} bytes`, 'queueLimitBytes']
    throw new ComponentError(
      'RESOURCE_EXHAUSTED',
      `the queue of ${where} is full (${limit}): publish again later, or raise ${field}`,
    )
  }

  add(request: PublishRequest): void {
    this.#count++
    this.#bytes += request.data.length
    this.#waiting.push({ request, place: this.#places++, deliveries: 0 })
    this.serveSoon()
  }

  join(consumer: Consumer): void {
    this.#consumers.push(consumer)
    this.serveSoon()
  }

  leave(consumer: Consumer): void {
    const index = this.#consumers.indexOf(consumer)
    if (index !== -1) this.#consumers.splice(index, 1)
  }

  /** It is done with. */
  settled(letter: Letter): void {
    this.#count--
    this.#bytes -= letter.request.data.length
  }

  /** It was not settled: it waits again, before everything that was published later. */
  putBack(letter: Letter): void {
    let index = this.#head
    while (index < this.#waiting.length && this.#waiting[index]!.place < letter.place) index++
    this.#waiting.splice(index, 0, letter)
    this.serveSoon()
  }

  /** Hands out what can be handed out, but not from within the call that asked for it. */
  serveSoon(): void {
    if (this.#serving) return
    this.#serving = true
    queueMicrotask(() => {
      this.#serving = false
      this.#serve()
    })
  }

  /** Ends every subscription without waiting for deliveries, and the queue with them. */
  async close(): Promise<void> {
    this.#forget()
    const closing = this.#consumers.slice().map((consumer) => consumer.close(AbortSignal.abort()))
    this.#waiting = []
    this.#head = 0
    this.#count = 0
    this.#bytes = 0
    await Promise.all(closing)
  }

  #serve(): void {
    while (this.#head < this.#waiting.length) {
      const consumer = this.#next()
      if (consumer === undefined) break
      const letter = this.#waiting[this.#head++]!
      // Once half of the array is behind the head, it is dropped: each letter is moved once at most on average.
      if (this.#head > 64 && this.#head * 2 > this.#waiting.length) {
        this.#waiting.splice(0, this.#head)
        this.#head = 0
      }
      letter.deliveries++
      consumer.take(letter)
    }
    if (this.#head === this.#waiting.length) {
      this.#waiting.length = 0
      this.#head = 0
    }
  }

  /** Consumers take turns; those that are busy or paused are passed over. */
  #next(): Consumer | undefined {
    for (let tried = 0; tried < this.#consumers.length; tried++) {
      const consumer = this.#consumers[this.#turn++ % this.#consumers.length]!
      if (consumer.hasRoom) return consumer
    }
    return undefined
  }
}

/** The message as its consumer sees it. */
export function messageOf({ request, deliveries }: Letter): IncomingMessage {
  const { topic, data, contentType, metadata } = request
  return { topic, data, contentType, metadata, deliveryCount: deliveries }
}
