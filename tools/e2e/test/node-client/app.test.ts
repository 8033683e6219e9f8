import { createClient, type Client } from '@outrigger/client'
import { createApp, type App, type BindingEvent, type TopicEvent } from '@outrigger/client/app'
import { createClient as createInProcessClient } from '@outrigger/client/in-process'
import { createRuntime } from '@outrigger/runtime'
import { recordingLogger, waitFor } from '@outrigger/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { component, modulesPath, startSidecar } from '../../src/index.ts'
import { frameworks } from './servers.ts'

const resources = [
  component('bus', 'pubsub.in-memory'),
  component('tick', 'bindings.cron', { metadata: { schedule: '@every 1s' } }),
  component('memory', 'state.in-memory'),
]

interface Order {
  readonly id: string
  readonly item: string
}

interface Seen {
  readonly orders: TopicEvent<Order>[]
  readonly canoes: string[]
  readonly retried: string[]
  readonly dead: string[]
  readonly raw: TopicEvent<Uint8Array>[]
  readonly batches: string[][]
  readonly ticks: BindingEvent[]
  readonly errors: string[]
}

function seenBy(): { app: App; seen: Seen } {
  const seen: Seen = {
    orders: [],
    canoes: [],
    retried: [],
    dead: [],
    raw: [],
    batches: [],
    ticks: [],
    errors: [],
  }
  const app = createApp({ env: {}, logger: { error: (message) => seen.errors.push(message) } })
  app.subscribe<Order>('bus', 'orders', (event) => void seen.orders.push(event), {
    rules: [{ match: 'event.data.item == "canoe"', handler: ({ data }) => void seen.canoes.push(data.id) }],
  })
  app.subscribe<string>('bus', 'flaky', async ({ data }) => {
    seen.retried.push(data)
    if (seen.retried.length === 1) throw new Error('not yet')
    return seen.retried.length === 2 ? 'RETRY' : undefined
  })
  app.subscribe('bus', 'doomed', () => 'DROP', { deadLetterTopic: 'dead' })
  app.subscribe<string>('bus', 'dead', ({ data }) => void seen.dead.push(data))
  app.subscribe<Uint8Array>('bus', 'raw', (event) => void seen.raw.push(event), { rawPayload: true })
  app.subscribeBulk<string>(
    'bus',
    'many',
    (entries) => {
      seen.batches.push(entries.map(({ event }) => event.data))
      // One of them is to come again.
      const again = entries.find(({ event }) => event.data === 'b' && seen.batches.length === 1)
      return again === undefined
        ? undefined
        : new Map(entries.map(({ entryId }) => [entryId, entryId === again.entryId ? 'RETRY' : 'SUCCESS']))
    },
    { maxMessages: 3, maxAwaitMs: 200 },
  )
  app.binding('tick', (event) => void seen.ticks.push(event))
  app.method('greet', (call) => ({ hello: call.json<{ name: string }>()?.name, caller: call.callerAppId }))
  return { app, seen }
}

interface Place {
  readonly client: Client
  readonly url?: string
  stop(): Promise<void>
}

const places: Readonly<Record<string, (app: App) => Promise<Place>>> = {
  ...Object.fromEntries(
    Object.entries(frameworks).map(([name, start]) => [
      name,
      async (app: App): Promise<Place> => {
        const served = await start(app)
        const sidecar = await startSidecar({ appId: 'shop', resources, appPort: served.port })
        const client = createClient({ httpEndpoint: sidecar.url, env: {} })
        return {
          client,
          url: `http://127.0.0.1:${served.port}`,
          async stop() {
            await client.close()
            await sidecar.dispose()
            await served.close()
          },
        }
      },
    ]),
  ),
  async 'this process'(app) {
    const runtime = createRuntime({
      appId: 'shop',
      resources,
      modulesPaths: [modulesPath],
      logger: recordingLogger(),
      app: app.inProcess,
    })
    await runtime.start()
    await runtime.ready()
    const client = createInProcessClient({ runtime })
    return {
      client,
      async stop() {
        await client.close()
        await runtime.stop()
      },
    }
  },
}

