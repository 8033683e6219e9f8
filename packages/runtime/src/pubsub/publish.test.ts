import { ComponentError } from '@outrigger/spec'
import type { PubSub } from '@outrigger/spec'
import { seededRandom, virtualClock } from '@outrigger/testkit'
import { describe, expect, it } from 'vitest'
import { BulkBroker, FakeBroker, livePubSub } from '../../test/support/fake-broker.ts'
import { Publisher } from './publish.ts'

function publisher(broker: PubSub | undefined, properties: Record<string, string> = {}): Publisher {
  return new Publisher({
    pubsubs: new Map(broker === undefined ? [] : [['bus', livePubSub('bus', broker, properties)]]),
    appId: 'shop',
    namespace: 'prod',
    clock: virtualClock(),
    random: seededRandom(1),
    bulkParallelism: 2,
  })
}

const message = { pubsubName: 'bus', topic: 'orders', data: Buffer.from('hi'), metadata: {} }
const json = (data: Uint8Array): Record<string, unknown> => JSON.parse(Buffer.from(data).toString()) as never

describe('publish', () => {
  it('puts the data in an envelope and passes the metadata on', async () => {
    const broker = new FakeBroker()
    await publisher(broker).publish({ ...message, metadata: { priority: '1' } }, { traceparent: '00-t' })
    const [sent] = broker.published
    expect(sent).toMatchObject({
      topic: 'orders',
      contentType: 'application/cloudevents+json',
      metadata: { priority: '1' },
    })
    expect(json(sent!.data)).toMatchObject({
      source: 'shop',
      pubsubname: 'bus',
      data: 'hi',
      traceparent: '00-t',
    })
  })

  it('sends a raw payload as it is', async () => {
    const broker = new FakeBroker()
    await publisher(broker).publish({ ...message, contentType: 'a/b', metadata: { rawPayload: 'true' } })
    expect(broker.published[0]).toMatchObject({ data: message.data, contentType: 'a/b' })
  })

  it('completes what is a CloudEvent already', async () => {
    const broker = new FakeBroker()
    const contentType = 'application/cloudevents+json; charset=utf-8'
    await publisher(broker).publish({ ...message, data: Buffer.from('{"id":"x","data":1.0}'), contentType })
    expect(Buffer.from(broker.published[0]!.data).toString()).toContain('"data":1.0')
    expect(json(broker.published[0]!.data)).toMatchObject({
      id: 'x',
      topic: 'orders',
      type: 'com.dapr.event.sent',
    })
    await expect(publisher(broker).publish({ ...message, contentType })).rejects.toMatchObject({
      kind: 'cloud-event',
    })
  })

  it('leaves expiry to a broker that can, and writes it into the envelope otherwise', async () => {
    const [can, cannot] = [new FakeBroker(['ttl']), new FakeBroker()]
    for (const broker of [can, cannot]) {
      await publisher(broker).publish({ ...message, metadata: { ttlInSeconds: '90' } })
      await publisher(broker).publish({ ...message, metadata: { TTLInSeconds: '1m30s' } })
    }
    for (const sent of can.published) {
      expect(sent.ttlSeconds).toBe(90)
      expect(json(sent.data)).not.toHaveProperty('expiration')
    }
    for (const sent of cannot.published) {
      expect(sent.ttlSeconds).toBeUndefined()
      expect(json(sent.data)).toMatchObject({ expiration: '2026-01-01T00:01:30.000Z' })
    }
  })

  it.each([
    ['not-found', undefined, {}],
    ['not-found', new FakeBroker(), { pubsubName: 'other' }],
    ['topic-empty', new FakeBroker(), { topic: '' }],
    ['bad-metadata', new FakeBroker(), { metadata: { rawPayload: 'maybe' } }],
    ['bad-metadata', new FakeBroker(), { metadata: { ttlInSeconds: '0' } }],
    ['bad-metadata', new FakeBroker(), { metadata: { ttlInSeconds: 'soon' } }],
  ])('refuses with %s', async (kind, broker, more) => {
    await expect(publisher(broker).publish({ ...message, ...more })).rejects.toMatchObject({ kind })
    expect(broker?.published ?? []).toEqual([])
  })

  it('tells why the component failed', async () => {
    const broker = new FakeBroker()
    const cause = new ComponentError('UNAVAILABLE', 'away')
    broker.failPublish = () => cause
    await expect(publisher(broker).publish(message)).rejects.toMatchObject({
      kind: 'publish-failed',
      cause,
      message: expect.stringContaining('away') as string,
    })
  })

  it('keeps to the scopes of the component', async () => {
    const attempt = (properties: Record<string, string>, topic: string): Promise<string> =>
      publisher(new FakeBroker(), properties)
        .publish({ ...message, topic })
        .then(
          () => 'ok',
          (error: { kind: string }) => error.kind,
        )
    const no = 'forbidden'
    expect(await attempt({ allowedTopics: 'a, b' }, 'b')).toBe('ok')
    expect(await attempt({ allowedTopics: 'a,b' }, 'c')).toBe(no)
    expect(await attempt({ publishingScopes: 'x=a;shop=a,b' }, 'b')).toBe('ok')
    expect(await attempt({ publishingScopes: 'x=a;shop=a' }, 'b')).toBe(no)
    expect(await attempt({ publishingScopes: 'x=a' }, 'b')).toBe('ok')
    expect(await attempt({ publishingScopes: 'shop=' }, 'b')).toBe(no)
    expect(await attempt({ PROTECTEDTOPICS: 'b' }, 'b')).toBe(no)
    expect(await attempt({ protectedTopics: 'b', publishingScopes: 'shop=b' }, 'b')).toBe('ok')
    expect(await attempt({ subscriptionScopes: 'shop=a' }, 'b')).toBe('ok')
  })

  it('keeps namespaces apart when the component says so', async () => {
    const broker = new FakeBroker()
    await publisher(broker, { consumerID: '{namespace}' }).publish(message)
    expect(broker.published[0]!.topic).toBe('prodorders')
    expect(json(broker.published[0]!.data)).toMatchObject({ topic: 'orders' })
  })
})

