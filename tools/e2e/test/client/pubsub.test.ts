import type { DaprClient, DaprPubSubStatusEnum, DaprServer } from '@dapr/dapr'
import { freePort, waitFor } from '@outrigger/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { component, endSidecars, Sidecar, type Json } from '../../src/index.ts'
import { clients, serverOf } from './clients.ts'

afterAll(endSidecars)

const brokers = [
  ['pubsub.in-memory', component('pubsub', 'pubsub.in-memory')],
  [
    'pubsub.sqlite',
    component('pubsub', 'pubsub.sqlite', {
      metadata: { connectionString: 'messages.db', redeliverInterval: '50ms' },
    }),
  ],
] as const

interface Received {
  readonly data: Json
  readonly headers: Json
}

describe.each(clients)('%s', (_name, sdk) => {
  describe.each(brokers)('%s', (_type, resources) => {
    const received = new Map<string, Received[]>()
    let server: DaprServer
    let client: DaprClient
    let sidecar: Sidecar

    /** Remembers what came, then answers. */
    const collect =
      (name: string, answer?: (data: Json, count: number) => DaprPubSubStatusEnum | undefined) =>
      async (data: Json, headers: Json): Promise<DaprPubSubStatusEnum | undefined> => {
        const list = received.get(name) ?? []
        received.set(name, list)
        list.push({ data, headers })
        return answer?.(data, list.length)
      }
    const came = (name: string, count = 1): Promise<Received[]> =>
      waitFor(() => ((received.get(name)?.length ?? 0) >= count ? received.get(name) : undefined), {
        what: `${count} messages for ${name}`,
      }) as Promise<Received[]>
    const data = async (name: string, count = 1): Promise<unknown[]> =>
      (await came(name, count)).map((message) => message.data)

    beforeAll(async () => {
      // The port of the sidecar must be known to both, so it is started first and waits for the application.
      const appPort = await freePort()
      sidecar = await Sidecar.launch({ appId: 'shop', appPort, resources })
      server = serverOf(sdk, sidecar.httpPort, appPort)
      client = server.client
      const { SUCCESS, RETRY, DROP } = sdk.DaprPubSubStatusEnum
      await server.pubsub.subscribe('pubsub', 'plain', collect('plain'))
      await server.pubsub.subscribe('pubsub', 'routed-one', collect('routed-one'), 'my-route')
      await server.pubsub.subscribe('pubsub', 'rules', async () => undefined, {
        default: '/other',
        rules: [
          { match: 'event.type == "order.created"', path: '/created' },
          { match: 'has(event.data.important) && event.data.important', path: '/important' },
        ],
      })
      for (const route of ['other', 'created', 'important']) {
        server.pubsub.subscribeToRoute('pubsub', 'rules', route, collect(`rules-${route}`))
      }
      await server.pubsub.subscribe(
        'pubsub',
        'retried',
        collect('retried', (_, count) => (count < 3 ? RETRY : SUCCESS)),
      )
      await server.pubsub.subscribe(
        'pubsub',
        'dropped',
        collect('dropped', () => DROP),
      )
      await server.pubsub.subscribeWithOptions('pubsub', 'poison', {
        callback: collect('poison', () => DROP),
        deadLetterTopic: 'poison-dead',
      })
      await server.pubsub.subscribe('pubsub', 'poison-dead', collect('poison-dead'))
      await server.pubsub.subscribe('pubsub', 'raw', collect('raw'), undefined, { rawPayload: true as never })
      await server.pubsub.subscribeBulk(
        'pubsub',
        'bulk',
        collect('bulk', (item, count) => (item.n === 2 && count < 6 ? RETRY : SUCCESS)),
        { maxMessagesCount: 10, maxAwaitDurationMs: 50 },
      )
      await server.start()
      await sidecar.ready()
    })
    afterAll(async () => {
      await sidecar.stop()
      await client.stop()
      await server.stop()
    })

    test('delivers objects, text, numbers in text, lists and bytes as they were published', async () => {
      const messages = [{ hello: 'wörld', n: 1.5 }, 'some text', '42', [1, 2, 3]]
      for (const message of messages)
        expect(await client.pubsub.publish('pubsub', 'plain', message)).toEqual({})
      const bytes = Buffer.from('bytes are bytes')
      await client.pubsub.publish('pubsub', 'plain', bytes, { contentType: 'application/octet-stream' })
      const got = await data('plain', 5)
      expect(got).toHaveLength(5)
      expect(got).toEqual(expect.arrayContaining([...messages, 'bytes are bytes']))
    })

    test('hands a CloudEvent through, and its type decides the route', async () => {
      const event = (type: string, data: object) => ({
        specversion: '1.0',
        id: `id-${type}`,
        source: 'the-test',
        type,
        datacontenttype: 'application/json',
        data,
      })
      const publish = (type: string, data: object) =>
        client.pubsub.publish('pubsub', 'rules', event(type, data), {
          contentType: 'application/cloudevents+json',
        })
      await publish('order.created', { id: 1 })
      await publish('order.changed', { id: 2, important: true })
      await publish('order.changed', { id: 3 })
      expect(await data('rules-created')).toEqual([{ id: 1 }])
      expect(await data('rules-important')).toEqual([{ id: 2, important: true }])
      expect(await data('rules-other')).toEqual([{ id: 3 }])
    })

    test('a route of its own choice', async () => {
      await client.pubsub.publish('pubsub', 'routed-one', { x: 1 })
      expect(await data('routed-one')).toEqual([{ x: 1 }])
    })

    test('RETRY brings a message again until it is taken', async () => {
      await client.pubsub.publish('pubsub', 'retried', { again: true })
      expect(await data('retried', 3)).toEqual([{ again: true }, { again: true }, { again: true }])
    })

    test('DROP takes a message away, to the dead letter topic where there is one', async () => {
      await client.pubsub.publish('pubsub', 'dropped', { n: 1 })
      await client.pubsub.publish('pubsub', 'poison', { n: 2 })
      expect(await data('poison-dead')).toEqual([{ n: 2 }])
      await client.pubsub.publish('pubsub', 'dropped', { n: 3 })
      expect((await data('dropped', 2)).toSorted((a: Json, b: Json) => a.n - b.n)).toEqual([
        { n: 1 },
        { n: 3 },
      ])
      expect(received.get('poison')).toHaveLength(1)
    })

    test('a raw payload travels without an envelope', async () => {
      await client.pubsub.publish('pubsub', 'raw', { raw: true }, { metadata: { rawPayload: 'true' } })
      expect(await data('raw')).toEqual([{ raw: true }])
    })

    test('publishes and subscribes in bulk, and only what was not taken comes again', async () => {
      const answer = await client.pubsub.publishBulk('pubsub', 'bulk', [
        { n: 1 },
        { entryID: 'mine', event: { n: 2 }, contentType: 'application/json', metadata: {} },
        { n: 3 },
        { n: 4 },
      ])
      expect(answer).toEqual({ failedMessages: [] })
      await waitFor(() => (received.get('bulk') ?? []).filter(({ data }) => data.n === 2).length >= 2)
      const counts = new Map<number, number>()
      for (const { data } of received.get('bulk')!) counts.set(data.n, (counts.get(data.n) ?? 0) + 1)
      expect([1, 3, 4].map((n) => counts.get(n))).toEqual([1, 1, 1])
    })

    test('entries of every kind in one bulk request', async () => {
      const seen = received.get('plain')?.length ?? 0
      await client.pubsub.publishBulk('pubsub', 'plain', ['text in bulk', { object: 'in bulk' }])
      expect((await data('plain', seen + 2)).slice(seen)).toEqual(
        expect.arrayContaining(['text in bulk', { object: 'in bulk' }]),
      )
    })

    test('errors come back as answers', async () => {
      const { error } = await client.pubsub.publish('nosuch', 'topic', { n: 1 })
      expect(error?.message).toContain('ERR_PUBSUB_NOT_FOUND')
      const bulk = await client.pubsub.publishBulk('nosuch', 'topic', [{ n: 1 }, { n: 2 }])
      expect(bulk.failedMessages).toHaveLength(2)
    })
  })
})
