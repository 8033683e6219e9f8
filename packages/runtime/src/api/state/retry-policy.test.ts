import { ComponentError, type StateSetRequest, type StateStore } from '@outrigger/spec'
import { recordingLogger, virtualClock } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { StateHandler } from './handler.ts'
import { parseRetryPolicy, retrySchedule } from './retry-policy.ts'

test.each([
  [{ interval: 100, pattern: 'linear', threshold: 3 }, [100, 100, 100]],
  [{ interval: 100, pattern: 'exponential', threshold: 4 }, [100, 200, 400, 800]],
  [{ interval: 50_000, pattern: 'exponential', threshold: 3 }, [50_000, 60_000, 60_000]],
  [{ threshold: 2 }, [0, 0]],
  [{ Interval: 100, Pattern: 'exponential', THRESHOLD: 2 }, [100, 200]],
  [{ interval: 5 }, []],
  [{}, []],
  [{ interval: 1e9, threshold: 1 }, [60_000]],
])('%j waits %j', (policy, waits) => {
  expect(retrySchedule(parseRetryPolicy(policy))).toEqual(waits)
})

test('repetitions are bounded', () => {
  expect(retrySchedule(parseRetryPolicy({ threshold: 1e9 }))).toHaveLength(20)
})

test.each([
  [[], 'must be an object'],
  ['linear', 'must be an object'],
  [{ pattern: 'square' }, 'pattern'],
  [{ threshold: -1 }, 'threshold'],
  [{ interval: '5' }, 'interval'],
  [{ interval: 1.5 }, 'interval'],
])('%j is refused', (policy, problem) => {
  expect(() => parseRetryPolicy(policy)).toThrow(problem)
})

/** A store that fails as often as it is told, and when it was called. */
function setUp(failures: readonly Error[], on = true) {
  const clock = virtualClock()
  const calls: (readonly [key: string, atMs: number])[] = []
  const left = [...failures]
  const store: StateStore = {
    capabilities: new Set(),
    get: async () => undefined,
    set: async ({ key }: StateSetRequest) => {
      calls.push([key, clock.monotonic()])
      const error = key === 'a' ? left.shift() : undefined
      if (error !== undefined) throw error
    },
    delete: async () => {},
    close: async () => {},
  }
  const stores = new Map([['store', { instance: store }]])
  const options = on ? { retryPolicies: { clock } } : {}
  return { clock, calls, handler: new StateHandler(stores, 'shop', recordingLogger(), options) }
}

const value = { bytes: new TextEncoder().encode('1'), kind: 'json' as const }
const policy = { interval: 100, pattern: 'exponential', threshold: 2 }
const away = () => new ComponentError('UNAVAILABLE', 'away')

test('a write is repeated as its policy says, others are not', async () => {
  const { handler, clock, calls } = setUp([away(), away()])
  const work = handler.save(
    'store',
    [
      { key: 'a', value, retryPolicy: policy },
      { key: 'b', value },
    ],
    {},
  )
  await clock.advance(1000)
  await work
  expect(calls).toEqual([
    ['a', 0],
    ['b', 0],
    ['a', 100],
    ['a', 300],
  ])
})

test('after the last repetition the write has failed', async () => {
  const { handler, clock, calls } = setUp([away(), away(), away()])
  const work = handler
    .save('store', [{ key: 'a', value, retryPolicy: policy }], {})
    .catch((error: unknown) => error)
  await clock.advance(1000)
  expect(await work).toMatchObject({ id: 'STATE_SAVE' })
  expect(calls).toHaveLength(3)
})

test('an ETag that does not match is final', async () => {
  const { handler, calls } = setUp([new ComponentError('ETAG_MISMATCH', 'stale')])
  const work = handler.save('store', [{ key: 'a', value, retryPolicy: policy }], {})
  await expect(work).rejects.toMatchObject({ id: 'STATE_SAVE_ETAG_MISMATCH' })
  expect(calls).toHaveLength(1)
})

test('a caller who gives up ends the waiting', async () => {
  const { handler, calls } = setUp([away(), away()])
  const life = new AbortController()
  const work = handler.save('store', [{ key: 'a', value, retryPolicy: policy }], { signal: life.signal })
  life.abort()
  await expect(work).rejects.toMatchObject({ id: 'STATE_SAVE' })
  expect(calls).toHaveLength(1)
})

test('nonsense is refused before anything is written', async () => {
  const { handler, calls } = setUp([])
  const items = [
    { key: 'b', value },
    { key: 'a', value, retryPolicy: { threshold: 'x' } },
  ]
  await expect(handler.save('store', items, {})).rejects.toMatchObject({ id: 'MALFORMED_REQUEST' })
  expect(calls).toEqual([])
})

test('without the rule a policy has no effect, whatever it says', async () => {
  const { handler, calls } = setUp([away()], false)
  const work = handler.save('store', [{ key: 'a', value, retryPolicy: { threshold: 'x' } }], {})
  await expect(work).rejects.toMatchObject({ id: 'STATE_SAVE' })
  expect(calls).toHaveLength(1)
})