describe('bulkPublish', () => {
  const entry = (entryId: string, data: string, metadata?: Record<string, string>) => ({
    entryId,
    data: Buffer.from(data),
    contentType: 'text/plain',
    metadata,
  })
  const bulk = { pubsubName: 'bus', topic: 'orders', metadata: { a: '1', b: '1' } }

  it('hands all to a broker that takes many', async () => {
    const broker = new BulkBroker()
    const entries = [entry('1', 'x', { b: '2' }), entry('2', 'bad')]
    const failures = await publisher(broker).bulkPublish({ ...bulk, entries })
    expect(failures.map(({ entryId }) => entryId)).toEqual(['2'])
    expect(broker.bulks[0]!.entries.map(({ metadata }) => metadata)).toEqual([
      { a: '1', b: '2' },
      { a: '1', b: '1' },
    ])
    expect(json(broker.bulks[0]!.entries[0]!.data)).toMatchObject({ data: 'x', topic: 'orders' })
  })

  it('publishes one by one otherwise, and names those that failed in order', async () => {
    const broker = new FakeBroker()
    broker.failPublish = ({ data }) => (Buffer.from(data).includes('bad') ? new Error('no') : undefined)
    const entries = [entry('1', 'bad'), entry('2', 'x'), entry('3', 'x'), entry('4', 'bad')]
    const failures = await publisher(broker).bulkPublish({ ...bulk, entries })
    expect(failures.map(({ entryId }) => entryId)).toEqual(['1', '4'])
    expect(broker.published).toHaveLength(2)
  })

  it('fails every entry when the broker fails as a whole', async () => {
    const broker = new BulkBroker()
    broker.bulkPublish = () => Promise.reject(new Error('away'))
    const failures = await publisher(broker).bulkPublish({
      ...bulk,
      entries: [entry('1', 'x'), entry('2', 'y')],
    })
    expect(failures.map(({ entryId }) => entryId)).toEqual(['1', '2'])
    expect(failures[0]!.error.message).toContain('away')
  })
})
