import { seededRandom, recordingLogger, virtualClock } from '@outrigger/testkit'
import { describe, expect, test } from 'vitest'
import { resiliencyOf, resiliencyText } from '../../test/support/resiliency.ts'
import { builtIn } from './built-in.ts'
import type { ComponentTarget, Direction } from './model.ts'
import { Resiliency } from './provider.ts'
import { repeats } from './retry.ts'

// What Dapr's documentation says of resiliency (operations/resiliency: policies, targets, overview), fact by fact.

async function provider(spec: string) {
  const { model, problems } = await resiliencyOf([resiliencyText(spec)])
  expect(problems).toEqual([])
  return new Resiliency(model, { clock: virtualClock(), random: seededRandom(1), logger: recordingLogger() })
}

describe('the example of the overview', async () => {
  const all = await provider(`
  policies:
    timeouts: {general: 5s, important: 60s, largeResponse: 10s}
    retries:
      pubsubRetry: {policy: constant, duration: 5s, maxRetries: 10}
      retryForever: {policy: exponential, maxInterval: 15s, maxRetries: -1}
      important: {policy: constant, duration: 5s, maxRetries: 30}
      someOperation: {policy: exponential, maxInterval: 15s}
      largeResponse: {policy: constant, duration: 5s, maxRetries: 3}
    circuitBreakers:
      simpleCB: {maxRequests: 1, timeout: 30s, trip: consecutiveFailures >= 5}
      pubsubCB: {maxRequests: 1, interval: 8s, timeout: 45s, trip: consecutiveFailures > 8}
  targets:
    apps:
      appB: {timeout: general, retry: important, circuitBreaker: simpleCB}
    actors:
      myActorType:
        timeout: general
        retry: important
        circuitBreaker: simpleCB
        circuitBreakerScope: both
        circuitBreakerCacheSize: 5000
    components:
      statestore1: {outbound: {timeout: general, retry: retryForever, circuitBreaker: simpleCB}}
      pubsub1: {outbound: {retry: pubsubRetry, circuitBreaker: pubsubCB}}
      pubsub2:
        outbound: {retry: pubsubRetry, circuitBreaker: pubsubCB}
        inbound: {timeout: general, retry: important, circuitBreaker: pubsubCB}
`)
  const component = (name: string, kind: ComponentTarget, direction: Direction) => {
    const policy = all.component(name, kind, direction)
    return policy && [policy.timeout?.ms, policy.retry?.name, policy.breaker !== undefined]
  }

  test('an application', () => {
    const policy = all.app('appB', '/orders')!
    expect(policy.timeout).toEqual({ name: 'general', ms: 5000 })
    expect(policy.retry).toMatchObject({ name: 'important', kind: 'constant', waitMs: 5000, maxRetries: 30 })
    expect(policy.breaker).toBeDefined()
  })

  test('an actor: the time is that of its turn', () => {
    expect(all.actorTimeout('myActorType')?.ms).toBe(5000)
    const policy = all.actor('myActorType', '1')!
    expect([policy.timeout, policy.retry?.name]).toEqual([undefined, 'important'])
    expect(policy.breaker).not.toBe(all.actor('myActorType', '2')?.breaker)
    expect(policy.breaker).toBe(all.actor('myActorType', '1')?.breaker)
  })

  test.each([
    ['statestore1', 'Statestore', 'Outbound', [5000, 'retryForever', true]],
    ['pubsub1', 'Pubsub', 'Outbound', [undefined, 'pubsubRetry', true]],
    ['pubsub1', 'Pubsub', 'Inbound', undefined],
    ['pubsub2', 'Pubsub', 'Outbound', [undefined, 'pubsubRetry', true]],
    ['pubsub2', 'Pubsub', 'Inbound', [5000, 'important', true]],
    ['another', 'Statestore', 'Outbound', undefined],
  ] as const)('%s, %s %s', (name, kind, direction, expected) => {
    expect(component(name, kind, direction)).toEqual(expected)
  })
})

