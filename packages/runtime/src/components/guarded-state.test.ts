import { ComponentError, type StateBulkFailure, type StateItem, type StateStore } from '@outrigger/spec'
import { virtualClock } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { policiesOf } from '../../test/support/resiliency.ts'
import { EarlierTriesFailed } from './guard.ts'
import { guardedState } from './guarded-state.ts'

const away = new ComponentError('UNAVAILABLE', 'away')
const mismatch = new ComponentError('ETAG_MISMATCH', 'not the current one')
const value = { bytes: new Uint8Array([1]), kind: 'binary' as const }
const item: StateItem = { value }
const set = (key: string) => ({ key, value, metadata: {} })
const get = (key: string) => ({ key, metadata: {} })

const retries = `
  policies:
    retries: {DefaultRetryPolicy: {duration: 1s, maxRetries: 3}}
    circuitBreakers: {DefaultCircuitBreakerPolicy: {timeout: 60s, trip: consecutiveFailures >= 4}}
`

/** A store whose bulk operations answer one after the other as told; it keeps the keys that it was asked for. */
async function setUp(
  answers: readonly (readonly StateBulkFailure[] | Error | 'hang')[] = [],
  spec = retries,
  more: Partial<StateStore> = {},
) {
  const clock = virtualClock()
  const asked: string[][] = []
  const next = async (requests: readonly { readonly key: string }[]) => {
    const answer = answers[asked.length] ?? []
    asked.push(requests.map(({ key }) => key))
    if (answer === 'hang') return new Promise<never>(() => {})
    if (answer instanceof Error) throw answer
    return answer
  }
  const one = async (request: { readonly key: string }): Promise<void> => {
    const [failed] = await next([request])
    if (failed !== undefined) throw failed.error
  }
  const store: StateStore = {
    capabilities: new Set(['etag', 'transactional']),
    get: async (request) => {
      await one(request)
      return item
    },
    set: one,
    delete: one,
    bulkGet: async (requests) => {
      const failures = await next(requests)
      return requests.map(({ key }) => failures.find((failure) => failure.key === key) ?? { key, item })
    },
    bulkSet: next,
    bulkDelete: next,
    transact: ({ operations }) => one({ key: operations.map(({ request }) => request.key).join() }),
    close: async () => {},
    ...more,
  }
  const policy = (await policiesOf(spec, clock)).component('store', 'Statestore', 'Outbound')!
  /** What comes of it, however long it takes. */
  const outcome = async <T>(work: Promise<T>) => {
    const settled = work.then(
      (found) => ({ found, error: undefined }),
      (error: unknown) => ({ found: undefined, error: error as ComponentError }),
    )
    await clock.advance(100_000)
    return settled
  }
  return { asked, clock, policy, guarded: guardedState(store, policy), outcome }
}

const failures = (error: Error, ...keys: string[]): StateBulkFailure[] => keys.map((key) => ({ key, error }))

test('an operation is made as often as the policy says', async () => {
  const { guarded, asked, outcome } = await setUp([away, away])
  expect((await outcome(guarded.get(get('a'), {}))).found).toBe(item)
  expect(asked).toEqual([['a'], ['a'], ['a']])
})

test('what the store refuses is not repeated, and no failure to the breaker', async () => {
  const { guarded, asked, policy, outcome } = await setUp(Array<Error>(10).fill(mismatch))
  for (let count = 0; count < 10; count++)
    expect((await outcome(guarded.set(set('a'), {}))).error).toBe(mismatch)
  expect(asked).toHaveLength(10)
  expect(policy.breaker?.counts).toMatchObject({ totalFailures: 0, totalSuccesses: 10 })
})

test('a refusal after tries that failed says that they may have been carried out', async () => {
  const { guarded, outcome } = await setUp([away, mismatch])
  const transaction = { operations: [{ operation: 'upsert' as const, request: set('a') }], metadata: {} }
  const { error } = await outcome(guarded.transact!(transaction, {}))
  expect(error).toMatchObject({
    code: 'ETAG_MISMATCH',
    message: 'not the current one (an earlier try of this request failed, and may have written it)',
  })
  expect(error?.cause).toBeInstanceOf(EarlierTriesFailed)
})

test('a timeout and an open breaker are errors of a component', async () => {
  const spec = `
  policies:
    timeouts: {DefaultTimeoutPolicy: 500ms}
    circuitBreakers: {DefaultCircuitBreakerPolicy: {trip: consecutiveFailures >= 1}}
`
  const { guarded, outcome } = await setUp(['hang'], spec)
  expect((await outcome(guarded.get(get('a'), {}))).error).toMatchObject({
    name: 'ComponentError',
    code: 'DEADLINE_EXCEEDED',
    message:
      'component store outbound was not answered within 500 ms (timeout policy DefaultTimeoutPolicy): context deadline exceeded',
  })
})

test('an open breaker is an error of a component, and the store is not asked', async () => {
  const spec =
    '  policies: {circuitBreakers: {DefaultCircuitBreakerPolicy: {trip: consecutiveFailures >= 1}}}'
  const { guarded, asked } = await setUp([away], spec)
  await expect(guarded.get(get('a'), {})).rejects.toBe(away)
  await expect(guarded.get(get('a'), {})).rejects.toMatchObject({
    name: 'ComponentError',
    code: 'UNAVAILABLE',
    message: 'circuit breaker is open (component store outbound)',
  })
  expect(asked).toHaveLength(1)
})

