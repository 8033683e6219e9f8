import { seededRandom, waitFor } from '@outrigger/testkit'
import { afterEach, describe, expect, test } from 'vitest'
import { component, endSidecars, startSidecar, type Sidecar } from '../../src/index.ts'
import { counts, durable, publish } from '../delivery/brokers.ts'
import { seedOf } from '../delivery/course.ts'
import { Stream } from './stream.ts'

const streams: Stream[] = []
afterEach(async () => {
  for (const stream of streams.splice(0)) stream.close()
  await endSidecars()
})

async function open(sidecar: Sidecar, topic = 'orders', deadLetterTopic?: string): Promise<Stream> {
  const more = deadLetterTopic === undefined ? {} : { deadLetterTopic }
  const stream = await Stream.open(sidecar.grpcPort, { pubsubName: 'pubsub', topic, ...more })
  streams.push(stream)
  return stream
}

const numberOf = (data: Uint8Array): string => (JSON.parse(Buffer.from(data).toString()) as { id: string }).id

describe('a subscription by stream', () => {
  const inMemory = component('pubsub', 'pubsub.in-memory', {
    metadata: { redeliverInterval: '20ms' },
  })
  const start = (resources = inMemory) => startSidecar({ appId: 'shop', resources })

  test('gets events without an application, and is seen in the metadata as long as it is there', async () => {
    const sidecar = await start()
    const stream = await open(sidecar)
    stream.onEvent = ({ id }) => stream.answer(id)
    expect(await publish(sidecar, 'one')).toBe(true)
    await waitFor(() => stream.events.length === 1, { what: 'the event' })
    expect(stream.events[0]).toMatchObject({
      topic: 'orders',
      pubsubName: 'pubsub',
      source: 'shop',
      type: 'com.dapr.event.sent',
      specVersion: '1.0',
      dataContentType: 'application/json',
      path: '/',
    })
    expect(numberOf(stream.events[0]!.data)).toBe('one')
    const listed = async (): Promise<unknown[]> =>
      ((await (await fetch(`${sidecar.url}/v1.0/metadata`)).json()) as { subscriptions?: unknown[] })
        .subscriptions ?? []
    expect(await listed()).toMatchObject([{ pubsubname: 'pubsub', topic: 'orders', type: 'STREAMING' }])
    stream.finish()
    await waitFor(() => stream.ended, { what: 'the end' })
    // After which SDKs subscribe again, should they not have meant to finish.
    expect(stream.ended).toEqual({ code: 2, details: 'EOF' })
    await waitFor(async () => (await listed()).length === 0, { what: 'it is listed no more' })
  })

  test('is answered RETRY and DROP, with a place for what is dropped', async () => {
    const sidecar = await start()
    const dead = await open(sidecar, 'dead')
    dead.onEvent = ({ id }) => dead.answer(id)
    const stream = await open(sidecar, 'orders', 'dead')
    stream.onEvent = ({ id }) => stream.answer(id, 2)
    const patient = await open(sidecar, 'later')
    let tries = 0
    patient.onEvent = ({ id }) => patient.answer(id, ++tries < 3 ? 1 : 0)
    await publish(sidecar, 'one')
    await publish(sidecar, 'two', 'later')
    await waitFor(() => dead.events.length === 1 && tries === 3, { what: 'dead letter and retries' })
    expect(numberOf(dead.events[0]!.data)).toBe('one')
  })

  test.each([
    ['a broker that is not there', { pubsubName: 'none', topic: 'orders' }, 3, /none/],
    ['no topic', { pubsubName: 'pubsub', topic: '' }, 3, /topic/],
    ['no broker', { pubsubName: '', topic: 'orders' }, 3, /pubsub name is empty/],
    ['a topic that is not allowed', { pubsubName: 'pubsub', topic: 'secret' }, 7, /secret/],
  ])('is refused for %s', async (_, initial, code, text) => {
    const metadata = { allowedTopics: 'orders' }
    const sidecar = await start(component('pubsub', 'pubsub.in-memory', { metadata }))
    const stream = await Stream.open(sidecar.grpcPort, initial)
    streams.push(stream)
    expect(stream.subscribed).toBe(false)
    await waitFor(() => stream.ended, { what: 'the end' })
    expect(stream.ended!.details).toMatch(text)
    expect(stream.ended!.code).toBe(code)
  })

  test('must subscribe first, and once', async () => {
    const sidecar = await start()
    const eager = new Stream(sidecar.grpcPort, undefined)
    streams.push(eager)
    eager.answer('1')
    const greedy = await open(sidecar)
    greedy.send({ case: 'initialRequest', value: { pubsubName: 'pubsub', topic: 'more' } })
    await waitFor(() => eager.ended !== undefined && greedy.ended !== undefined, { what: 'both ends' })
    expect([eager.ended!.code, greedy.ended!.code]).toEqual([3, 3])
  })

  test('ends with the sidecar, and what is under way may finish', async () => {
    const sidecar = await start()
    const stream = await open(sidecar)
    await publish(sidecar, 'one')
    await waitFor(() => stream.events.length === 1, { what: 'the event' })
    const stopped = sidecar.stop()
    await sidecar.child.line(/stop|shut/i)
    stream.answer(stream.events[0]!.id)
    await waitFor(() => stream.ended, { what: 'the end' })
    expect(stream.ended!.code).toBe(14)
    await stopped
  })
})

describe('streams that come and go', () => {
  durable((broker) => {
    test('lose nothing that they did not answer', { timeout: 60_000 }, async () => {
      const random = seededRandom(seedOf(20261121))
      const sidecar = await startSidecar({
        appId: 'shop',
        resources: broker.resources('.', 'soon'),
      })
      const processed: string[] = []
      let breaks = 0
      const run = async (): Promise<Stream> => {
        const stream = await open(sidecar)
        stream.onEvent = ({ id, data }) => {
          const chance = random.next()
          // Breaks off before the answer, or answers that it cannot.
          if (chance < 0.05) {
            breaks++
            stream.close()
            void run()
          } else if (chance < 0.1) stream.answer(id, 1)
          else {
            processed.push(numberOf(data))
            stream.answer(id)
          }
        }
        return stream
      }
      await Promise.all([run(), run()])
      const ids = Array.from({ length: 150 }, (_, index) => `m${index}`)
      for (const id of ids) expect(await publish(sidecar, id)).toBe(true)
      await waitFor(() => new Set(processed).size === ids.length, {
        what: 'every message is processed',
        deadlineMs: 40_000,
      })
      const twice = [...counts(processed).values()].filter((count) => count > 1).length
      console.log(
        `${ids.length} published, all processed, ${twice} more than once, ${breaks} streams broken off`,
      )
      expect(breaks).toBeGreaterThan(0)
    })
  })
})
