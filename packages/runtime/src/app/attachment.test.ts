import { recordingLogger, seededRandom, settle, virtualClock } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { FakeApp } from '../../test/support/fake-app.ts'
import { FakeBroker, livePubSub } from '../../test/support/fake-broker.ts'
import { createInputBindings } from '../bindings/input.ts'
import { createPubSubEngine } from '../pubsub/engine.ts'
import { Attachment } from './attachment.ts'

const health = { enabled: true, path: '/healthz', intervalMs: 1000, timeoutMs: 500, threshold: 1 }

function setUp({ watched = true, silent = false } = {}) {
  const app = new FakeApp()
  const clock = virtualClock()
  const random = seededRandom(1)
  const logger = recordingLogger()
  const broker = new FakeBroker()
  const state = { healthy: true, discovered: 0 }
  app.handle = async ({ path }) => {
    if (path === '/healthz') return { status: state.healthy ? 200 : 503 }
    if (path !== '/dapr/subscribe') return {}
    state.discovered++
    if (silent && state.discovered === 1) await new Promise(() => {})
    return { body: JSON.stringify([{ pubsubname: 'bus', topic: 'orders', route: '/orders' }]) }
  }
  const engine = createPubSubEngine({
    pubsubs: new Map([['bus', livePubSub('bus', broker)]]),
    channel: app,
    appId: 'shop',
    namespace: 'default',
    subscriptions: [],
    logger,
    clock,
    random,
  })
  const bindings = createInputBindings({ bindings: new Map(), channel: app, logger, clock, random })
  const attachment = new Attachment({
    options: {
      appId: 'shop',
      disableInitEndpoints: [],
      appPort: 1,
      appChannelAddress: '127.0.0.1',
      appHealth: { ...health, enabled: watched },
    },
    channel: app,
    overNetwork: false,
    engine,
    bindings,
    logger,
    clock,
  })
  return {
    attachment,
    clock,
    broker,
    state,
    logger,
    topics: () => broker.subscribed.filter(({ closed }) => !closed).map(({ request }) => request.topic),
  }
}

test('messages flow when the application is there, and end with it', async () => {
  const { attachment, topics } = setUp({ watched: false })
  await attachment.start()
  expect(attachment.healthy).toBe(true)
  expect(topics()).toEqual(['orders'])
  await attachment.stop(new AbortController().signal)
  expect(topics()).toEqual([])
})

test('they flow while the application is healthy', async () => {
  const { attachment, clock, state, topics } = setUp()
  state.healthy = false
  await attachment.start()
  await settle()
  expect([attachment.healthy, topics()]).toEqual([false, []])
  state.healthy = true
  await clock.advance(1000)
  expect([attachment.healthy, topics()]).toEqual([true, ['orders']])
  state.healthy = false
  await clock.advance(1000)
  expect([attachment.healthy, topics()]).toEqual([false, []])
  state.healthy = true
  await clock.advance(1000)
  expect(topics()).toEqual(['orders'])
  expect(state.discovered).toBe(1)
  await attachment.stop(new AbortController().signal)
  expect(topics()).toEqual([])
  expect(clock.pending).toBe(0)
})

test('an application that dies while it is asked for its subscriptions is asked anew when it is back', async () => {
  const { attachment, clock, state, topics } = setUp({ silent: true })
  await attachment.start()
  await settle()
  expect(state.discovered).toBe(1)
  state.healthy = false
  await clock.advance(1000)
  state.healthy = true
  // Well before the first question would have been given up.
  await clock.advance(1000)
  expect(state.discovered).toBe(2)
  expect(topics()).toEqual(['orders'])
  await attachment.stop(new AbortController().signal)
})

test('a stop does not wait for an application that does not answer', async () => {
  const { attachment, clock, topics } = setUp({ watched: false, silent: true })
  const started = attachment.start()
  await settle()
  await attachment.stop(new AbortController().signal)
  await started
  expect([topics(), clock.pending]).toEqual([[], 0])
})

test('nothing is taken any more once that was said, however healthy the application is', async () => {
  const { attachment, clock, state, topics } = setUp()
  await attachment.start()
  await clock.advance(1000)
  expect(topics()).toEqual(['orders'])
  attachment.takeNoMore()
  await settle()
  expect(topics()).toEqual([])
  state.healthy = false
  await clock.advance(1000)
  expect(attachment.healthy).toBe(false)
  state.healthy = true
  await clock.advance(1000)
  expect([attachment.healthy, topics()]).toEqual([true, []])
  await attachment.stop(new AbortController().signal)
  expect(clock.pending).toBe(0)
})
