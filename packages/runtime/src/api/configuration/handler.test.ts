import { ComponentError, type ConfigurationChanges } from '@outrigger/spec'
import { recordingLogger, seededRandom, settle, virtualClock } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { FakeApp } from '../../../test/support/fake-app.ts'
import { FakeConfiguration } from '../../../test/support/fake-configuration.ts'
import { policiesOf } from '../../../test/support/resiliency.ts'
import type { Resiliency } from '../../resiliency/provider.ts'
import { ConfigurationHandler, type ConfigurationParts } from './handler.ts'

function setUp(
  store = new FakeConfiguration(),
  app: FakeApp | undefined = new FakeApp(),
  policyOf?: ConfigurationParts['policyOf'],
) {
  const clock = virtualClock()
  const logger = recordingLogger()
  const stores = new Map([['store', { instance: store }]])
  const handler = new ConfigurationHandler({
    policyOf,
    stores,
    channel: app,
    clock,
    random: seededRandom(1),
    logger,
  })
  return { store, app: app!, clock, logger, handler, stores }
}

function listening() {
  const told: { readonly id: string; readonly changes: ConfigurationChanges }[] = []
  return { told, listener: (id: string, changes: ConfigurationChanges) => void told.push({ id, changes }) }
}

test('gets what the store gives, with keys and metadata as they came', async () => {
  const { store, handler } = setUp()
  store.items.set('a', { value: '1', version: 'v' })
  expect(await handler.get('store', ['a', 'b'], { label: 'x' }, {})).toEqual({
    a: { value: '1', version: 'v' },
  })
  expect(store.requests).toEqual([{ keys: ['a', 'b'], metadata: { label: 'x' } }])
})

test('a failure of the store names keys and store; what is no ComponentError stays in the log', async () => {
  const { store, handler, logger } = setUp()
  store.failGet = new ComponentError('UNAVAILABLE', 'no connection')
  await expect(handler.get('store', ['a', 'b'], {}, {})).rejects.toMatchObject({
    id: 'CONFIGURATION_GET',
    message: 'failed to get [a b] from Configuration store store: no connection',
  })
  store.failGet = new TypeError('password=hunter2')
  const error = await handler.get('store', [], {}, {}).catch((caught: unknown) => caught as Error)
  expect((error as Error).message).not.toContain('hunter2')
  expect(logger.messages('error')).toHaveLength(1)
})

test('no store, another store, too many keys', async () => {
  const { handler, stores } = setUp()
  await expect(handler.get('other', [], {}, {})).rejects.toMatchObject({
    id: 'CONFIGURATION_STORE_NOT_FOUND',
    message: 'configuration store other not found',
  })
  await expect(handler.get('store', Array(10_001).fill('k'), {}, {})).rejects.toMatchObject({
    id: 'MALFORMED_REQUEST',
  })
  stores.clear()
  await expect(handler.get('store', [], {}, {})).rejects.toMatchObject({
    id: 'CONFIGURATION_STORE_NOT_CONFIGURED',
  })
})

test('each subscription has an id of its own, hears its changes, and is silent after unsubscribe', async () => {
  const { store, handler } = setUp()
  const [one, two] = [listening(), listening()]
  const first = await handler.subscribe('store', ['a'], { m: '1' }, one.listener, {})
  const second = await handler.subscribe('store', ['a'], {}, two.listener, {})
  expect(first.id).not.toBe(second.id)
  expect(store.watching[0]!.request).toEqual({ keys: ['a'], metadata: { m: '1' } })
  await store.watching[0]!.onChange({ a: { value: '1' } })
  expect([one.told, two.told]).toEqual([[{ id: first.id, changes: { a: { value: '1' } } }], []])

  handler.unsubscribe('store', first.id)
  await first.ended
  expect(store.watching.map(({ closed }) => closed)).toEqual([true, false])
  await store.watching[0]!.onChange({ a: { value: '2' } })
  expect(one.told).toHaveLength(1)
})

