import { expect, test } from 'vitest'
import { resiliencyOf, resiliencyText } from '../../test/support/resiliency.ts'
import { builtIn } from './built-in.ts'

const counts = {
  requests: 10,
  totalSuccesses: 1,
  totalFailures: 9,
  consecutiveSuccesses: 0,
  consecutiveFailures: 9,
}

async function read(spec: string) {
  const { model, problems } = await resiliencyOf([resiliencyText(spec)])
  return { model, messages: problems.map(({ severity, message }) => `${severity} ${message}`) }
}

test('what is left out has its default', async () => {
  const { model, messages } = await read(`
  policies:
    retries:
      plain:
      growing: {policy: exponential}
    circuitBreakers:
      plain: {}
  targets:
    apps:
      a: {circuitBreaker: plain}
    actors:
      T: {retry: plain}
`)
  expect(messages).toEqual([])
  expect(model.names).toEqual(['r'])
  expect(model.retries.get('plain')).toEqual({
    name: 'plain',
    kind: 'constant',
    waitMs: 5000,
    maxWaitMs: 60_000,
    maxElapsedMs: Infinity,
    maxRetries: Infinity,
    httpCodes: undefined,
    grpcCodes: undefined,
  })
  expect(model.retries.get('growing')).toMatchObject({
    kind: 'exponential',
    waitMs: 500,
    maxWaitMs: 60_000,
    maxElapsedMs: 900_000,
    maxRetries: Infinity,
  })
  const breaker = model.circuitBreakers.get('plain')!
  expect(breaker).toMatchObject({ maxRequests: 1, intervalMs: 0, timeoutMs: 60_000 })
  expect(breaker.trips({ ...counts, consecutiveFailures: 5 })).toBe(false)
  expect(breaker.trips({ ...counts, consecutiveFailures: 6 })).toBe(true)
  expect(model.apps.get('a')).toEqual({
    timeout: undefined,
    retry: undefined,
    circuitBreaker: 'plain',
    circuitBreakerCacheSize: 100,
  })
  expect(model.actors.get('T')).toMatchObject({
    circuitBreakerScope: 'type',
    circuitBreakerCacheSize: 5000,
  })
})

test('everything that can be said', async () => {
  const { model, messages } = await read(`
  policies:
    timeouts: {short: 500ms, number: 250, long: 1h30m, none: 0s}
    retries:
      all:
        policy: Constant
        duration: 10ms
        maxRetries: 0
        matching: {httpStatusCodes: "429,500-599", gRPCStatusCodes: "14"}
      forever: {policy: exponential, maxInterval: 15s, maxRetries: -1}
    circuitBreakers:
      all: {maxRequests: 3, interval: 8s, timeout: 45s, trip: double(totalFailures) / double(requests) > 0.8}
  targets:
    actors:
      T: {timeout: short, retry: all, circuitBreaker: all, circuitBreakerScope: both, circuitBreakerCacheSize: 7}
    components:
      c:
        inbound: {timeout: short}
        outbound: {retry: all, circuitBreaker: all}
`)
  expect(messages).toEqual([])
  expect([...model.timeouts.values()].map(({ ms }) => ms)).toEqual([500, 250, 5_400_000, 0])
  expect(model.retries.get('all')).toMatchObject({
    kind: 'constant',
    waitMs: 10,
    maxRetries: 0,
    httpCodes: [
      { first: 429, last: 429 },
      { first: 500, last: 599 },
    ],
    grpcCodes: [{ first: 14, last: 14 }],
  })
  expect(model.retries.get('forever')).toMatchObject({ maxWaitMs: 15_000, maxRetries: Infinity })
  const breaker = model.circuitBreakers.get('all')!
  expect(breaker).toMatchObject({ maxRequests: 3, intervalMs: 8000, timeoutMs: 45_000 })
  expect([breaker.trips(counts), breaker.trips({ ...counts, totalFailures: 8 })]).toEqual([true, false])
  // Nothing by nothing cannot be computed, and does not trip.
  expect(breaker.trips({ ...counts, requests: 0, totalFailures: 0 })).toBe(false)
  expect(model.actors.get('T')).toMatchObject({ circuitBreakerScope: 'both', circuitBreakerCacheSize: 7 })
  expect(model.components.get('c')).toMatchObject({
    inbound: { timeout: 'short', retry: undefined, circuitBreaker: undefined },
    outbound: { timeout: undefined, retry: 'all', circuitBreaker: 'all' },
  })
})

