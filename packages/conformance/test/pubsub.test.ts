import { utf8 } from '@outrigger/kit'
import type { PubSub } from '@outrigger/spec'
import { pubsubSuite, type PubSubSuiteOptions } from '../src/index.ts'
import { proveSuite, type Mutant } from './mutants.ts'
import { kill, pubsubCapabilities, referencePubSub, type ReferenceBroker } from './reference-pubsub.ts'

const options: PubSubSuiteOptions = { properties: () => ({}), durable: true, kill, leaseMs: 100 }
let instances = 0

const mutants: readonly Mutant<ReferenceBroker>[] = [
  {
    title: 'acks before the delivery settles',
    break: (broker) => {
      const { take } = broker
      broker.take = (reader, letter) => {
        take(reader, letter)
        broker.ack(reader.queue, letter)
      }
      broker.ack = (queue, letter) => {
        queue.letters = queue.letters.filter((each) => each !== letter)
      }
    },
    caughtBy: [
      'what is nacked is delivered again until it is acked, and then no more',
      'what an instance had not settled when it went is delivered to another of its application',
      'what an instance had not settled when it died is delivered to another of its application',
      'what is unsettled when the signal of close aborts is delivered again',
      'bulkSubscribe hands over no more than asked for, and settles each message by itself',
    ],
  },
  {
    title: 'loses what is nacked',
    break: (broker) => {
      broker.nack = (queue, letter) => broker.ack(queue, letter)
    },
    caughtBy: [
      'what is nacked is delivered again until it is acked, and then no more',
      'what an application nacks is not delivered again to another application',
    ],
  },
  {
    title: 'publishes again what is nacked',
    break: (broker) => {
      broker.nack = (queue, letter) => {
        broker.ack(queue, letter)
        void broker.publish(letter.request, {})
      }
    },
    caughtBy: [
      'what an application nacks is not delivered again to another application',
      'what is nacked is delivered again until it is acked, and then no more',
    ],
  },
  {
    title: 'exceeds maxInFlight',
    break: (broker) => {
      broker.room = ({ paused, closing }) => !paused && !closing
    },
    caughtBy: ['no more than maxInFlight deliveries are under way'],
  },
  {
    title: 'fetches one more than maxInFlight',
    break: (broker) => {
      const { room } = broker
      broker.room = (reader) =>
        room({
          ...reader,
          request: { ...reader.request, maxInFlight: (reader.request.maxInFlight ?? 10) + 1 },
        })
    },
    caughtBy: [
      'no more than maxInFlight deliveries are under way',
      'an instance that is busy leaves work to the other',
    ],
  },
  {
    title: 'delivers to every instance of a group',
    break: (broker) => {
      broker.group += ` ${++instances}`
    },
    caughtBy: ['two instances of one application share: each message goes to one of them'],
  },
  {
    title: 'has one group for all applications',
    break: (broker) => {
      broker.group = 'all'
    },
    caughtBy: ['two applications both receive every message'],
  },
  {
    title: 'forgets an application that is away',
    break: (broker) => {
      const { leave } = broker
      broker.leave = async (reader, signal) => {
        await leave(reader, signal)
        for (const [name, queue] of broker.server.queues) {
          if (queue === reader.queue && queue.readers.size === 0) broker.server.queues.delete(name)
        }
      }
    },
    caughtBy: ['what is published while an application is away is delivered when it is back'],
  },
  {
    title: 'hands a message out again when a lease is over that it does not extend',
    break: (broker) => {
      const { take } = broker
      broker.take = (reader, letter) => {
        take(reader, letter)
        setTimeout(() => {
          if (letter.owner === reader) letter.owner = undefined
          broker.serve(reader.queue)
        }, 100)
      }
    },
    caughtBy: ['a delivery that outlasts the lease is not handed to another'],
  },
  {
    title: 'delivers everything twice',
    break: (broker) => {
      const { enqueue } = broker
      broker.enqueue = (queue, letter) => {
        enqueue(queue, letter)
        enqueue(queue, { ...letter })
      }
    },
    caughtBy: [
      '200 messages published at once arrive once each',
      'two applications both receive every message',
      'two instances of one application share: each message goes to one of them',
      'close awaits the deliveries under way, and what they acked does not come again',
    ],
  },
  {
    title: 'takes bytes for text',
    break: (broker) => {
      const { message } = broker
      broker.message = (letter, reader) => {
        const whole = message(letter, reader)
        return { ...whole, data: utf8(Buffer.from(whole.data).toString()) }
      }
    },
    caughtBy: ['bytes arrive as they were: every byte, with NULs', 'bytes arrive as they were: 1 MiB'],
  },
  {
    title: 'drops metadata',
    break: (broker) => {
      const { message } = broker
      broker.message = (letter, reader) => ({ ...message(letter, reader), metadata: {} })
    },
    caughtBy: [
      'content type and metadata arrive',
      'bulkPublish publishes every entry and tells of no failure',
    ],
  },
  {
    title: 'tells the topic of the subscription',
    break: (broker) => {
      const { message } = broker
      broker.message = (letter, reader) => ({ ...message(letter, reader), topic: reader.request.topic })
    },
    caughtBy: ['a wildcard subscription receives what fits, with its own topic, and nothing else'],
  },
  {
    title: 'compares topics without their case and marks',
    break: (broker) => {
      const same = (topic: string): string => topic.toLowerCase().replaceAll(/[/.: %]/g, '_')
      broker.fits = (pattern, topic) => same(pattern) === same(topic)
    },
    caughtBy: ['topics with odd characters work and are kept apart'],
  },
  {
    title: 'delivers the latest first',
    break: (broker) => {
      broker.enqueue = (queue, letter) => void queue.letters.unshift(letter)
    },
    caughtBy: ['with a partition key messages arrive in order, one delivery after the other'],
  },
  {
    title: 'delivers several of a partition key at a time',
    break: (broker) => {
      broker.ready = (queue) => queue.letters.filter(({ owner }) => owner === undefined)
    },
    caughtBy: ['with a partition key messages arrive in order, one delivery after the other'],
  },
  {
    title: 'declares wildcards and has none',
    break: (broker) => {
      broker.fits = (pattern, topic) => topic === pattern
    },
    caughtBy: ['a wildcard subscription receives what fits, with its own topic, and nothing else'],
  },
  {
    title: 'has wildcards and does not declare them',
    break: (broker) => broker.capabilities.delete('wildcards'),
    capabilities: pubsubCapabilities.filter((capability) => capability !== 'wildcards'),
    caughtBy: ['without the wildcards capability a star is refused or just a character'],
  },
  {
    title: 'ignores TTLs though it declares them',
    break: (broker) => {
      broker.expiry = () => Infinity
    },
    caughtBy: ['what is older than its TTL is dropped by the broker'],
  },
  {
    title: 'drops everything that has a TTL',
    break: (broker) => {
      broker.expiry = ({ ttlSeconds }) => (ttlSeconds === undefined ? Infinity : 0)
    },
    caughtBy: [
      'a message is delivered within its TTL',
      'what is older than its TTL is dropped by the broker',
    ],
  },
  {
    title: 'ignores pause',
    break: (broker) => {
      const { room } = broker
      broker.room = (reader) => room({ ...reader, paused: false })
    },
    caughtBy: ['a paused subscription receives nothing until it is resumed'],
  },
  {
    title: 'can pause and does not declare it',
    break: (broker) => broker.capabilities.delete('pause'),
    capabilities: pubsubCapabilities.filter((capability) => capability !== 'pause'),
    caughtBy: ['pause and resume exist exactly where the capability is declared'],
  },
  {
    title: 'has bulk methods and does not declare them',
    break: (broker) => broker.capabilities.delete('bulkPublish'),
    capabilities: pubsubCapabilities.filter((capability) => capability !== 'bulkPublish'),
    caughtBy: ['optional methods exist exactly where their capability is declared'],
  },
  {
    title: 'loses the last entry of a bulk',
    break: (broker) => {
      const { bulkPublish } = broker
      broker.bulkPublish = (request, operation) =>
        bulkPublish({ ...request, entries: request.entries.slice(0, -1) }, operation)
    },
    caughtBy: ['bulkPublish publishes every entry and tells of no failure'],
  },
  {
    title: 'settles a bulk as a whole',
    break: (broker) => {
      const { bulkSubscribe } = broker
      broker.bulkSubscribe = (request, deliver, operation) =>
        bulkSubscribe(
          request,
          async (messages) => {
            const settlements = await deliver(messages)
            return settlements.map(() => (settlements.includes('nack') ? 'nack' : 'ack'))
          },
          operation,
        )
    },
    caughtBy: ['bulkSubscribe hands over no more than asked for, and settles each message by itself'],
  },
  {
    title: 'closes subscriptions without awaiting deliveries',
    break: (broker) => {
      const { leave } = broker
      broker.leave = (reader) => leave(reader, AbortSignal.abort())
    },
    caughtBy: ['close awaits the deliveries under way, and what they acked does not come again'],
  },
  {
    title: 'awaits deliveries whatever the signal of close says',
    break: (broker) => {
      const { leave } = broker
      broker.leave = (reader) => leave(reader)
      broker.close = async () => {}
    },
    caughtBy: [
      'what is unsettled when the signal of close aborts is delivered again',
      'a settlement that comes after the signal of close has aborted changes nothing',
    ],
  },
  {
    title: 'lets a late ack count after the message was given back',
    break: (broker) => {
      broker.hand = async (reader, letters) => {
        const settlements = await reader.deliver(letters.map((letter) => broker.message(letter, reader)))
        for (const [index, letter] of letters.entries()) {
          reader.pending.delete(letter)
          if (settlements[index] === 'ack') broker.ack(reader.queue, letter)
          else broker.nack(reader.queue, letter)
        }
        reader.settled()
        broker.serve(reader.queue)
      }
    },
    caughtBy: ['a settlement that comes after the signal of close has aborted changes nothing'],
  },
  {
    title: 'goes on delivering after close',
    break: (broker) => {
      const { open } = broker
      broker.open = async (...parameters) => {
        const reader = await open(...parameters)
        return { ended: Promise.resolve(undefined), pause() {}, resume() {}, close: async () => void reader }
      }
    },
    caughtBy: ['nothing is delivered after close, other subscriptions go on, and ended tells of no error'],
  },
  {
    title: 'never says that a subscription ended',
    break: (broker) => {
      const { open } = broker
      broker.open = async (...parameters) => ({
        ...(await open(...parameters)),
        ended: new Promise(() => {}),
      })
    },
    caughtBy: [
      'nothing is delivered after close, other subscriptions go on, and ended tells of no error',
      'closing the instance ends its subscriptions, even while a delivery hangs',
    ],
  },
  {
    title: 'hangs at close while a delivery hangs',
    break: (broker) => {
      broker.close = async () => {
        broker.closed = true
        const closing = broker.readers.map((reader) => reader.close())
        // Not for ever, so that the test of this mutant can end.
        await Promise.race([Promise.all(closing), new Promise((resolve) => setTimeout(resolve, 2500))])
      }
    },
    caughtBy: ['closing the instance ends its subscriptions, even while a delivery hangs'],
  },
  {
    title: 'ends a subscription with the signal of its subscribe',
    break: (broker) => {
      const { open } = broker
      broker.open = async (request, batch, deliver, operation) => {
        const reader = await open(request, batch, deliver, operation)
        operation.signal?.addEventListener('abort', () => void reader.close())
        return reader
      }
    },
    caughtBy: ['the signal of subscribe does not end the subscription'],
  },
  {
    title: 'resolves subscribe before it receives',
    break: (broker) => {
      const { open } = broker
      broker.open = (...parameters) =>
        new Promise((resolve) => {
          const reader = new Promise<Awaited<ReturnType<typeof open>>>((later) => {
            setTimeout(() => void open(...parameters).then(later), 50)
          })
          resolve({ ended: reader.then((each) => each.ended), close: async () => (await reader).close() })
        })
    },
    caughtBy: ['what is published right after subscribe resolved is delivered'],
  },
  {
    title: 'ignores signals',
    break: (broker) => {
      const { check } = broker
      broker.check = () => check({})
    },
    caughtBy: ['a signal that was aborted cancels publish and subscribe'],
  },
  {
    title: 'works on after close',
    break: (broker) => {
      broker.check = () => {}
    },
    caughtBy: ['after close publish and subscribe are refused as CLOSED'],
  },
]

proveSuite(
  pubsubSuite,
  (mutate) => referencePubSub(mutate as ((broker: PubSub) => void) | undefined),
  options,
  mutants as unknown as readonly Mutant<PubSub>[],
  ['ping answers where it exists', 'without the wildcards capability a star is refused or just a character'],
)
