import type { BulkSubscribeRequest, DeliverBulk } from '@outrigger/spec'
import { recordingLogger, seededRandom, settle, virtualClock } from '@outrigger/testkit'
import { describe, expect, it } from 'vitest'
import { FakeApp } from '../../test/support/fake-app.ts'
import { FakeBroker, livePubSub } from '../../test/support/fake-broker.ts'
import { createPubSubEngine } from './engine.ts'

interface Bulk {
  id: string
  type: string
  topic: string
  pubsubname: string
  entries: { entryId: string; event: { id: string } | string; contentType: string; metadata: object }[]
}

async function setUp(more: object = {}, broker = new FakeBroker()) {
  const app = new FakeApp()
  const clock = virtualClock()
  const item = {
    pubsubname: 'bus',
    topic: 'orders',
    route: '/bulk',
    bulkSubscribe: { enabled: true, maxMessagesCount: 3, maxAwaitDurationMs: 500 },
    ...more,
  }
  app.handle = () => ({ body: JSON.stringify([item]) })
  const engine = createPubSubEngine({
    pubsubs: new Map([['bus', livePubSub('bus', broker)]]),
    channel: app,
    appId: 'shop',
    namespace: '',
    subscriptions: [],
    logger: recordingLogger(),
    clock,
    random: seededRandom(3),
  })
  await engine.start()
  /** Answers each entry with what its event's id says. */
  app.handle = ({ body }) => {
    const { entries } = JSON.parse(body) as Bulk
    const statuses = entries.flatMap(({ entryId, event }) => {
      const status = typeof event === 'string' ? 'SUCCESS' : event.id
      return status === 'none' ? [] : [{ entryId, status }]
    })
    return { body: JSON.stringify({ statuses }) }
  }
  const deliver = (id: string) => broker.deliver('orders', JSON.stringify({ id, data: 1 }))
  return { app, broker, clock, engine, deliver }
}

/** A broker that hands out many messages at once. */
class GatheringBroker extends FakeBroker {
  bulk: { request: BulkSubscribeRequest; deliver: DeliverBulk } | undefined

  constructor() {
    super(['bulkSubscribe'])
  }

  bulkSubscribe(request: BulkSubscribeRequest, deliver: DeliverBulk) {
    this.bulk = { request, deliver }
    return this.subscribe(request, () => Promise.resolve('nack'))
  }
}

describe('bulk subscription', () => {
  it('leaves the gathering to a broker that can', async () => {
    const broker = new GatheringBroker()
    const { app, engine } = await setUp({}, broker)
    expect(broker.bulk!.request).toMatchObject({ topic: 'orders', maxMessages: 3, maxWaitMs: 500 })
    const messages = ['SUCCESS', 'RETRY'].map((id) => ({
      topic: 'orders',
      data: Buffer.from(JSON.stringify({ id })),
      metadata: {},
    }))
    expect(await broker.bulk!.deliver(messages)).toEqual(['ack', 'nack'])
    expect(app.posts).toEqual(['/bulk'])
    await engine.stop()
    expect(await broker.bulk!.deliver(messages)).toEqual(['nack', 'nack'])
  })

  it('gathers until there are enough and settles each by its own status', async () => {
    const { app, broker, deliver, engine } = await setUp()
    expect(broker.subscribed[0]!.request.maxInFlight).toBe(3)
    expect(await Promise.all([deliver('SUCCESS'), deliver('RETRY'), deliver('DROP')])).toEqual([
      'ack',
      'nack',
      'ack',
    ])
    expect(await Promise.all([deliver('none'), deliver(''), deliver('what')])).toEqual([
      'nack',
      'nack',
      'nack',
    ])
    const call = app.calls.at(-1)!
    expect(call.path).toBe('/bulk')
    expect(call.fields.get('content-type')).toBe('application/json')
    const body = JSON.parse(call.body) as Bulk
    expect(body).toMatchObject({
      type: 'com.dapr.event.sent.bulk',
      topic: 'orders',
      pubsubname: 'bus',
      metadata: { pubsubName: 'bus' },
    })
    expect(body.entries[0]).toMatchObject({
      event: { id: 'none', data: 1 },
      contentType: 'application/cloudevents+json',
      metadata: {},
    })
    await engine.stop()
  })

  it('does not wait longer than it may', async () => {
    const { app, clock, deliver, engine } = await setUp()
    const one = deliver('SUCCESS')
    await clock.advance(499)
    expect(app.posts).toEqual([])
    await clock.advance(1)
    expect(await one).toBe('ack')
    const other = deliver('SUCCESS')
    await settle()
    // Stopping does not wait for more either.
    await engine.stop()
    expect(await other).toBe('ack')
  })

  it('calls each route once, gives raw bytes in base64 and drops what matches none', async () => {
    const routes = {
      rules: [
        { match: 'event.id == "SUCCESS"', path: '/s' },
        { match: 'event.id == "RETRY"', path: '/r' },
      ],
    }
    const first = await setUp({ route: '', routes })
    const { deliver } = first
    expect(await Promise.all([deliver('SUCCESS'), deliver('RETRY'), deliver('other')])).toEqual([
      'ack',
      'nack',
      'ack',
    ])
    expect(first.app.posts.toSorted()).toEqual(['/r', '/s'])
    await first.engine.stop()
    const second = await setUp({ metadata: { rawPayload: 'true' } })
    const sent = second.broker.deliver('orders', 'bytes')
    await second.engine.stop()
    expect(await sent).toBe('ack')
    const [entry] = (JSON.parse(second.app.calls.at(-1)!.body) as Bulk).entries
    expect(entry).toMatchObject({ event: 'Ynl0ZXM=', contentType: 'application/octet-stream' })
  })

  it('sends to the dead letter topic what failed', async () => {
    const { app, broker, deliver, engine } = await setUp({ deadLetterTopic: 'dead' })
    expect(await Promise.all([deliver('SUCCESS'), deliver('RETRY'), deliver('DROP')])).toEqual([
      'ack',
      'ack',
      'ack',
    ])
    app.handle = () => ({ status: 500 })
    await Promise.all([deliver('1'), deliver('2'), deliver('3')])
    const dead = broker.published.map(
      ({ data }) => (JSON.parse(Buffer.from(data).toString()) as { id: string }).id,
    )
    expect(dead).toEqual(['RETRY', 'DROP', '1', '2', '3'])
    await engine.stop()
  })
})
