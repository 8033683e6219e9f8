import {
  ComponentError,
  type Deliver,
  type IncomingMessage,
  type PubSub,
  type StateOperation,
  type StateStore,
} from '@outrigger/spec'
import { recordingLogger, seededRandom, settle, virtualClock } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { EarlierTriesFailed } from '../components/guard.ts'
import type { Live, LiveStateStore } from '../components/live.ts'
import type { PublishInput } from '../pubsub/types.ts'
import { Outbox } from './outbox.ts'
import { OutboxProblem } from './problem.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const upsert = (key: string, value = '1'): StateOperation => ({
  operation: 'upsert',
  request: { key, value: { bytes: bytes(value), kind: 'json' }, metadata: {} },
})

interface Faults {
  transact?: Error | undefined
  publish?: Error | undefined
  get?: Error | undefined
  remove?: Error | undefined
  subscribe?: Error | undefined
}

/** An outbox over a store and a broker in this file, which fail when told to. */
function setUp(properties: Readonly<Record<string, string>> = {}) {
  const clock = virtualClock()
  const logger = recordingLogger()
  const faults: Faults = {}
  const rows = new Map<string, Uint8Array>()
  const published: PublishInput[] = []
  let deliver: Deliver | undefined
  let transacting: Promise<void> | undefined
  const topics: string[] = []
  const bare: StateStore = {
    capabilities: new Set(['transactional']),
    get: async ({ key }) => {
      if (faults.get) throw faults.get
      const found = rows.get(key)
      return found && { value: { bytes: found, kind: 'binary' } }
    },
    set: async () => {},
    delete: async ({ key }) => {
      if (faults.remove) throw faults.remove
      rows.delete(key)
    },
    transact: async ({ operations }) => {
      await transacting
      if (faults.transact) throw faults.transact
      for (const { operation, request } of operations) {
        if (operation === 'upsert') rows.set(request.key, request.value.bytes)
        else rows.delete(request.key)
      }
    },
    close: async () => {},
  }
  const store = {
    properties: { outboxPublishPubsub: 'broker', outboxPublishTopic: 'orders', ...properties },
    bare,
    wrap: (operation: StateOperation) =>
      ({
        ...operation,
        request: { ...operation.request, key: `shop||${operation.request.key}` },
      }) as StateOperation,
  } as unknown as LiveStateStore
  let end: (error: Error | undefined) => void = () => {}
  const broker: PubSub = {
    capabilities: new Set(),
    publish: async () => {},
    subscribe: async ({ topic }, handler) => {
      if (faults.subscribe) throw faults.subscribe
      topics.push(topic)
      deliver = handler
      const ended = new Promise<Error | undefined>((resolve) => {
        end = resolve
      })
      return { close: async () => end(undefined), ended }
    },
    close: async () => {},
  }
  const live = { instance: broker, resource: { metadata: [] } } as unknown as Live<PubSub>
  const outbox = new Outbox({
    stores: new Map([['store', store]]),
    pubsubs: new Map([['broker', live]]),
    engine: {
      publish: async (input) => {
        if (faults.publish) throw faults.publish
        published.push(input)
      },
    },
    appId: 'shop',
    namespace: 'prod',
    logger,
    clock,
    random: seededRandom(1),
  })
  return {
    outbox,
    clock,
    logger,
    faults,
    rows,
    published,
    topics,
    endSubscription: (error: Error) => end(error),
    hold: () => {
      let release: () => void = () => {}
      transacting = new Promise((resolve) => {
        release = resolve
      })
      return release
    },
    deliver: (input: PublishInput) =>
      deliver!({ topic: input.topic, data: input.data, metadata: {} } satisfies IncomingMessage),
    transact: (...operations: StateOperation[]) => outbox.transact('store', { operations, metadata: {} }, {}),
  }
}