test('an id that is not there, is over, or is of another store cannot be unsubscribed', async () => {
  const { store, handler, stores } = setUp()
  stores.set('other', { instance: new FakeConfiguration() })
  const { id, ended } = await handler.subscribe('store', [], {}, listening().listener, {})
  const refused = (storeName: string, wrong: string): void =>
    expect(() => handler.unsubscribe(storeName, wrong)).toThrow(
      `failed to unsubscribe to configuration request ${wrong}: subscription with id ${wrong} does not exist`,
    )
  refused('store', 'nosuch')
  refused('other', id)
  store.watching[0]!.end(undefined)
  await ended
  refused('store', id)
})

test('a listener may unsubscribe while it is told, and is not waited for', async () => {
  const { store, handler } = setUp()
  let done = false
  const { id, ended } = await handler.subscribe(
    'store',
    ['a'],
    {},
    async (own) => {
      handler.unsubscribe('store', own)
      await settle()
      done = true
    },
    {},
  )
  await store.watching[0]!.onChange({ a: undefined })
  await ended
  expect(done).toBe(true)
  expect(() => handler.unsubscribe('store', id)).toThrow()
})

test('changes are told one after the other', async () => {
  const { store, handler } = setUp()
  const steps: string[] = []
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let count = 0
  await handler.subscribe(
    'store',
    [],
    {},
    async (_id, changes) => {
      steps.push(`begin ${changes['k']?.value}`)
      await gates[count++]!.promise
      steps.push(`end ${changes['k']?.value}`)
    },
    {},
  )
  const { onChange } = store.watching[0]!
  const both = Promise.all([onChange({ k: { value: '1' } }), onChange({ k: { value: '2' } })])
  await settle()
  expect(steps).toEqual(['begin 1'])
  gates[0]!.resolve()
  gates[1]!.resolve()
  await both
  expect(steps).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2'])
})

test('a listener that fails is logged, and is told further', async () => {
  const { store, handler, logger } = setUp()
  const heard: unknown[] = []
  await handler.subscribe(
    'store',
    [],
    {},
    (_id, changes) => {
      heard.push(changes)
      throw new Error('busy')
    },
    {},
  )
  await store.watching[0]!.onChange({ a: undefined })
  await store.watching[0]!.onChange({ b: undefined })
  expect(heard).toHaveLength(2)
  expect(logger.messages('error')).toHaveLength(2)
})

test('a subscription that ends with an error is made again with growing waits, and how things are is told', async () => {
  const { store, handler, clock } = setUp()
  const { told, listener } = listening()
  store.items.set('a', { value: '1' })
  const { id } = await handler.subscribe('store', ['a', 'b'], {}, listener, {})
  store.failSubscribe = 3
  store.watching[0]!.end(new ComponentError('UNAVAILABLE', 'gone'))
  await settle()
  expect(store.attempts).toBe(1)
  const waits: number[] = []
  while (store.watching.length < 2) {
    const before = clock.monotonic()
    expect(await clock.advanceToNext()).toBe(true)
    waits.push(clock.monotonic() - before)
  }
  expect(store.attempts).toBe(5)
  expect(waits).toHaveLength(4)
  expect(waits[0]).toBeGreaterThanOrEqual(250)
  expect(waits[3]).toBeGreaterThan(800)
  await settle()
  expect(told).toEqual([{ id, changes: { a: { value: '1' }, b: undefined } }])
  await store.watching[1]!.onChange({ a: { value: '2' } })
  expect(told[1]).toEqual({ id, changes: { a: { value: '2' } } })
  // The id is the same still.
  handler.unsubscribe('store', id)
  await settle()
  expect(store.watching[1]!.closed).toBe(true)
})