test.each([
  ['consecutiveFailures > 8', true],
  ['consecutiveFailures >= 10', false],
  ['totalFailures > 8 && requests == 10', true],
  ['totalSuccesses + consecutiveSuccesses == 1', true],
])('trips by %s: %s', async (trip, expected) => {
  const { model } = await read(`  policies: {circuitBreakers: {b: {trip: "${trip}"}}}`)
  expect(model.circuitBreakers.get('b')!.trips(counts)).toBe(expected)
})

test.each([
  ['timeouts:\n      t: soon', 'timeouts.t must be a duration such as 500ms, 5s or 1m, not "soon"'],
  ['timeouts:\n      t: -5s', 'timeouts.t must be a duration such as 500ms, 5s or 1m, not "-5s"'],
  ['retries:\n      r: {policy: linear}', 'retries.r.policy must be constant or exponential'],
  [
    'retries:\n      r: {duration: x}',
    'retries.r.duration must be a duration such as 500ms, 5s or 1m, not "x"',
  ],
  [
    'retries:\n      r: {maxInterval: x}',
    'retries.r.maxInterval must be a duration such as 500ms, 5s or 1m, not "x"',
  ],
  [
    'retries:\n      r: {maxRetries: many}',
    'retries.r.maxRetries must be a whole number; -1 stands for no limit',
  ],
  [
    'retries:\n      r: {matching: {httpStatusCodes: 5xx}}',
    'retries.r.matching.httpStatusCodes "5xx" is neither a code nor a range such as 500-599',
  ],
  [
    'retries:\n      r: {matching: {gRPCStatusCodes: "17"}}',
    'retries.r.matching.gRPCStatusCodes 17 is not a code from 0 to 16',
  ],
  ['retries:\n      r: constant', 'retries.r must be a map, not a text'],
  ['circuitBreakers:\n      b: {maxRequests: -1}', 'circuitBreakers.b.maxRequests must be a whole number'],
  [
    'circuitBreakers:\n      b: {timeout: x}',
    'circuitBreakers.b.timeout must be a duration such as 500ms, 5s or 1m, not "x"',
  ],
  [
    'circuitBreakers:\n      b: {interval: x}',
    'circuitBreakers.b.interval must be a duration such as 500ms, 5s or 1m, not "x"',
  ],
])('%s is left out, with the place', async (policy, text) => {
  const { model, messages } = await read(`  policies:\n    ${policy}\n`)
  expect(messages).toEqual([`skip (inline):8: Resiliency "r": spec.policies.${text}`])
  expect(model.names).toEqual([])
})

test('the line of a mistake is that of its field', async () => {
  const { messages } = await read(
    '  policies:\n    retries:\n      r:\n        duration: 1s\n        policy: linear',
  )
  expect(messages).toEqual([
    'skip (inline):10: Resiliency "r": spec.policies.retries.r.policy must be constant or exponential',
  ])
})

test.each([
  ['consecutiveFailures >', /trip is not a CEL expression: /],
  ['consecutiveFailurs > 5', /trip cannot be computed from requests, .*: unresolved attribute/],
  ['consecutiveFailures + 1', /trip is neither true nor false/],
])('the trip rule %s is a mistake', async (trip, text) => {
  const { model, messages } = await read(`  policies: {circuitBreakers: {b: {trip: "${trip}"}}}`)
  expect(messages).toEqual([expect.stringMatching(text)])
  expect(model.circuitBreakers.size).toBe(0)
})

