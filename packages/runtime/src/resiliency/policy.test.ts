import { recordingLogger, seededRandom, virtualClock } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { Breaker, tripsByDefault } from './breaker.ts'
import type { BreakerPolicy, RetryPolicy } from './model.ts'
import { Policy, PolicyTimeoutError, whole, type RunOptions } from './policy.ts'

const constant: RetryPolicy = {
  name: 'thrice',
  kind: 'constant',
  waitMs: 1000,
  maxWaitMs: 60_000,
  maxElapsedMs: Infinity,
  maxRetries: 3,
  httpCodes: [{ first: 500, last: 599 }],
  grpcCodes: undefined,
}
const tripping: BreakerPolicy = {
  name: 'cb',
  maxRequests: 1,
  intervalMs: 0,
  timeoutMs: 10_000,
  trips: ({ consecutiveFailures }) => consecutiveFailures >= 2,
}

function setUp(
  parts: { timeoutMs?: number; retry?: Partial<RetryPolicy>; breaker?: Partial<BreakerPolicy> } = {},
) {
  const clock = virtualClock()
  const logger = recordingLogger()
  const policy = new Policy(
    {
      target: 'app orders',
      timeout: parts.timeoutMs === undefined ? undefined : { name: 'short', ms: parts.timeoutMs },
      retry: parts.retry === undefined ? undefined : { ...constant, ...parts.retry },
      breaker: parts.breaker && new Breaker('app orders', { ...tripping, ...parts.breaker }, 0),
    },
    { clock, random: seededRandom(1), logger },
  )
  /** A call whose tries end as told; `hang` waits for its signal. */
  const call = (outcomes: readonly (string | Error)[], options: RunOptions<string> = {}) => {
    const tries: { at: number; number: number }[] = []
    const promise = policy.run((signal, number) => {
      tries.push({ at: clock.monotonic(), number })
      const outcome = outcomes[number - 1]!
      if (outcome === 'hang') {
        return new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
        })
      }
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome)
    }, options)
    const settled = promise.then(
      (value) => ({ value, error: undefined, at: clock.monotonic() }),
      (error: unknown) => ({ value: undefined, error: error as Error, at: clock.monotonic() }),
    )
    return { tries, settled }
  }
  return { clock, logger, policy, call }
}

const broken = new Error('broken')

test('without any part it is one call', async () => {
  const { call, policy } = setUp()
  expect((await call(['ok']).settled).value).toBe('ok')
  expect((await call([broken]).settled).error).toBe(broken)
  expect(policy.repeats).toBe(false)
})

test('tries again after each wait until it succeeds', async () => {
  const { call, clock, logger, policy } = setUp({ retry: {} })
  const { tries, settled } = call([broken, broken, 'ok'])
  await clock.advance(10_000)
  expect(await settled).toMatchObject({ value: 'ok', at: 2000 })
  expect(tries).toEqual([
    { at: 0, number: 1 },
    { at: 1000, number: 2 },
    { at: 2000, number: 3 },
  ])
  expect(policy.repeats).toBe(true)
  expect(policy.activations).toEqual({ timeouts: 0, retries: 2, refusals: 0 })
  const told = logger.records
    .filter(({ level }) => level !== 'debug')
    .map(({ level, message }) => [level, message])
  expect(told).toEqual([
    ['warn', 'app orders failed and is tried again by retry policy thrice'],
    ['info', 'app orders answered again'],
  ])
})

test('gives up with the last error', async () => {
  const { call, clock } = setUp({ retry: {} })
  const last = new Error('last')
  const { tries, settled } = call([broken, broken, broken, last, 'never'])
  await clock.advance(100_000)
  expect((await settled).error).toBe(last)
  expect(tries).toHaveLength(4)
})

test('the time of the first try counts for the longest time', async () => {
  const { call, clock } = setUp({ timeoutMs: 3000, retry: { maxElapsedMs: 3500 } })
  const { tries, settled } = call(['hang', 'ok'])
  await clock.advance(10_000)
  expect((await settled).error).toBeInstanceOf(PolicyTimeoutError)
  expect(tries).toHaveLength(1)
})