test('a committed write is published, and its marker goes away', async () => {
  const { outbox, rows, published, topics, deliver, transact } = setUp()
  await outbox.start()
  expect(topics).toEqual(['prodshopordersoutbox'])
  await transact(upsert('a', '{"n":1}'), { operation: 'delete', request: { key: 'b', metadata: {} } })
  const [marker] = [...rows.keys()].filter((key) => key.startsWith('outbox-'))
  // The application's key is prefixed, the marker is not: as in Dapr.
  expect([...rows.keys()]).toEqual(['shop||a', marker])
  expect(new TextDecoder().decode(rows.get(marker!))).toBe('0')
  expect(published).toMatchObject([{ pubsubName: 'broker', topic: 'prodshopordersoutbox' }])
  expect(await deliver(published[0]!)).toBe('ack')
  expect(published[1]).toMatchObject({ pubsubName: 'broker', topic: 'orders' })
  expect(JSON.parse(new TextDecoder().decode(published[1]!.data))).toMatchObject({
    id: marker,
    data: { n: 1 },
  })
  expect([...rows.keys()]).toEqual(['shop||a'])
})

test('the events of a transaction belong to one trace, that of the caller where there is one', async () => {
  const { outbox, published, transact } = setUp()
  await outbox.start()
  const traceOf = ({ data }: PublishInput) =>
    (JSON.parse(new TextDecoder().decode(data)) as Record<string, string>)['traceparent']
  await transact(upsert('a'), upsert('b'))
  const [first, second] = published.map(traceOf)
  expect(first).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  expect(second).toBe(first)
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
  await outbox.transact('store', { operations: [upsert('c')], metadata: {} }, { traceparent })
  expect(traceOf(published[2]!)).toBe(traceparent)
})

test('the event waits for a transaction that is still under way, even where missing ones are discarded', async () => {
  const { outbox, published, deliver, transact, hold, clock } = setUp({
    outboxDiscardWhenMissingState: 'true',
  })
  await outbox.start()
  const release = hold()
  const work = transact(upsert('a'))
  await settle()
  const early = deliver(published[0]!)
  await clock.advance(20_000)
  expect(await early).toBe('nack')
  const again = deliver(published[0]!)
  release()
  await work
  await clock.advance(5000)
  expect(await again).toBe('ack')
  expect(published[1]?.topic).toBe('orders')
})

test.each([
  ['true', 'ack'],
  ['', 'nack'],
])(
  'without a marker nothing is published; outboxDiscardWhenMissingState %j: %s',
  async (discard, settlement) => {
    const { outbox, published, rows, deliver, transact, clock } = setUp({
      outboxDiscardWhenMissingState: discard,
    })
    await outbox.start()
    await transact(upsert('a'))
    rows.clear()
    const outcome = deliver(published[0]!)
    await clock.advance(12_000)
    expect(await outcome).toBe(settlement)
    expect(published).toHaveLength(1)
  },
)

test.each([
  ['when a publish fails', { publish: new Error('away') }, 0],
  ['when the marker cannot be deleted', { remove: new ComponentError('UNAVAILABLE', 'away') }, 1],
  ['when the store cannot be read', { get: new ComponentError('UNAVAILABLE', 'away') }, 0],
])('an event comes again %s', async (_, fault, more) => {
  const { outbox, published, faults, deliver, transact, clock } = setUp({
    outboxDiscardWhenMissingState: 'true',
  })
  await outbox.start()
  await transact(upsert('a'))
  Object.assign(faults, fault)
  const outcome = deliver(published[0]!)
  await clock.advance(12_000)
  expect(await outcome).toBe('nack')
  expect(published).toHaveLength(1 + more)
  Object.assign(faults, { publish: undefined, remove: undefined, get: undefined })
  expect(await deliver(published[0]!)).toBe('ack')
  expect(published.at(-1)?.topic).toBe('orders')
})