describe.each(Object.keys(places))('an application in %s', (name) => {
  const { app, seen } = seenBy()
  let place: Place

  beforeAll(async () => {
    place = await places[name]!(app)
  })
  afterAll(() => place.stop())

  test('gets typed events, divided by rules', async () => {
    await place.client.pubsub.publish(
      'bus',
      'orders',
      { id: '1', item: 'paddle' },
      { metadata: { 'cloudevent.type': 'order' } },
    )
    await place.client.pubsub.publish('bus', 'orders', { id: '2', item: 'canoe' })
    await waitFor(() => seen.orders.length === 1 && seen.canoes.length === 1, { what: 'both orders' })
    expect(seen.orders[0]).toMatchObject({
      data: { id: '1', item: 'paddle' },
      type: 'order',
      source: 'shop',
      topic: 'orders',
      pubsubName: 'bus',
      dataContentType: 'application/json',
    })
    expect(seen.orders[0]!.time).toBeInstanceOf(Date)
    expect(seen.orders[0]!.traceparent).toMatch(/^00-/)
    expect(seen.canoes).toEqual(['2'])
  })

  test('gets a message again when it failed or asked for it', async () => {
    await place.client.pubsub.publish('bus', 'flaky', 'once')
    await waitFor(() => seen.retried.length === 3, { what: 'the third try', deadlineMs: 20_000 })
    expect(seen.errors.filter((message) => message.startsWith('a handler of messages failed'))).toHaveLength(
      1,
    )
  })

  test('drops a message into the dead letter topic', async () => {
    await place.client.pubsub.publish('bus', 'doomed', 'alas')
    await waitFor(() => seen.dead.length === 1, { what: 'the dead letter' })
    expect(seen.dead).toEqual(['alas'])
  })

  test('gets raw messages as bytes', async () => {
    await place.client.pubsub.publish('bus', 'raw', Buffer.from('{"a":1}'), { rawPayload: true })
    await waitFor(() => seen.raw.length === 1, { what: 'the raw message' })
    expect(Buffer.from(seen.raw[0]!.data).toString()).toBe('{"a":1}')
    expect(seen.raw[0]!.json()).toEqual({ a: 1 })
  })

  test('gets many at once, and one of them again', async () => {
    await place.client.pubsub.publishBulk('bus', 'many', [{ data: 'a' }, { data: 'b' }, { data: 'c' }])
    await waitFor(() => seen.batches.flat().length === 4, {
      what: 'the batch and a retry',
      deadlineMs: 20_000,
    })
    expect(seen.batches.flat().toSorted()).toEqual(['a', 'b', 'b', 'c'])
    expect(seen.batches[0]!.length).toBeGreaterThan(1)
  })

  test('is triggered by its binding', async () => {
    await waitFor(() => seen.ticks.length > 0, { what: 'a tick', deadlineMs: 20_000 })
    expect(seen.ticks[0]!.name).toBe('tick')
  })

  test('is invoked', async () => {
    const response = await place.client.invoke('shop', 'greet', { json: { name: 'Ada' } })
    expect(await response.json()).toEqual({ hello: 'Ada', caller: 'shop' })
  })

  test('is known to its sidecar by its subscriptions', async () => {
    const { subscriptions } = await place.client.metadata.get()
    expect(subscriptions.map(({ topic }) => topic).toSorted()).toEqual([
      'dead',
      'doomed',
      'flaky',
      'many',
      'orders',
      'raw',
    ])
    expect(subscriptions.find(({ topic }) => topic === 'doomed')).toMatchObject({
      deadLetterTopic: 'dead',
      type: 'PROGRAMMATIC',
    })
  })

  test.skipIf(name === 'this process')('leaves routes and parsers of the framework alone', async () => {
    const post = (type: string): Promise<Response> =>
      fetch(`${place.url}/own`, { method: 'POST', headers: { 'content-type': type }, body: '{"n":1}' })
    expect(await (await post('application/json')).json()).toEqual({ got: { n: 1 } })
    // What the framework takes by itself for a type that it has no parser for, it goes on to do.
    expect((await post('application/cloudevents+json')).status).toBe(name === 'Fastify' ? 415 : 200)
  })
})
