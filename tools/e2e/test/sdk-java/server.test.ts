import { afterAll, beforeAll, expect, test } from 'vitest'
import { endSidecars } from '../../src/index.ts'
import { describePeers } from '../grpc-interop/describe-peers.ts'
import { Shop } from '../sdk/shop.ts'
import { server } from './programs.ts'

afterAll(endSidecars)

describePeers('the Java SDK 1.16.1 with Spring Boot', server.missing, () => {
  let shop: Shop
  beforeAll(async () => {
    shop = await Shop.start(server, (port) => [port], [])
  }, 300_000)
  afterAll(() => shop.stop())

  test('invocation', async () => {
    const headers = { 'content-type': 'application/json', 'x-mine': 'yes' }
    const put = { method: 'PUT', headers, body: '{"n":7}' }
    const { status, text } = await shop.invoke('echo?a=1%202', put)
    expect(status).toBe(200)
    expect(JSON.parse(text)).toEqual({ order: { n: 7, urgent: false }, a: '1 2', mine: 'yes' })
    expect((await shop.invoke('failing', { method: 'PUT' })).status).toBe(500)
    expect((await shop.invoke('absent')).status).toBe(404)
  })

  test('an input binding', async () => {
    await shop.received('ticks')
  })

  test('a topic', async () => {
    await shop.publish('plain', { n: 1 })
    expect(await shop.received('plain')).toMatchObject([
      { topic: 'plain', pubsubname: 'pubsub', type: 'com.dapr.event.sent', n: 1, traced: true },
    ])
  })

  test('what failed comes again', async () => {
    await shop.publish('retried', { n: 2 })
    const [first, second] = await shop.received('retried', 2)
    expect(second!['id']).toBe(first!['id'])
  })

  test('what is dropped goes to the topic for dead letters', async () => {
    await shop.publish('dropped', { n: 3 })
    expect(await shop.received('dead')).toMatchObject([{ n: 3 }])
  })

  test('a topic of raw messages', async () => {
    await shop.publish('raw', { n: 4 })
    const [event] = await shop.received('raw')
    const { data_base64: base64 } = JSON.parse(event!['body'] as string) as { data_base64: string }
    // What was published is an event, as the publisher did not ask for a raw message.
    expect(JSON.parse(Buffer.from(base64, 'base64').toString())).toMatchObject({ data: { n: 4 } })
  })

  test('rules of a topic', async () => {
    const event = { specversion: '1.0', source: 's', type: 'order' }
    const type = 'application/cloudevents+json'
    await shop.publish('ruled', { n: 5 })
    await shop.publish('ruled', { ...event, id: '6', data: { n: 6, urgent: false } }, type)
    await shop.publish('ruled', { ...event, id: '7', data: { n: 7, urgent: true } }, type)
    expect(await shop.received('other')).toMatchObject([{ n: 5 }])
    expect(await shop.received('order')).toMatchObject([{ id: '6', n: 6 }])
    expect(await shop.received('urgent')).toMatchObject([{ id: '7', n: 7 }])
  })

  test('a topic in bulk', async () => {
    for (const n of [8, 9, 10]) await shop.publish('bulk', { n })
    const events = await shop.received('bulk', 3)
    expect(new Set(events.map(({ n }) => n))).toEqual(new Set([8, 9, 10]))
    expect((await shop.received('batch'))[0]).toMatchObject({ topic: 'bulk' })
  })
})
