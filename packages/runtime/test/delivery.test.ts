import { createServer } from '@outrigger/wire'
import type { Server } from '@outrigger/wire'
import { freePort, recordingLogger, seededRandom, virtualClock } from '@outrigger/testkit'
import { expect, it } from 'vitest'
import { createHttpChannel } from '../src/app/http-channel.ts'
import { createPubSubEngine } from '../src/pubsub/engine.ts'
import { FakeBroker, livePubSub } from './support/fake-broker.ts'

/** An application over real HTTP, which goes away and comes back. */
it('finds the application, delivers to it, and survives its absence', async () => {
  const port = await freePort()
  const received: unknown[] = []
  const startApp = async (): Promise<Server> => {
    const server = createServer({}, async (request, response) => {
      if (request.path === '/dapr/subscribe') {
        const rules = [{ match: 'event.data.total > 100', path: '/large' }]
        const item = { pubsubname: 'bus', topic: 'orders', routes: { rules, default: '/small' } }
        response.send(200, ['content-type', 'application/json'], JSON.stringify([item]))
        return
      }
      const event = JSON.parse(Buffer.from(await request.body.bytes()).toString()) as { data: unknown }
      received.push([request.path, request.fields.get('content-type'), event.data])
      response.send(200, [], '{"status":"SUCCESS"}')
    })
    await server.listen({ host: '127.0.0.1', port })
    return server
  }
  const channel = createHttpChannel({ host: '127.0.0.1', port, secure: false, maxConcurrency: 1 })
  const broker = new FakeBroker()
  const clock = virtualClock()
  const engine = createPubSubEngine({
    pubsubs: new Map([['bus', livePubSub('bus', broker)]]),
    channel,
    appId: 'shop',
    namespace: '',
    subscriptions: [],
    logger: recordingLogger(),
    clock,
    random: seededRandom(1),
  })
  const publish = (total: number): Promise<void> =>
    engine.publish({
      pubsubName: 'bus',
      topic: 'orders',
      contentType: 'application/json',
      data: Buffer.from(JSON.stringify({ total })),
      metadata: {},
    })
  /** Hands the last published message on. */
  const pass = (): Promise<string> =>
    broker.deliver('orders', Buffer.from(broker.published.at(-1)!.data).toString())

  let app = await startApp()
  try {
    await engine.start()
    await publish(150)
    expect(await pass()).toBe('ack')
    await publish(50)
    expect(await pass()).toBe('ack')
    const type = 'application/cloudevents+json'
    expect(received).toEqual([
      ['/large', type, { total: 150 }],
      ['/small', type, { total: 50 }],
    ])

    await app.close(AbortSignal.abort())
    let refused: string | undefined
    void pass().then((settlement) => (refused = settlement))
    while (refused === undefined) await clock.advance(10)
    expect(refused).toBe('nack')
    app = await startApp()
    expect(await pass()).toBe('ack')
    expect(received).toHaveLength(3)
  } finally {
    await engine.stop()
    channel.close()
    await app.close(AbortSignal.abort())
  }
})