test('each try has the timeout, and its signal aborts', async () => {
  const { call, clock, policy } = setUp({ timeoutMs: 500, retry: {} })
  const { tries, settled } = call(['hang', 'hang', 'ok'])
  await clock.advance(10_000)
  expect(await settled).toMatchObject({ value: 'ok', at: 3000 })
  expect(tries.map(({ at }) => at)).toEqual([0, 1500, 3000])
  expect(policy.activations.timeouts).toBe(2)
  expect(clock.pending).toBe(0)
})

test('a timeout says who did not answer, in Dapr’s words too', async () => {
  const { call, clock } = setUp({ timeoutMs: 500 })
  const { settled } = call(['hang'])
  await clock.advance(500)
  expect((await settled).error?.message).toBe(
    'app orders was not answered within 500 ms (timeout policy short): context deadline exceeded',
  )
})

test('a result that comes too late is got rid of', async () => {
  const { policy, clock } = setUp({ timeoutMs: 500 })
  const late = Promise.withResolvers<string>()
  const discarded: string[] = []
  const run = policy.run(() => late.promise, { discard: (result) => discarded.push(result) })
  const failed = expect(run).rejects.toThrow('context deadline exceeded')
  await clock.advance(500)
  await failed
  late.resolve('late')
  await clock.advance(0)
  expect(discarded).toEqual(['late'])
})

test('a try that throws at once fails as any other, and leaves no timer', async () => {
  const { policy, clock } = setUp({ timeoutMs: 500 })
  const run = policy.run(() => {
    throw broken
  })
  await expect(run).rejects.toBe(broken)
  expect(clock.pending).toBe(0)
})

test.each([
  [{ http: 404 }, 1],
  [{ http: 503 }, 4],
  [{ grpc: 14 }, 4],
  [{}, 4],
  [{ final: true }, 1],
])('an error that is judged %j has %i tries', async (verdict, count) => {
  const { call, clock } = setUp({ retry: {} })
  const { tries, settled } = call([broken, broken, broken, broken], { judge: () => verdict })
  await clock.advance(100_000)
  await settled
  expect(tries).toHaveLength(count)
})

test('a caller that leaves ends the waiting', async () => {
  const { call, clock } = setUp({ retry: {} })
  const caller = new AbortController()
  const { tries, settled } = call([broken, 'ok'], { signal: caller.signal })
  await clock.advance(500)
  caller.abort()
  expect(await settled).toMatchObject({ error: broken, at: 500 })
  await clock.advance(10_000)
  expect([tries.length, clock.pending]).toEqual([1, 0])
})

test('a caller that leaves ends the try, and nothing is repeated', async () => {
  const { call, clock } = setUp({ timeoutMs: 5000, retry: {} })
  const caller = new AbortController()
  const { tries, settled } = call(['hang', 'ok'], { signal: caller.signal })
  caller.abort()
  expect((await settled).error?.message).toBe('aborted')
  await clock.advance(10_000)
  expect([tries.length, clock.pending]).toEqual([1, 0])
})

test('a caller that has left already is seen by the try', async () => {
  const { policy } = setUp({ timeoutMs: 5000 })
  const aborted = await policy.run((signal) => Promise.resolve(signal?.aborted), {
    signal: AbortSignal.abort(),
  })
  expect(aborted).toBe(true)
})

test('when no more tries are wanted, the one under way goes on', async () => {
  const { call, clock } = setUp({ timeoutMs: 1000, retry: {} })
  const until = new AbortController()
  const { tries, settled } = call(['hang', 'ok'], { until: until.signal })
  until.abort()
  await clock.advance(999)
  expect(tries).toHaveLength(1)
  await clock.advance(10_000)
  expect(await settled).toMatchObject({ error: { name: 'PolicyTimeoutError' }, at: 1000 })
  expect(tries).toHaveLength(1)
})

test('when no more tries are wanted, waiting for the next one ends', async () => {
  const { call, clock } = setUp({ retry: {} })
  const until = new AbortController()
  const { settled } = call([broken, 'ok'], { until: until.signal, signal: new AbortController().signal })
  await clock.advance(300)
  until.abort()
  expect(await settled).toMatchObject({ error: broken, at: 300 })
})