test('where how things are cannot be read after a new subscription, it is closed and made once more', async () => {
  const { store, handler, clock } = setUp()
  const { told, listener } = listening()
  store.items.set('a', { value: '1' })
  await handler.subscribe('store', [], {}, listener, {})
  store.failGet = new ComponentError('UNAVAILABLE', 'away')
  store.watching[0]!.end(new ComponentError('UNAVAILABLE', 'gone'))
  await settle()
  await clock.advanceToNext()
  expect([store.watching[1]!.closed, told]).toEqual([true, []])
  store.failGet = undefined
  await clock.advanceToNext()
  await settle()
  expect([store.watching[2]!.closed, told.length]).toEqual([false, 1])
})

test('a store that closes ends its subscriptions, and nothing is tried again', async () => {
  const { store, handler, clock } = setUp()
  const { ended } = await handler.subscribe('store', [], {}, listening().listener, {})
  await store.close()
  await ended
  expect(clock.pending).toBe(0)
})

test('a subscription that cannot be made says so, and leaves nothing', async () => {
  const { store, handler, clock } = setUp()
  store.failSubscribe = 1
  await expect(handler.subscribe('store', ['a'], {}, listening().listener, {})).rejects.toMatchObject({
    id: 'CONFIGURATION_SUBSCRIBE',
    message: 'failed to subscribe [a] from Configuration store store: the store is away',
  })
  expect(clock.pending).toBe(0)
})

test('a store that tells of no changes', async () => {
  const store = new FakeConfiguration()
  Object.assign(store, { subscribe: undefined })
  const { handler } = setUp(store)
  await expect(handler.subscribe('store', [], {}, listening().listener, {})).rejects.toMatchObject({
    id: 'CONFIGURATION_SUBSCRIBE',
  })
})

test('there is a limit, and what is over does not count', async () => {
  const { store, handler } = setUp()
  const { listener } = listening()
  for (let n = 0; n < 1000; n++) await handler.subscribe('store', [], {}, listener, {})
  await expect(handler.subscribe('store', [], {}, listener, {})).rejects.toMatchObject({
    message: expect.stringContaining('1000 subscriptions'),
  })
  store.watching[0]!.end(undefined)
  await settle()
  await handler.subscribe('store', [], {}, listener, {})
})

test('stop gives up what is being told, closes everything, and lets nothing begin', async () => {
  const { store, handler, clock } = setUp()
  let gaveUp = false
  await handler.subscribe(
    'store',
    [],
    {},
    (_id, _changes, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          gaveUp = true
          resolve()
        })
      }),
    {},
  )
  void store.watching[0]!.onChange({ a: undefined })
  await settle()
  // One that does not listen to its signal.
  await handler.subscribe('store', [], {}, () => new Promise(() => {}), {})
  void store.watching[1]!.onChange({ a: undefined })
  await settle()
  // One that waits to be made again.
  await handler.subscribe('store', [], {}, listening().listener, {})
  store.watching[2]!.end(new Error('gone'))
  await settle()
  await handler.stop()
  expect([gaveUp, store.watching[0]!.closed, clock.pending]).toEqual([true, true, 0])
  await expect(handler.subscribe('store', [], {}, listening().listener, {})).rejects.toMatchObject({
    id: 'CONFIGURATION_SUBSCRIBE',
  })
})

test('a caller that has gone leaves no subscription', async () => {
  const store = new FakeConfiguration()
  const { handler } = setUp(store)
  const caller = new AbortController()
  const subscribe = store.subscribe.bind(store)
  store.subscribe = async (...parameters) => {
    const made = await subscribe(...parameters)
    caller.abort()
    return made
  }
  await expect(
    handler.subscribe('store', [], {}, listening().listener, { signal: caller.signal }),
  ).rejects.toMatchObject({ id: 'CONFIGURATION_SUBSCRIBE' })
  expect(store.watching[0]!.closed).toBe(true)
})

