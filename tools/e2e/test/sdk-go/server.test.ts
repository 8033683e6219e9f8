import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { endSidecars } from '../../src/index.ts'
import { describePeers } from '../grpc-interop/describe-peers.ts'
import { Shop } from '../sdk/shop.ts'
import { programs } from './programs.ts'

afterAll(endSidecars)

for (const [version, program] of programs) {
  describePeers(`the Go SDK ${version}`, program.missing, () => {
    describe.each(['http', 'grpc'] as const)('with a service over %s', (protocol) => {
      let shop: Shop
      beforeAll(async () => {
        const args = (port: string): string[] => ['serve', protocol, port, 'app-token']
        const flags = [`--app-protocol=${protocol}`, '--app-health-check-path=/health']
        shop = await Shop.start(program, args, flags, { APP_API_TOKEN: 'app-token' })
      }, 300_000)
      afterAll(() => shop.stop())

      test('AddHealthCheckHandler', async () => {
        await shop.received('health')
      })

      test('AddServiceInvocationHandler', async () => {
        const headers = { 'content-type': 'text/plain' }
        const put = { method: 'PUT', headers, body: 'hello' }
        const { status, type, text } = await shop.invoke('echo?a=1&b=%20', put)
        expect([status, type]).toEqual([200, 'application/json'])
        const echoed = { verb: 'PUT', query: 'a=1&b=%20', type: 'text/plain', data: 'hello' }
        expect(JSON.parse(text)).toEqual(echoed)
        expect(await shop.invoke('with/path')).toEqual({ status: 200, type: 'text/plain', text: 'path' })
        expect((await shop.invoke('nothing', { method: 'DELETE' })).status).toBe(200)
        const failed = await shop.invoke('failing')
        expect(failed.status).toBe(500)
        expect(failed.text).toContain('it cannot be done')
      })

      test('AddBindingInvocationHandler', async () => {
        await shop.received('ticks')
      })

      test('AddTopicEventHandler', async () => {
        await shop.publish('plain', { n: 1 })
        expect(await shop.received('plain')).toMatchObject([
          { topic: 'plain', pubsubname: 'pubsub', type: 'com.dapr.event.sent', data: { n: 1 } },
        ])
      })

      test('AddTopicEventHandler: tried again', async () => {
        await shop.publish('retried', { n: 2 })
        const [first, second] = await shop.received('retried', 2)
        expect(second!['id']).toBe(first!['id'])
      })

      test('AddTopicEventHandler: dropped', async () => {
        await shop.publish('dropped', { n: 3 })
        await shop.received('dropped')
        // The older one has no field for their topic.
        if (version !== '1.8.0') expect(await shop.received('dead')).toMatchObject([{ data: { n: 3 } }])
      })

      test('AddTopicEventHandler: raw messages', async () => {
        await shop.publish('raw', { n: 4 })
        await shop.received('raw')
      })

      test('AddTopicEventHandler: rules', async () => {
        const event = { specversion: '1.0', source: 's', type: 'order', datacontenttype: 'application/json' }
        const type = 'application/cloudevents+json'
        await shop.publish('ruled', { n: 5 })
        await shop.publish('ruled', { ...event, id: '6', data: { n: 6, urgent: false } }, type)
        await shop.publish('ruled', { ...event, id: '7', data: { n: 7, urgent: true } }, type)
        expect(await shop.received('other')).toMatchObject([{ data: { n: 5 } }])
        expect(await shop.received('order')).toMatchObject([{ id: '6', data: { n: 6 } }])
        expect(await shop.received('urgent')).toMatchObject([{ id: '7', data: { n: 7 } }])
      })

      if (version === '1.8.0') return
      test('AddTopicEventSubscriber', async () => {
        await shop.publish('subscriber', { n: 8 })
        expect(await shop.received('subscriber')).toMatchObject([{ data: { n: 8 } }])
      })
    })
  })
}