test.each(['bulkSet', 'bulkDelete'] as const)('%s repeats only what failed', async (name) => {
  const { guarded, asked, outcome } = await setUp([failures(away, 'b', 'd'), failures(away, 'd'), []])
  const requests = ['a', 'b', 'c', 'd'].map(set)
  expect((await outcome(guarded[name]!(requests, {}))).found).toEqual([])
  expect(asked).toEqual([['a', 'b', 'c', 'd'], ['b', 'd'], ['d']])
})

test('keys that are refused are not written again with those that failed', async () => {
  const { guarded, asked, outcome } = await setUp([[...failures(mismatch, 'a'), ...failures(away, 'b')], []])
  expect((await outcome(guarded.bulkSet!(['a', 'b', 'c'].map(set), {}))).found).toEqual(
    failures(mismatch, 'a'),
  )
  expect(asked).toEqual([['a', 'b', 'c'], ['b']])
})

test('only refusals: nothing is repeated, and the breaker sees a success', async () => {
  const { guarded, asked, policy, outcome } = await setUp([failures(mismatch, 'a')])
  expect((await outcome(guarded.bulkSet!(['a', 'b'].map(set), {}))).found).toEqual(failures(mismatch, 'a'))
  expect(asked).toHaveLength(1)
  expect(policy.breaker?.counts.totalSuccesses).toBe(1)
})

test('what fails to the end is told with its own error', async () => {
  const { guarded, outcome } = await setUp(Array<StateBulkFailure[]>(4).fill(failures(away, 'b')))
  expect((await outcome(guarded.bulkSet!(['a', 'b'].map(set), {}))).found).toEqual(failures(away, 'b'))
})

test('an operation that fails as a whole rejects, as without a policy', async () => {
  const { guarded, outcome } = await setUp(Array<Error>(4).fill(away))
  expect((await outcome(guarded.bulkSet!(['a', 'b'].map(set), {}))).error).toBe(away)
})

test('after some were written, a failure of the whole is one of those that are left', async () => {
  const { guarded, outcome } = await setUp([failures(away, 'b', 'c'), away, away, away])
  expect((await outcome(guarded.bulkSet!(['a', 'b', 'c'].map(set), {}))).found).toEqual(
    failures(away, 'b', 'c'),
  )
})

test('a bulk that comes after its time counts neither as failed nor as done', async () => {
  const clock = virtualClock()
  const spec = `
  policies:
    timeouts: {DefaultTimeoutPolicy: 1s}
    retries: {DefaultRetryPolicy: {duration: 1s, maxRetries: 1}}
`
  const policy = (await policiesOf(spec, clock)).component('store', 'Statestore', 'Outbound')!
  const late = Promise.withResolvers<StateBulkFailure[]>()
  const asked: number[] = []
  const store: StateStore = {
    capabilities: new Set(),
    get: async () => undefined,
    set: async () => {},
    delete: async () => {},
    bulkSet: (requests) => {
      asked.push(requests.length)
      return asked.length === 1 ? late.promise : Promise.resolve(failures(away, 'b'))
    },
    close: async () => {},
  }
  const work = guardedState(store, policy).bulkSet!(['a', 'b'].map(set), {})
  await clock.advance(1500)
  late.resolve([])
  await clock.advance(10_000)
  expect(await work).toEqual(failures(away, 'b'))
  expect(asked).toEqual([2, 2])
})

test('bulkGet asks again for what failed, and answers for every key', async () => {
  const { guarded, asked, outcome } = await setUp([failures(away, 'b'), failures(away, 'b'), []])
  const { found } = await outcome(guarded.bulkGet!(['a', 'b', 'c'].map(get), {}))
  expect(found).toEqual(['a', 'b', 'c'].map((key) => ({ key, item })))
  expect(asked).toEqual([['a', 'b', 'c'], ['b'], ['b']])
})

test('bulkGet keeps the error of a key that fails to the end', async () => {
  const { guarded, outcome } = await setUp(Array<StateBulkFailure[]>(4).fill(failures(away, 'b')))
  const { found } = await outcome(guarded.bulkGet!(['a', 'b'].map(get), {}))
  expect(found).toEqual([
    { key: 'a', item },
    { key: 'b', error: away },
  ])
})

test('optional methods are there if the store has them', async () => {
  const spec = '  policies: {timeouts: {DefaultTimeoutPolicy: 1s}}'
  const optional = [
    'bulkGet',
    'bulkSet',
    'bulkDelete',
    'transact',
    'query',
    'keysLike',
    'deleteWithPrefix',
    'ping',
  ]
  const without = Object.fromEntries(optional.map((name) => [name, undefined]))
  const { guarded } = await setUp([], spec, without)
  expect(optional.filter((name) => name in guarded)).toEqual([])
  const all = await setUp([], spec, {
    query: async () => ({ results: [] }),
    keysLike: async () => ({ keys: ['k'] }),
    deleteWithPrefix: async () => 3,
    ping: async () => {},
  })
  expect(optional.filter((name) => !(name in all.guarded))).toEqual([])
  expect(await all.guarded.query!({}, {}, {})).toEqual({ results: [] })
  expect(await all.guarded.keysLike!({ pattern: '%' }, {})).toEqual({ keys: ['k'] })
  expect(await all.guarded.deleteWithPrefix!('p', {})).toBe(3)
})