test('the application is told with one POST for each key, each with all items, what is empty left out', async () => {
  const { store, app, handler } = setUp()
  const { id } = await handler.subscribeApp('store', [], {}, {})
  await store.watching[0]!.onChange({
    a: { value: '1', version: 'v1', metadata: { unit: 'kg' } },
    b: { value: '2', version: '', metadata: {} },
    gone: undefined,
  })
  expect(app.posts).toEqual(['/configuration/store/a', '/configuration/store/b', '/configuration/store/gone'])
  const items = { a: { value: '1', version: 'v1', metadata: { unit: 'kg' } }, b: { value: '2' }, gone: {} }
  for (const call of app.calls) {
    expect(JSON.parse(call.body)).toEqual({ id, items })
    expect(call.fields.get('content-type')).toBe('application/json')
  }
})

test('the application is told as often as the policy says, and no longer than it wants to hear', async () => {
  const policies: { all?: Resiliency } = {}
  const { store, app, clock, logger, handler } = setUp(undefined, undefined, (name) =>
    policies.all?.component(name, 'Configuration', 'Inbound'),
  )
  const spec = '  policies: {retries: {DefaultConfigurationComponentInboundRetryPolicy: {duration: 1s}}}'
  policies.all = await policiesOf(spec, clock, logger)
  const { id } = await handler.subscribeApp('store', ['k'], {}, {})
  app.handle = () => ({ status: app.calls.length < 3 ? 500 : 200 })
  const told = store.watching[0]!.onChange({ k: { value: 'x' } })
  await clock.advance(2000)
  await told
  expect(app.posts).toHaveLength(3)
  app.handle = () => ({ status: 500 })
  const untold = store.watching[0]!.onChange({ k: { value: 'y' } })
  await clock.advance(5500)
  expect(app.posts).toHaveLength(9)
  handler.unsubscribe('store', id)
  await untold
  await clock.advance(60_000)
  expect(app.posts).toHaveLength(9)
  expect(logger.messages('warn').at(-1)).toBe('the application did not take a configuration change')
})

test('keys are escaped, slashes stay, and none leads out of the folder of its store', async () => {
  const { store, app, handler } = setUp()
  await handler.subscribeApp('store', [], {}, {})
  for (const key of ['a b?c#d%', 'a/b', 'app||key', '../../admin', 'ключ', '__proto__']) {
    await store.watching[0]!.onChange(Object.fromEntries([[key, { value: 'x' }]]))
  }
  expect(app.posts).toEqual([
    '/configuration/store/a%20b%3Fc%23d%25',
    '/configuration/store/a/b',
    '/configuration/store/app%7C%7Ckey',
    '/configuration/store/..%2F..%2Fadmin',
    '/configuration/store/%D0%BA%D0%BB%D1%8E%D1%87',
    '/configuration/store/__proto__',
  ])
  expect(app.calls.at(-1)!.body).toContain('"__proto__":{"value":"x"}')
})

test('an application that refuses, is away or hangs is logged, and told of the next change', async () => {
  const { store, app, handler, logger, clock } = setUp()
  await handler.subscribeApp('store', ['k'], {}, {})
  const tell = (): Promise<void> => store.watching[0]!.onChange({ k: { value: 'x' } })
  app.handle = () => ({ status: 500 })
  await tell()
  app.down = true
  await tell()
  app.down = false
  app.handle = () => new Promise(() => {})
  const hanging = tell()
  await clock.advance(60_000)
  await hanging
  expect(logger.messages('warn')).toHaveLength(3)
  app.handle = () => ({})
  await tell()
  expect(logger.messages('warn')).toHaveLength(3)
})

test('without an application there is nobody to be told; the store is asked for first', async () => {
  const clock = virtualClock()
  const handler = new ConfigurationHandler({
    stores: new Map([['store', { instance: new FakeConfiguration() }]]),
    channel: undefined,
    clock,
    random: seededRandom(1),
    logger: recordingLogger(),
  })
  await expect(handler.subscribeApp('store', [], {}, {})).rejects.toMatchObject({
    id: 'APP_CHANNEL_NIL',
    message: 'app channel is not initialized. cannot subscribe to configuration updates',
  })
  await expect(handler.subscribeApp('other', [], {}, {})).rejects.toMatchObject({
    id: 'CONFIGURATION_STORE_NOT_FOUND',
  })
})
