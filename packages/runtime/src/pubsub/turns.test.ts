import { recordingLogger, seededRandom, settle, virtualClock } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { FakeBroker, livePubSub } from '../../test/support/fake-broker.ts'
import { policiesOf } from '../../test/support/resiliency.ts'
import { createInProcessChannel } from '../app/in-process-channel.ts'
import type { Overload } from '../overload/guard.ts'
import { createPubSubEngine } from './engine.ts'

/** An application that takes one call at a time and answers when it is told to; one call may wait. */
async function setUp(spec: string, bulk = false, overload?: Overload) {
  const started: string[] = []
  const answers: (() => void)[] = []
  const channel = createInProcessChannel(
    async ({ path, signal }) => {
      started.push(path)
      await new Promise<void>((resolve) => {
        answers.push(resolve)
        signal?.addEventListener('abort', () => resolve(), { once: true })
      })
      return {}
    },
    { maxConcurrency: 1, maxWaiting: 1 },
  )
  const answer = async (): Promise<void> => {
    answers.shift()!()
    await settle()
  }
  const broker = new FakeBroker()
  const clock = virtualClock()
  const policies = await policiesOf(spec, clock)
  const engine = createPubSubEngine({
    pubsubs: new Map([['bus', livePubSub('bus', broker)]]),
    channel,
    appId: 'shop',
    namespace: '',
    subscriptions: [
      {
        kind: 'Subscription',
        name: 'orders',
        namespace: undefined,
        pubsubName: 'bus',
        topic: 'orders',
        rules: [],
        defaultPath: '/orders',
        metadata: {},
        deadLetterTopic: 'dead',
        bulk: bulk ? { maxMessages: 1, maxWaitMs: 1000 } : undefined,
        scopes: [],
        source: { file: 'subs.yaml', line: 1 },
      },
    ],
    discover: false,
    logger: recordingLogger(),
    clock,
    random: seededRandom(7),
    overload,
    policyOf: (name) => policies.component(name, 'Pubsub', 'Inbound'),
  })
  await engine.start()
  const deliver = (id: number) => broker.deliver('orders', JSON.stringify({ id: String(id), data: 1 }))
  return { channel, broker, clock, engine, deliver, started, answer }
}

const call = { method: 'GET', path: '/call', fields: ['dapr-caller-app-id', 'other'] }

test('messages wait however full the queue is, and calls take turns with them', async () => {
  const { channel, broker, engine, deliver, started, answer } = await setUp('')
  void channel.call(call)
  void channel.call(call)
  await expect(channel.call(call)).rejects.toMatchObject({ name: 'AppBusyError' })
  const messages = [1, 2, 3, 4].map(deliver)
  await settle()
  expect(started).toEqual(['/call'])
  await answer()
  expect(started).toEqual(['/call', '/call'])
  void channel.call(call)
  await settle()
  for (let count = 0; count < 6; count++) await answer()
  expect(await Promise.all(messages)).toEqual(['ack', 'ack', 'ack', 'ack'])
  expect(started.slice(2)).toEqual(['/orders', '/call', '/orders', '/orders', '/orders'])
  expect(broker.published).toEqual([])
  await engine.stop(AbortSignal.abort())
})

test.each([
  ['one by one', false],
  ['in bulk', true],
])('the time that messages wait is none of their policy, %s', async (_, bulk) => {
  const spec = `
  policies: {timeouts: {short: 1s}, retries: {few: {duration: 1s, maxRetries: 2}}}
  targets: {components: {bus: {inbound: {timeout: short, retry: few}}}}`
  const { channel, broker, clock, engine, deliver, started, answer } = await setUp(spec, bulk)
  void channel.call(call)
  const message = deliver(1)
  await settle()
  await clock.advance(60_000)
  expect(started).toEqual(['/call'])
  await answer()
  expect(started).toEqual(['/call', '/orders'])
  // Its own time runs from now on; what is tried again waits for a turn again, and holds none while it pauses.
  await clock.advance(1000)
  void channel.call(call)
  await settle()
  expect(started).toEqual(['/call', '/orders', '/call'])
  await clock.advance(60_000)
  expect(started).toHaveLength(3)
  expect(broker.published).toEqual([])
  await engine.stop(AbortSignal.abort())
  expect(await message).toBe('nack')
})

test('a message that waits ends with the engine, and takes no place with it', async () => {
  const { channel, engine, deliver, started, answer } = await setUp('')
  void channel.call(call)
  const message = deliver(1)
  await settle()
  await engine.stop(AbortSignal.abort())
  expect(await message).toBe('nack')
  await answer()
  void channel.call(call)
  await settle()
  expect(started).toEqual(['/call', '/call'])
})

/** Memory is short until somebody says that it is not. */
class Short implements Overload {
  over = true
  readonly waiting: (() => void)[] = []

  turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve)
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }
}

test.each([
  ['one by one', false],
  ['in bulk', true],
])('messages are held back while memory is short, and not given back, %s', async (_, bulk) => {
  const short = new Short()
  const { engine, deliver, started, answer } = await setUp('', bulk, short)
  const [first, second] = [deliver(1), deliver(2)]
  await settle()
  expect([started, short.waiting.length]).toEqual([[], 2])
  short.waiting[0]!()
  await settle()
  await answer()
  expect([await first, started]).toEqual(['ack', ['/orders']])
  await engine.stop(AbortSignal.abort())
  expect(await second).toBe('nack')
  expect(started).toHaveLength(1)
})