describe('the table of policies by target', async () => {
  const all = await provider(`
  policies:
    retries:
      DefaultRetryPolicy: {policy: constant, duration: 1s, maxRetries: 3}
      DefaultAppRetryPolicy: {policy: constant, duration: 100ms, maxRetries: 5}
      DefaultActorRetryPolicy: {policy: exponential, maxInterval: 15s, maxRetries: 10}
      DefaultComponentInboundRetryPolicy: {policy: constant, duration: 5s, maxRetries: 5}
      DefaultStatestoreComponentOutboundRetryPolicy: {policy: exponential, maxInterval: 60s, maxRetries: -1}
      fastRetries: {policy: constant, duration: 10ms, maxRetries: 3}
      retryForever: {policy: exponential, maxInterval: 10s, maxRetries: -1}
  targets:
    apps: {appA: {retry: fastRetries}, appB: {retry: retryForever}}
    actors: {EventActor: {retry: retryForever}}
    components: {actorstore: {retry: fastRetries}}
`)
  test.each([
    ['AppA', all.app('appA', 'm'), 'fastRetries'],
    ['AppB', all.app('appB', 'm'), 'retryForever'],
    ['AppC', all.app('appC', 'm'), 'DefaultAppRetryPolicy'],
    ['pubsub - Publish', all.component('pubsub', 'Pubsub', 'Outbound'), 'DefaultRetryPolicy'],
    [
      'pubsub - Subscribe',
      all.component('pubsub', 'Pubsub', 'Inbound'),
      'DefaultComponentInboundRetryPolicy',
    ],
    [
      'statestore',
      all.component('statestore', 'Statestore', 'Outbound'),
      'DefaultStatestoreComponentOutboundRetryPolicy',
    ],
    ['actorstore', all.component('actorstore', 'Statestore', 'Outbound'), 'fastRetries'],
    ['EventActor', all.actor('EventActor', '1'), 'retryForever'],
    ['SummaryActor', all.actor('SummaryActor', '1'), 'DefaultActorRetryPolicy'],
  ])('%s has %#', (_target, policy, expected) => expect(policy?.retry?.name).toBe(expected))

  test('built-in retries stay beside defaults, and give way to a policy of the target', () => {
    expect([all.definesApp('appA'), all.definesApp('appC')]).toEqual([true, false])
    expect(all.builtIn('DaprBuiltInServiceRetries').retry).toMatchObject({ waitMs: 1000, maxRetries: 3 })
  })
})

describe('keywords of defaults', () => {
  type Row = readonly [keyword: string, ask: (all: Resiliency) => unknown]
  const component =
    (kind: ComponentTarget, direction: Direction) =>
    (all: Resiliency): unknown =>
      all.component('c', kind, direction)
  const rows: readonly Row[] = [
    ['App', (all) => all.app('a', 'm')],
    ['Actor', (all) => all.actor('T', '1') ?? all.actorTimeout('T')],
    ['Component', component('Lock', 'Outbound')],
    ['Component', component('Pubsub', 'Inbound')],
    ['ComponentInbound', component('Pubsub', 'Inbound')],
    ['ComponentOutbound', component('Binding', 'Outbound')],
    ['StatestoreComponentOutbound', component('Statestore', 'Outbound')],
    ['PubsubComponentOutbound', component('Pubsub', 'Outbound')],
    ['PubsubComponentInbound', component('Pubsub', 'Inbound')],
    ['BindingComponentOutbound', component('Binding', 'Outbound')],
    ['BindingComponentInbound', component('Binding', 'Inbound')],
    ['SecretstoreComponentOutbound', component('Secretstore', 'Outbound')],
    ['ConfigurationComponentOutbound', component('Configuration', 'Outbound')],
    ['LockComponentOutbound', component('Lock', 'Outbound')],
    ['CryptoComponentOutbound', component('Crypto', 'Outbound')],
    ['ConversationComponentOutbound', component('Conversation', 'Outbound')],
    ['', component('Lock', 'Outbound')],
    ['', (all) => all.app('a', 'm')],
  ]
  const kinds = [
    ['timeouts', 'Timeout', '1s'],
    ['retries', 'Retry', '{}'],
    ['circuitBreakers', 'CircuitBreaker', '{}'],
  ] as const
  const cases = rows.flatMap((row) => kinds.map((kind) => [row, kind] as const))

  test.each(cases)('%s, %s', async ([keyword, ask], [section, suffix, value]) => {
    const named = (name: string) => provider(`  policies: {${section}: {${name}: ${value}}}`)
    expect(ask(await named(`Default${keyword}${suffix}Policy`))).toBeDefined()
    expect(ask(await named(`DefaultOther${suffix}Policy`))).toBeUndefined()
  })

  test('the more particular one wins, each kind of policy by itself', async () => {
    const all = await provider(`
  policies:
    timeouts: {DefaultTimeoutPolicy: 1s, DefaultComponentTimeoutPolicy: 2s}
    retries:
      DefaultRetryPolicy: {}
      DefaultComponentOutboundRetryPolicy: {}
      DefaultPubsubComponentOutboundRetryPolicy: {}
    circuitBreakers: {DefaultCircuitBreakerPolicy: {timeout: 7s}}
`)
    const publish = all.component('bus', 'Pubsub', 'Outbound')!
    expect([publish.timeout?.ms, publish.retry?.name, publish.breaker !== undefined]).toEqual([
      2000,
      'DefaultPubsubComponentOutboundRetryPolicy',
      true,
    ])
    expect(all.component('store', 'Statestore', 'Outbound')?.retry?.name).toBe(
      'DefaultComponentOutboundRetryPolicy',
    )
    expect(all.component('bus', 'Pubsub', 'Inbound')?.retry?.name).toBe('DefaultRetryPolicy')
  })

  test('a target that is named has none of the defaults', async () => {
    const all = await provider(`
  policies: {timeouts: {DefaultTimeoutPolicy: 1s, own: 2s}, retries: {DefaultRetryPolicy: {}}}
  targets:
    apps: {a: {timeout: own}}
    components: {c: {outbound: {timeout: own}}}
`)
    expect(all.app('a', 'm')).toMatchObject({ timeout: { ms: 2000 }, retry: undefined })
    expect(all.component('c', 'Pubsub', 'Outbound')?.retry).toBeUndefined()
    expect(all.component('c', 'Pubsub', 'Inbound')).toBeUndefined()
  })
})

