import {
  ComponentError,
  type Binding,
  type BindingData,
  type ConfigurationStore,
  type CryptoProvider,
  type LockStore,
  type OperationOptions,
  type PubSub,
  type SecretStore,
} from '@outrigger/spec'
import { virtualClock } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { policiesOf } from '../../test/support/resiliency.ts'
import type { LoadedComponent } from './live.ts'
import { createRegistry } from './registry.ts'

const away = new ComponentError('UNAVAILABLE', 'away')
const retries = '  policies: {retries: {DefaultRetryPolicy: {duration: 1s, maxRetries: 3}}}'

/** A component within the policies of a resource, and the same without any. */
async function live<I>(kind: LoadedComponent['kind'], instance: I, spec = retries) {
  const clock = virtualClock()
  const all = await policiesOf(spec, clock)
  const resource = { name: 'c', type: `${kind}.mine`, source: { file: 'a.yaml', line: 1 }, metadata: [] }
  const component = {
    kind,
    resource,
    properties: { keyPrefix: 'none' },
    instance,
  } as unknown as LoadedComponent
  const names = { appId: 'app', resourceNamespace: undefined }
  const of = (resiliency?: typeof all) =>
    (createRegistry([component], names, resiliency)[kind as 'state'] as ReadonlyMap<string, unknown>).get(
      'c',
    ) as {
      readonly instance: I
    }
  const outcome = async <T>(work: Promise<T>): Promise<T | ComponentError> => {
    const settled = work.catch((error: unknown) => error as ComponentError)
    await clock.advance(100_000)
    return settled
  }
  return { clock, all, guarded: of(all).instance, plain: of().instance, outcome }
}

/** Fails `times` times, then answers. */
function failing<T>(times: number, answer: T) {
  let calls = 0
  const method = async (...args: unknown[]): Promise<T> => {
    calls++
    seen.push(args)
    if (calls <= times) throw away
    return answer
  }
  const seen: unknown[][] = []
  return { method, seen }
}

const close = async (): Promise<void> => {}

test.each(['state', 'pubsub', 'bindings', 'secretstores', 'configuration', 'crypto'] as const)(
  '%s: where no policy applies there is nothing around the component',
  async (kind) => {
    const instance = { capabilities: new Set(), close }
    const { guarded, plain } = await live(kind, instance, '  targets: {components: {other: {outbound: {}}}}')
    expect([guarded === instance, plain === instance]).toEqual([true, true])
  },
)

test('a broker: publish', async () => {
  const { method, seen } = failing(2, undefined)
  const broker = { capabilities: new Set(), publish: method, subscribe: method, close } as unknown as PubSub
  const { guarded, outcome } = await live('pubsub', broker)
  const request = { topic: 't', data: new Uint8Array(), metadata: {} }
  const options = { traceparent: '00-x' }
  expect(await outcome(guarded.publish(request, options))).toBeUndefined()
  expect(seen).toEqual([
    [request, options],
    [request, options],
    [request, options],
  ])
  expect('bulkPublish' in guarded).toBe(false)
})

test('a broker: of a bulk only the entries that failed are published again', async () => {
  const asked: string[][] = []
  const broker = {
    capabilities: new Set(['bulkPublish']),
    bulkPublish: async ({ entries }: { entries: { entryId: string }[] }) => {
      asked.push(entries.map(({ entryId }) => entryId))
      return asked.length < 3 ? entries.slice(1).map(({ entryId }) => ({ entryId, error: away })) : []
    },
    close,
  } as unknown as PubSub
  const { guarded, outcome } = await live('pubsub', broker)
  const entries = ['1', '2', '3', '4'].map((entryId) => ({ entryId, data: new Uint8Array(), metadata: {} }))
  expect(await outcome(guarded.bulkPublish!({ topic: 't', entries, metadata: {} }, {}))).toEqual([])
  expect(asked).toEqual([
    ['1', '2', '3', '4'],
    ['2', '3', '4'],
    ['3', '4'],
  ])
})

test('a broker: what fails to be subscribed to is not repeated here', async () => {
  const { method, seen } = failing(1, undefined)
  const { guarded } = await live('pubsub', {
    capabilities: new Set(),
    subscribe: method,
    close,
  } as unknown as PubSub)
  await expect(guarded.subscribe({ topic: 't', metadata: {} }, async () => 'ack', {})).rejects.toBe(away)
  expect(seen).toHaveLength(1)
})

function outputs(invoke: (request: unknown, options: OperationOptions) => Promise<unknown>): Binding {
  return { capabilities: new Set(['output']), operations: ['create'], invoke, close } as unknown as Binding
}

async function* stream(...parts: (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Error) throw part
    yield Buffer.from(part)
  }
}

test('a binding: a request in memory is repeated, a stream is not', async () => {
  for (const [data, tries] of [
    [Buffer.from('x'), 4],
    [stream('x'), 1],
  ] as [BindingData, number][]) {
    const { method, seen } = failing(9, {})
    const { guarded, outcome } = await live('bindings', outputs(method))
    expect(await outcome(guarded.invoke!({ operation: 'create', data, metadata: {} }, {}))).toBe(away)
    expect(seen).toHaveLength(tries)
  }
})

test('a binding: the breaker hears how the stream of an answer ended', async () => {
  const spec =
    '  policies: {circuitBreakers: {DefaultCircuitBreakerPolicy: {trip: consecutiveFailures >= 1}}}'
  const answers = [stream('a', 'b'), stream('a', away)]
  const { guarded, all } = await live(
    'bindings',
    outputs(async () => ({ data: answers.shift() })),
    spec,
  )
  const { breaker } = all.component('c', 'Binding', 'Outbound')!
  const invoke = async () => {
    const { data } = await guarded.invoke!({ operation: 'create', data: Buffer.from(''), metadata: {} }, {})
    const parts: string[] = []
    for await (const part of data as AsyncIterable<Uint8Array>) parts.push(Buffer.from(part).toString())
    return parts
  }
  expect(await invoke()).toEqual(['a', 'b'])
  expect(breaker?.counts).toMatchObject({ requests: 1, totalSuccesses: 1 })
  await expect(invoke()).rejects.toBe(away)
  expect(breaker?.lastState).toBe('open')
})