test('what could not be put into the outbox is not saved', async () => {
  const { outbox, faults, rows, transact } = setUp()
  await outbox.start()
  faults.publish = new Error('no broker')
  const error = await transact(upsert('a')).catch((problem: unknown) => problem)
  expect(error).toBeInstanceOf(OutboxProblem)
  expect((error as Error).message).toBe('no broker')
  expect(rows.size).toBe(0)
})

test('the events of a transaction that was refused are dropped at once', async () => {
  const { outbox, faults, published, deliver, transact } = setUp()
  await outbox.start()
  faults.transact = new ComponentError('ETAG_MISMATCH', 'stale')
  await expect(transact(upsert('a'), upsert('b'))).rejects.toThrow('stale')
  expect(published).toHaveLength(2)
  expect(await Promise.all(published.map(deliver))).toEqual(['ack', 'ack'])
  expect(published).toHaveLength(2)
})

test('a transaction of unknown outcome is looked for in the store', async () => {
  const { outbox, faults, published, deliver, transact, clock } = setUp()
  await outbox.start()
  faults.transact = new ComponentError('UNAVAILABLE', 'no answer')
  await expect(transact(upsert('a'))).rejects.toThrow('no answer')
  const outcome = deliver(published[0]!)
  await clock.advance(12_000)
  expect(await outcome).toBe('nack')
})

test('after tries that may have committed it, a refusal is none: the events are looked for', async () => {
  const { outbox, rows, faults, published, deliver, transact } = setUp()
  await outbox.start()
  const cause = new EarlierTriesFailed(new ComponentError('ETAG_MISMATCH', 'stale'))
  faults.transact = new ComponentError('ETAG_MISMATCH', 'stale', { cause })
  await expect(transact(upsert('a'))).rejects.toThrow('stale')
  const marker = (JSON.parse(new TextDecoder().decode(published[0]!.data)) as { id: string }).id
  rows.set(marker, bytes('0'))
  expect(await deliver(published[0]!)).toBe('ack')
  expect(published[1]?.topic).toBe('orders')
})

test('transactions are refused until the internal topic is subscribed to, which is tried again', async () => {
  const { outbox, faults, transact, clock, topics } = setUp()
  faults.subscribe = new Error('no broker')
  await outbox.start()
  await expect(transact(upsert('a'))).rejects.toThrow('events would be lost')
  // Deletes make no events.
  await transact({ operation: 'delete', request: { key: 'b', metadata: {} } })
  faults.subscribe = undefined
  await clock.advance(2000)
  expect(topics).toHaveLength(1)
  await transact(upsert('a'))
})

test('a subscription that ends is opened again', async () => {
  const { outbox, topics, endSubscription, clock } = setUp()
  await outbox.start()
  endSubscription(new Error('gone'))
  await clock.advance(2000)
  expect(topics).toHaveLength(2)
})

test('an event that waits is given back when everything stops', async () => {
  const { outbox, published, rows, deliver, transact } = setUp({ outboxDiscardWhenMissingState: 'true' })
  await outbox.start()
  await transact(upsert('a'))
  rows.clear()
  const outcome = deliver(published[0]!)
  await outbox.stop()
  expect(await outcome).toBe('nack')
})

test('strangers reach no other key through the internal topic', async () => {
  const { outbox, rows, deliver, published } = setUp()
  await outbox.start()
  rows.set('shop||a', bytes('1'))
  const data = bytes('{"id":"shop||a","data":1}')
  expect(await deliver({ pubsubName: 'broker', topic: 't', data, metadata: {} })).toBe('ack')
  expect([rows.size, published.length]).toEqual([1, 0])
})

test('markers count as operations, projections do not', () => {
  const { outbox } = setUp()
  const projection = upsert('a', '2')
  const operations = [
    upsert('a'),
    {
      ...projection,
      request: { ...projection.request, metadata: { 'outbox.projection': 'true' } },
    } as StateOperation,
  ]
  expect(outbox.count({ operations, metadata: {} })).toBe(2)
  expect([outbox.has('store'), outbox.has('other')]).toEqual([true, false])
})