describe('built-in retries', () => {
  test.each([
    ['DaprBuiltInServiceRetries', { kind: 'constant', waitMs: 1000, maxRetries: 3 }],
    ['DaprBuiltInActorRetries', { kind: 'constant', waitMs: 1000, maxRetries: 3 }],
    [
      'DaprBuiltInActorReminderRetries',
      { kind: 'exponential', waitMs: 500, maxWaitMs: 60_000, maxElapsedMs: 15 * 60_000 },
    ],
    [
      'DaprBuiltInInitializationRetries',
      { kind: 'exponential', waitMs: 500, maxRetries: 3, maxElapsedMs: 10_000 },
    ],
  ] as const)('%s', (name, expected) => expect(builtIn[name]).toMatchObject(expected))

  test('are overridden by name, for all targets that have no policy of their own', async () => {
    const all = await provider(`
  policies:
    retries:
      DaprBuiltInServiceRetries: {policy: constant, duration: 5s, maxRetries: 10}
      retryForever: {policy: exponential, maxInterval: 15s, maxRetries: -1}
  targets: {apps: {appB: {retry: retryForever}}}
`)
    const service = all.builtIn('DaprBuiltInServiceRetries')
    expect(service.retry).toMatchObject({ waitMs: 5000, maxRetries: 10 })
    expect(all.builtIn('DaprBuiltInServiceRetries')).toBe(service)
    expect(all.builtIn('DaprBuiltInActorRetries').retry).toMatchObject({ waitMs: 1000 })
    expect(all.app('appB', 'm')?.retry?.name).toBe('retryForever')
    expect(all.app('appC', 'm')).toBeUndefined()
  })
})

describe('matching of retries', () => {
  const rows = [
    ['429', { http: 429 }, true],
    ['429', { http: 430 }, false],
    ['501-503', { http: 502 }, true],
    ['429,501-503', { http: 429 }, true],
    ['429,501-503', { http: 504 }, false],
    ['', { http: 404 }, true],
  ] as const
  test.each(rows)('httpStatusCodes "%s": %j is retried: %s', async (codes, failure, expected) => {
    const all = await provider(
      `  policies: {retries: {DefaultRetryPolicy: {matching: {httpStatusCodes: "${codes}"}}}}`,
    )
    expect(repeats(all.app('a', 'm')!.retry!, failure)).toBe(expected)
  })

  test('codes of the one protocol say nothing of the other', async () => {
    const all = await provider(
      '  policies: {retries: {DefaultRetryPolicy: {matching: {gRPCStatusCodes: "2-4,14"}}}}',
    )
    const { retry } = all.app('a', 'm')!
    const failures = [{ grpc: 3 }, { grpc: 14 }, { grpc: 5 }, { http: 404 }]
    expect(failures.map((failure) => repeats(retry!, failure))).toEqual([true, true, false, true])
  })
})
