import { fields, throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  definePubSub,
  type BulkPublishFailure,
  type BulkPublishRequest,
  type BulkSubscribeRequest,
  type Deliver,
  type DeliverBulk,
  type IncomingMessage,
  type OperationOptions,
  type PubSub,
  type PubSubCapability,
  type PubSubDefinition,
  type PublishRequest,
  type SubscribeRequest,
  type Subscription,
} from '@outrigger/spec'

export const pubsubCapabilities: readonly PubSubCapability[] = [
  'ttl',
  'wildcards',
  'bulkPublish',
  'bulkSubscribe',
  'ordering',
  'pause',
]

export interface Letter {
  readonly request: PublishRequest
  readonly expiresAtMs: number
  owner?: Reader | undefined
  deliveries: number
}

interface Queue {
  readonly pattern: string
  letters: Letter[]
  readonly readers: Set<Reader>
}

interface Reader extends Subscription {
  readonly queue: Queue
  readonly request: SubscribeRequest
  readonly batch: number
  readonly deliver: DeliverBulk
  readonly pending: Set<Letter>
  paused: boolean
  closing: boolean
  dead: boolean
  settled: () => void
}

/** What the instances have in common: the server, so to speak. */
export class Server {
  /** By group and pattern. */
  readonly queues = new Map<string, Queue>()
}

/** The smallest broker that can do everything. Methods are fields, so that mutants can change them. */
export class ReferenceBroker implements PubSub {
  capabilities = new Set<PubSubCapability>(pubsubCapabilities)
  readonly server: Server
  group: string
  readers: Reader[] = []
  closed = false

  constructor(server: Server, group: string) {
    this.server = server
    this.group = group
  }

  check = (options: OperationOptions): void => {
    throwIfAborted(options.signal)
    if (this.closed) throw new ComponentError('CLOSED', 'closed')
  }

  fits = (pattern: string, topic: string): boolean =>
    pattern.endsWith('*') ? topic.startsWith(pattern.slice(0, -1)) : topic === pattern

  expiry = ({ ttlSeconds = Infinity }: PublishRequest): number => Date.now() + ttlSeconds * 1000

  enqueue = (queue: Queue, letter: Letter): void => {
    queue.letters.push(letter)
  }

  publish = async (request: PublishRequest, options: OperationOptions): Promise<void> => {
    this.check(options)
    for (const queue of this.server.queues.values()) {
      if (!this.fits(queue.pattern, request.topic)) continue
      this.enqueue(queue, { request, expiresAtMs: this.expiry(request), deliveries: 0 })
      this.serve(queue)
    }
  }

  bulkPublish = async (
    request: BulkPublishRequest,
    options: OperationOptions,
  ): Promise<readonly BulkPublishFailure[]> => {
    this.check(options)
    for (const { entryId: _, ...entry } of request.entries)
      await this.publish({ ...entry, topic: request.topic }, options)
    return []
  }

  subscribe = (
    request: SubscribeRequest,
    deliver: Deliver,
    options: OperationOptions,
  ): Promise<Subscription> => this.open(request, 1, async ([message]) => [await deliver(message!)], options)

  bulkSubscribe = (
    request: BulkSubscribeRequest,
    deliver: DeliverBulk,
    options: OperationOptions,
  ): Promise<Subscription> => this.open(request, request.maxMessages, deliver, options)

  room = ({ paused, closing, pending, request }: Reader): boolean =>
    !paused && !closing && pending.size < (request.maxInFlight ?? 10)

  /** The letters that may be handed out now: of each partition key just the first. */
  ready = (queue: Queue): Letter[] => {
    queue.letters = queue.letters.filter(
      ({ owner, expiresAtMs }) => owner !== undefined || expiresAtMs > Date.now(),
    )
    const keys = new Set<string>()
    return queue.letters.filter(({ request, owner }) => {
      const key = request.metadata['partitionKey']
      if (key !== undefined && keys.has(key)) return false
      if (key !== undefined) keys.add(key)
      return owner === undefined
    })
  }