test('a binding: a reader who has had enough is no failure', async () => {
  const spec =
    '  policies: {circuitBreakers: {DefaultCircuitBreakerPolicy: {trip: consecutiveFailures >= 1}}}'
  const { guarded, all } = await live(
    'bindings',
    outputs(async () => ({ data: stream('a', 'b') })),
    spec,
  )
  const { data } = await guarded.invoke!({ operation: 'create', data: Buffer.from(''), metadata: {} }, {})
  for await (const _part of data as AsyncIterable<Uint8Array>) break
  expect(all.component('c', 'Binding', 'Outbound')!.breaker?.counts.totalSuccesses).toBe(1)
})

test('a binding: the stream of an answer that came too late is closed', async () => {
  const late = Promise.withResolvers<{ data: BindingData }>()
  const closed: boolean[] = []
  const spec = '  policies: {timeouts: {DefaultTimeoutPolicy: 1s}}'
  const { guarded, outcome, clock } = await live(
    'bindings',
    outputs(() => late.promise),
    spec,
  )
  const request = { operation: 'create', data: Buffer.from(''), metadata: {} }
  expect(await outcome(guarded.invoke!(request, {}))).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  const data = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<never>(() => {}),
      return: () => {
        closed.push(true)
        return Promise.resolve({ done: true as const, value: undefined })
      },
    }),
  }
  late.resolve({ data })
  await clock.advance(0)
  expect(closed).toEqual([true])
})

test('secrets, locks and configuration', async () => {
  const secret = failing(2, { a: 'b' })
  const all = failing(1, {})
  const secrets = await live('secretstores', {
    capabilities: new Set(),
    get: secret.method,
    bulkGet: all.method,
    close,
  } as unknown as SecretStore)
  expect(await secrets.outcome(secrets.guarded.get({ name: 's', metadata: {} }, {}))).toEqual({ a: 'b' })
  expect(await secrets.outcome(secrets.guarded.bulkGet({ m: '1' }, {}))).toEqual({})
  expect([secret.seen.length, all.seen]).toEqual([
    3,
    [
      [{ m: '1' }, {}],
      [{ m: '1' }, {}],
    ],
  ])

  const lock = failing(2, true)
  const locks = await live('lock', {
    capabilities: new Set(),
    tryLock: lock.method,
    unlock: failing(1, 'success').method,
    close,
  } as unknown as LockStore)
  const request = { resourceId: 'r', owner: 'o', expirySeconds: 1 }
  expect(await locks.outcome(locks.guarded.tryLock(request, {}))).toBe(true)
  expect(lock.seen[2]).toEqual([{ ...request, resourceId: 'lock||r' }, {}])
  expect(await locks.outcome(locks.guarded.unlock({ resourceId: 'r', owner: 'o' }, {}))).toBe('success')

  const items = failing(2, {})
  const configuration = await live('configuration', {
    capabilities: new Set(),
    get: items.method,
    close,
  } as unknown as ConfigurationStore)
  const wanted = { keys: ['k'], metadata: {} }
  expect(await configuration.outcome(configuration.guarded.get(wanted, {}))).toEqual({})
  expect('subscribe' in configuration.guarded).toBe(false)
})

test('a configuration store: a subscription that was made too late is closed', async () => {
  const late = Promise.withResolvers<{ ended: Promise<undefined>; close(): Promise<void> }>()
  let closed = 0
  const store = { capabilities: new Set(['subscribe']), subscribe: () => late.promise, close }
  const spec = '  policies: {timeouts: {DefaultTimeoutPolicy: 1s}}'
  const { guarded, outcome, clock } = await live(
    'configuration',
    store as unknown as ConfigurationStore,
    spec,
  )
  const subscribing = guarded.subscribe!({ keys: [], metadata: {} }, async () => {}, {})
  expect(await outcome(subscribing)).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  late.resolve({ ended: new Promise(() => {}), close: async () => void closed++ })
  await clock.advance(0)
  expect(closed).toBe(1)
})

test('keys: each method that there is, and what cannot be served is not repeated', async () => {
  const names = ['getKey', 'encrypt', 'decrypt', 'wrapKey', 'unwrapKey', 'sign', 'verify'] as const
  for (const name of names) {
    const { method, seen } = failing(1, name)
    const provider = {
      capabilities: new Set(),
      algorithms: {},
      [name]: method,
      close,
    } as unknown as CryptoProvider
    const { guarded, outcome } = await live('crypto', provider)
    const call = guarded[name] as (request: object, options: object) => Promise<unknown>
    expect(await outcome(call({ keyName: 'k' }, {}))).toBe(name)
    expect(seen).toEqual([
      [{ keyName: 'k' }, {}],
      [{ keyName: 'k' }, {}],
    ])
    expect(names.filter((other) => other in guarded)).toEqual([name])
  }
  let tries = 0
  const provider = {
    getKey: async () => {
      tries++
      throw new ComponentError('NOT_FOUND', 'no such key')
    },
    close,
  } as unknown as CryptoProvider
  const { guarded, outcome } = await live('crypto', provider)
  expect(await outcome(guarded.getKey!({ keyName: 'k' }, {}))).toMatchObject({ message: 'no such key' })
  expect(tries).toBe(1)
})