test('the breaker sees each try, and ends the repetitions when it opens', async () => {
  const { call, clock, policy, logger } = setUp({ retry: {}, breaker: {} })
  const { tries, settled } = call([broken, broken, 'ok'])
  await clock.advance(100_000)
  expect((await settled).error?.message).toBe('circuit breaker is open (app orders)')
  expect(tries).toHaveLength(2)
  expect(policy.activations).toEqual({ timeouts: 0, retries: 2, refusals: 1 })
  expect(logger.messages()).toContain('circuit breaker app orders went from closed to open')
})

test('timeouts are failures to the breaker', async () => {
  const { call, clock, policy } = setUp({ timeoutMs: 100, breaker: {} })
  const calls = [call(['hang']), call(['hang'])]
  await clock.advance(100)
  for (const { settled } of calls) await settled
  expect(policy.breaker?.state(clock.monotonic())).toBe('open')
})

test('changes of the breaker are told once each, however many calls were under way', async () => {
  const { call, clock, logger } = setUp({ timeoutMs: 100, breaker: {} })
  const calls = Array.from({ length: 5 }, () => call(['hang']))
  await clock.advance(10_100)
  for (const { settled } of calls) await settled
  expect((await call(['ok']).settled).value).toBe('ok')
  const told = logger.messages()
  expect(told).toEqual([
    'circuit breaker app orders went from closed to open',
    'circuit breaker app orders went from open to half-open',
    'circuit breaker app orders went from half-open to closed',
  ])
})

test('what a target refuses for what it is, is no failure to the breaker', async () => {
  const { call, policy } = setUp({ breaker: {} })
  for (let count = 0; count < 5; count++) await call([broken], { judge: () => ({ answered: true }) }).settled
  expect(policy.breaker?.counts).toMatchObject({ requests: 5, totalSuccesses: 5 })
})

test('calls that were given up by their callers do not count', async () => {
  const { call, policy } = setUp({ timeoutMs: 1000, breaker: {} })
  for (let count = 0; count < 5; count++) {
    const caller = new AbortController()
    const { settled } = call(['hang'], { signal: caller.signal })
    caller.abort()
    await settled
  }
  expect(policy.breaker?.counts.requests).toBe(0)
  expect(policy.breaker?.lastState).toBe('closed')
})

test('the breaker waits for how a stream ends, the caller does not', async () => {
  const { policy, clock } = setUp({ breaker: {} })
  const stream = async (outcome: Promise<boolean>) =>
    expect(await policy.run(() => Promise.resolve('stream'), { outcome: () => outcome })).toBe('stream')
  const first = Promise.withResolvers<boolean>()
  const second = Promise.withResolvers<boolean>()
  await stream(first.promise)
  await stream(second.promise)
  expect(policy.breaker?.counts).toMatchObject({ requests: 2, totalSuccesses: 0, totalFailures: 0 })
  first.resolve(false)
  second.reject(broken)
  await clock.advance(0)
  expect(policy.breaker?.lastState).toBe('open')
})

test('a stream ends with its caller, also after the timeout of its try', async () => {
  const { policy, clock } = setUp({ timeoutMs: 100 })
  const caller = new AbortController()
  const ended = Promise.withResolvers<boolean>()
  const signal = await policy.run((own) => Promise.resolve(own!), {
    signal: caller.signal,
    outcome: () => ended.promise,
  })
  await clock.advance(1000)
  expect(signal.aborted).toBe(false)
  caller.abort(broken)
  expect([signal.aborted, signal.reason]).toEqual([true, broken])
})

test('a try that is over keeps nothing at a caller that lives on', async () => {
  const { policy } = setUp({ timeoutMs: 100 })
  const caller = new AbortController()
  const signal = await policy.run((own) => Promise.resolve(own!), { signal: caller.signal, outcome: whole })
  const unknown = await policy.run((own) => Promise.resolve(own!), { signal: caller.signal })
  caller.abort()
  expect([signal.aborted, unknown.aborted]).toEqual([false, true])
})

test('opens at the sixth failure by default', async () => {
  const { call, policy } = setUp({ breaker: { trips: tripsByDefault } })
  for (let count = 0; count < 5; count++) await call([broken]).settled
  expect(policy.breaker?.lastState).toBe('closed')
  await call([broken]).settled
  expect(policy.breaker?.lastState).toBe('open')
})