  serve = (queue: Queue): void => {
    for (const reader of queue.readers) {
      while (this.room(reader)) {
        const free = (reader.request.maxInFlight ?? 10) - reader.pending.size
        const letters = this.ready(queue).slice(0, Math.max(1, Math.min(free, reader.batch)))
        if (letters.length === 0) return
        for (const letter of letters) this.take(reader, letter)
        void this.hand(reader, letters)
      }
    }
  }

  take = (reader: Reader, letter: Letter): void => {
    letter.owner = reader
    letter.deliveries++
    reader.pending.add(letter)
  }

  message = ({ request, deliveries }: Letter, _reader: Reader): IncomingMessage => {
    const { topic, data, contentType, metadata } = request
    return { topic, data, contentType, metadata, deliveryCount: deliveries }
  }

  ack = (queue: Queue, letter: Letter): void => {
    queue.letters.splice(queue.letters.indexOf(letter), 1)
  }

  nack = (_queue: Queue, letter: Letter): void => {
    letter.owner = undefined
  }

  hand = async (reader: Reader, letters: readonly Letter[]): Promise<void> => {
    const settlements = await reader.deliver(letters.map((letter) => this.message(letter, reader)))
    for (const [index, letter] of letters.entries()) {
      reader.pending.delete(letter)
      if (letter.owner !== reader || reader.dead) continue
      if (settlements[index] === 'ack') this.ack(reader.queue, letter)
      else this.nack(reader.queue, letter)
    }
    reader.settled()
    setImmediate(() => this.serve(reader.queue))
  }

  queueOf = (pattern: string, group: string): Queue => {
    const name = `${group} ${pattern}`
    const queue = this.server.queues.get(name) ?? { pattern, letters: [], readers: new Set() }
    this.server.queues.set(name, queue)
    return queue
  }

  open = async (
    request: SubscribeRequest,
    batch: number,
    deliver: DeliverBulk,
    options: OperationOptions,
  ): Promise<Subscription> => {
    this.check(options)
    const queue = this.queueOf(request.topic, this.group)
    const { promise: ended, resolve: end } = Promise.withResolvers<Error | undefined>()
    const reader: Reader = {
      queue,
      request,
      batch,
      deliver,
      pending: new Set(),
      paused: false,
      closing: false,
      dead: false,
      ended,
      settled: () => {
        if (!reader.closing || reader.pending.size > 0) return
        queue.readers.delete(reader)
        end(undefined)
      },
      pause: () => {
        reader.paused = true
      },
      resume: () => {
        reader.paused = false
        this.serve(queue)
      },
      close: (signal) => this.leave(reader, signal),
    }
    queue.readers.add(reader)
    this.readers.push(reader)
    this.serve(queue)
    return reader
  }

  giveBack = (reader: Reader): void => {
    for (const letter of reader.pending) letter.owner = undefined
    reader.pending.clear()
    reader.settled()
    this.serve(reader.queue)
  }

  leave = async (reader: Reader, signal?: AbortSignal): Promise<void> => {
    reader.closing = true
    reader.settled()
    if (signal?.aborted === true) this.giveBack(reader)
    else signal?.addEventListener('abort', () => this.giveBack(reader))
    await reader.ended
  }

  close = async (): Promise<void> => {
    this.closed = true
    await Promise.all(this.readers.map((reader) => reader.close(AbortSignal.abort())))
  }
}

/** Its process is dead: the server notices after a while. */
export function kill(broker: PubSub): void {
  for (const reader of (broker as ReferenceBroker).readers) {
    reader.closing = true
    reader.dead = true
    setTimeout(() => (broker as ReferenceBroker).giveBack(reader), 100)
  }
}

/** The reference, or a mutant of it. */
export function referencePubSub(mutate?: (broker: ReferenceBroker) => void): PubSubDefinition {
  const server = new Server()
  return definePubSub({
    type: 'pubsub.reference',
    title: 'Reference',
    versions: {
      v1: {
        metadata: fields({}),
        capabilities: pubsubCapabilities,
        create: ({ appId }) => {
          const broker = new ReferenceBroker(server, appId)
          mutate?.(broker)
          return Promise.resolve(broker)
        },
      },
    },
  })
}
