import { recordingLogger, seededRandom, virtualClock } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { resiliencyOf, resiliencyText } from '../../test/support/resiliency.ts'
import { Resiliency } from './provider.ts'

async function setUp(spec = '') {
  const clock = virtualClock()
  const { model } = await resiliencyOf(spec === '' ? [] : [resiliencyText(spec)])
  return { clock, all: new Resiliency(model, { clock, random: seededRandom(1), logger: recordingLogger() }) }
}

const breaking = 'DefaultCircuitBreakerPolicy: {timeout: 10s, trip: consecutiveFailures >= 1}'
const fail = () => Promise.reject(new Error('broken'))

test('without resources there is nothing but what is built in', async () => {
  const { all } = await setUp()
  expect([all.app('a', 'm'), all.component('c', 'Lock', 'Outbound'), all.actor('T', '1')]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect([all.names, all.status()]).toEqual([[], []])
  expect(all.builtIn('DaprBuiltInActorNotFoundRetries').retry).toMatchObject({ waitMs: 1000, maxRetries: 5 })
})

test('a policy is the same object at each call', async () => {
  const { all } = await setUp(`  policies: {timeouts: {DefaultTimeoutPolicy: 1s}}`)
  expect(all.app('a', 'one')).toBe(all.app('a', 'two'))
  expect(all.component('c', 'Lock', 'Outbound')).toBe(all.component('c', 'Lock', 'Outbound'))
})

test('each endpoint of an application has a breaker of its own, each application its own', async () => {
  const { all } = await setUp(`  policies: {circuitBreakers: {${breaking}}}`)
  await expect(all.app('a', '/one')!.run(fail)).rejects.toThrow('broken')
  await expect(all.app('a', '/one')!.run(fail)).rejects.toThrow('circuit breaker is open (app a /one)')
  await expect(all.app('a', '/two')!.run(fail)).rejects.toThrow('broken')
  await expect(all.app('b', '/one')!.run(fail)).rejects.toThrow('broken')
})

test('breakers that were not used for longest are forgotten', async () => {
  const { all } = await setUp(`
  policies: {circuitBreakers: {b: {}}}
  targets: {apps: {a: {circuitBreaker: b, circuitBreakerCacheSize: 2}}}
`)
  const [one, two] = [all.app('a', '1'), all.app('a', '2')]
  expect(all.app('a', '1')).toBe(one)
  const three = all.app('a', '3')
  expect([all.app('a', '1') === one, all.app('a', '3') === three]).toEqual([true, true])
  expect(all.app('a', '2')).not.toBe(two)
  expect(all.status()[0]?.circuitBreakers).toHaveLength(2)
})

test('a hundred breakers of one application by default', async () => {
  const { all } = await setUp(`  policies: {circuitBreakers: {${breaking}}}`)
  const first = all.app('a', '0')
  for (let index = 1; index < 100; index++) all.app('a', String(index))
  expect(all.app('a', '0')).toBe(first)
  for (let index = 100; index < 300; index++) all.app('a', String(index))
  expect(all.app('a', '0')).not.toBe(first)
  expect(all.status()[0]?.circuitBreakers).toHaveLength(100)
})

test('directions of a component have breakers of their own', async () => {
  const { all } = await setUp(`  policies: {circuitBreakers: {${breaking}}}`)
  await expect(all.component('bus', 'Pubsub', 'Inbound')!.run(fail)).rejects.toThrow('broken')
  await expect(all.component('bus', 'Pubsub', 'Outbound')!.run(fail)).rejects.toThrow('broken')
})

test.each([
  ['type', true],
  ['id', false],
  ['both', false],
])('actors with scope %s share a breaker: %s', async (scope, shared) => {
  const { all } = await setUp(`
  policies: {circuitBreakers: {b: {}}}
  targets: {actors: {T: {circuitBreaker: b, circuitBreakerScope: ${scope}}}}
`)
  expect(all.actor('T', '1')?.breaker === all.actor('T', '2')?.breaker).toBe(shared)
})

test('actors of a type share the breaker of a default', async () => {
  const { all } = await setUp(`  policies: {circuitBreakers: {${breaking}}}`)
  expect(all.actor('T', '1')).toBe(all.actor('T', '2'))
  expect(all.actor('T', '1')).not.toBe(all.actor('U', '1'))
})

test('a timeout of nothing is none, and stands before broader ones', async () => {
  const { all } = await setUp(
    `  policies: {timeouts: {DefaultTimeoutPolicy: 1s, DefaultAppTimeoutPolicy: 0s}}`,
  )
  expect(all.app('a', 'm')).toBeUndefined()
  expect(all.component('c', 'Lock', 'Outbound')?.timeout?.ms).toBe(1000)
})

test('names that do not exist mean no policy', async () => {
  const { all } = await setUp('  targets: {apps: {a: {retry: none, timeout: none, circuitBreaker: none}}}')
  expect(all.app('a', 'm')).toBeUndefined()
  expect(all.definesApp('a')).toBe(true)
})

test('a policy of the runtime can be that of a target', async () => {
  const { all } = await setUp('  targets: {apps: {a: {retry: DaprBuiltInActorNotFoundRetries}}}')
  expect(all.app('a', 'm')?.retry).toMatchObject({ maxRetries: 5 })
})

test('tells what its policies did and how their breakers are', async () => {
  const { all, clock } = await setUp(`
  policies:
    timeouts: {t: 1s}
    retries: {r: {duration: 1s, maxRetries: 1}}
    circuitBreakers: {b: {timeout: 10s, trip: consecutiveFailures >= 2}}
  targets:
    apps: {a: {timeout: t, retry: r, circuitBreaker: b}}
    components: {quiet: {outbound: {timeout: t}}}
`)
  all.component('quiet', 'Lock', 'Outbound')
  all.app('without', 'm')
  const run = all.app('a', '/x')!.run(fail)
  const failed = expect(run).rejects.toThrow('broken')
  await clock.advance(1000)
  await failed
  await expect(all.app('a', '/x')!.run(fail)).rejects.toThrow('open')
  const quiet = {
    target: 'component quiet outbound',
    timeout: 't',
    retry: undefined,
    circuitBreakers: [],
    activations: { timeouts: 0, retries: 0, refusals: 0 },
  }
  const status = (state: string) => ({
    target: 'app a',
    timeout: 't',
    retry: 'r',
    circuitBreakers: [{ name: 'app a /x', state }],
    activations: { timeouts: 0, retries: 1, refusals: 1 },
  })
  expect(all.status()).toEqual([quiet, status('open')])
  await clock.advance(10_000)
  expect(all.status()).toEqual([quiet, status('half-open')])
})

test('names that callers make up do not fill the memory', async () => {
  const { all } = await setUp(`  policies: {timeouts: {DefaultTimeoutPolicy: 1s}}`)
  for (let index = 0; index < 10_500; index++) expect(all.app(`a${index}`, 'm')).toBeDefined()
  expect(all.status().length).toBeLessThanOrEqual(10_000)
})

test('the secrets of a URL that is called are nowhere to be seen', async () => {
  const logger = recordingLogger()
  const spec = `  policies: {retries: {DefaultRetryPolicy: {duration: 1ms, maxRetries: 1}}, circuitBreakers: {${breaking}}}`
  const { model } = await resiliencyOf([resiliencyText(spec)])
  const clock = virtualClock()
  const all = new Resiliency(model, { clock, random: seededRandom(1), logger })
  const url = 'https://user:sesame@hooks.example/base?key=sesame'
  const run = all.app(url, `${url}:bot-sesame/send`)!.run(fail)
  const failed = expect(run).rejects.toThrow()
  await clock.advance(1000)
  await failed
  await expect(all.app(url, `${url}:bot-sesame/send`)!.run(fail)).rejects.toThrow(
    'circuit breaker is open (app https://hooks.example/base)',
  )
  expect(JSON.stringify([all.status(), all.uses(), logger.records])).not.toContain('sesame')
  expect(all.status()[0]!.circuitBreakers.map(({ state }) => state)).toEqual(['open'])
  expect(all.app(url, `${url}:other`)!.breaker).not.toBe(all.app(url, `${url}:bot-sesame/send`)!.breaker)
})