test('a breaker of an actor says for what it is', async () => {
  const breakers = '  policies: {circuitBreakers: {b: {}}}\n'
  const actor = (rest: string) => `${breakers}  targets: {actors: {T: {circuitBreaker: b${rest}}}}`
  expect((await read(actor(''))).messages).toEqual([
    'skip (inline):7: Resiliency "r": spec.targets.actors.T.circuitBreakerScope is missing: a breaker of an actor is per type, id or both',
  ])
  expect((await read(actor(', circuitBreakerScope: one'))).messages).toEqual([
    'skip (inline):7: Resiliency "r": spec.targets.actors.T.circuitBreakerScope must be type, id or both',
  ])
})

test('what has no effect is said', async () => {
  const { model, messages } = await read(`
  policies:
    retries:
      fast: {durationn: 1s}
      DaprBuiltInActorNotFoundRetries: {maxRetries: 9}
      DaprBuiltInActorRetries: {maxRetries: 2}
  targets:
    apps:
      a: {retry: fats, timeout: DaprBuiltInServiceRetries}
      b: {retry: DaprBuiltInServiceRetries}
    components:
      c: {outbond: {retry: fast}}
`)
  expect(messages.map((message) => message.replace('warn (inline)', ''))).toEqual([
    ':9: Resiliency "r": spec.policies.retries.fast.durationn is not a known key and has no effect (did you mean duration?)',
    ':10: Resiliency "r": spec.policies.retries.DaprBuiltInActorNotFoundRetries cannot be overridden and has no effect',
    ':11: Resiliency "r": spec.policies.retries.DaprBuiltInActorRetries.maxRetries must be 3 at least for a policy of the runtime, and is taken as that',
    ':17: Resiliency "r": spec.targets.components.c.outbond is not a known key and has no effect (did you mean outbound?)',
    ':14: Resiliency "r": spec.targets.apps.a.timeout names the policy "DaprBuiltInServiceRetries", which is not in spec.policies.timeouts and has no effect',
    ':14: Resiliency "r": spec.targets.apps.a.retry names the policy "fats", which is not in spec.policies.retries and has no effect (did you mean fast?)',
  ])
  expect(model.retries.has('DaprBuiltInActorNotFoundRetries')).toBe(false)
  expect(model.retries.get('DaprBuiltInActorRetries')?.maxRetries).toBe(3)
})

test('overridden policies of the runtime keep their number of retries unless another is named', async () => {
  const { model } = await read(`
  policies:
    retries:
      DaprBuiltInServiceRetries: {duration: 2s}
      DaprBuiltInActorRetries: {maxRetries: -1}
      DaprBuiltInActorReminderRetries: {maxRetries: 10}
`)
  expect([...model.retries.values()].map(({ maxRetries }) => maxRetries)).toEqual([3, Infinity, 10])
  expect(builtIn.DaprBuiltInServiceRetries.maxRetries).toBe(3)
})

test('several resources count together, whatever their order', async () => {
  const { model, problems } = await resiliencyOf([
    resiliencyText('  targets: {apps: {a: {retry: mine}}}', 'targets'),
    resiliencyText('  policies: {retries: {mine: {duration: 1s}}, timeouts: {t: 1s}}', 'policies'),
    resiliencyText('  policies: {retries: {mine: {duration: 2s}}}', 'later'),
    resiliencyText('  policies: {retries: {mine: {duration: x}, b: {}}}', 'wrong'),
  ])
  expect(model.names).toEqual(['targets', 'policies', 'later'])
  expect(model.retries.get('mine')?.waitMs).toBe(2000)
  expect([...model.retries.keys()]).toEqual(['mine'])
  expect(problems).toHaveLength(1)
})

test('what is scoped to other applications does not count', async () => {
  const text = resiliencyText('  policies: {timeouts: {t: 1s}}', 'r', 'scopes: [other]\n')
  expect((await resiliencyOf([text])).model.names).toEqual([])
  expect((await resiliencyOf([text], 'other')).model.names).toEqual(['r'])
})
