import { expect, test } from 'vitest'
import { Breaker, BreakerError, tripsByDefault, type Counts } from './breaker.ts'
import type { BreakerPolicy } from './model.ts'

function breaker(policy: Partial<BreakerPolicy> = {}) {
  const made = new Breaker(
    'app orders',
    { name: 'b', maxRequests: 1, intervalMs: 0, timeoutMs: 60_000, trips: tripsByDefault, ...policy },
    0,
  )
  const call = (succeeded: boolean, nowMs: number): void => made.leave(made.enter(nowMs), succeeded, nowMs)
  return { breaker: made, call }
}

const afterFailures = (most: number) => (counts: Counts) => counts.consecutiveFailures >= most

test('opens at the sixth failure in a row, and refuses from then on', () => {
  const { breaker: made, call } = breaker()
  for (let failure = 1; failure <= 5; failure++) call(false, failure)
  expect(made.state(5)).toBe('closed')
  expect(made.counts).toMatchObject({ requests: 5, totalFailures: 5, consecutiveFailures: 5 })
  call(false, 6)
  expect(made.state(6)).toBe('open')
  expect(() => made.enter(7)).toThrow(new BreakerError('app orders', 'open'))
  expect(() => made.enter(7)).toThrow('circuit breaker is open (app orders)')
})

test('a success between the failures keeps it closed', () => {
  const { breaker: made, call } = breaker()
  for (let round = 0; round < 10; round++) {
    for (let failure = 1; failure <= 5; failure++) call(false, round)
    call(true, round)
  }
  expect(made.state(10)).toBe('closed')
  expect(made.counts).toEqual({
    requests: 60,
    totalSuccesses: 10,
    totalFailures: 50,
    consecutiveSuccesses: 1,
    consecutiveFailures: 0,
  })
})

test('is half-open after its time, and closes with a success', () => {
  const { breaker: made, call } = breaker({ timeoutMs: 100, trips: afterFailures(1) })
  call(false, 0)
  expect(() => made.enter(99)).toThrow('circuit breaker is open')
  expect(made.state(99)).toBe('open')
  expect(made.state(100)).toBe('half-open')
  expect(made.lastState).toBe('open')
  const generation = made.enter(100)
  expect(made.lastState).toBe('half-open')
  made.leave(generation, true, 110)
  expect(made.state(110)).toBe('closed')
  expect(made.counts.requests).toBe(0)
})

test('is open once more after a failure while half-open, and waits anew', () => {
  const { breaker: made, call } = breaker({ timeoutMs: 100, trips: afterFailures(1) })
  call(false, 0)
  call(false, 100)
  expect(made.state(199)).toBe('open')
  expect(made.state(200)).toBe('half-open')
})

test('lets maxRequests through while half-open, and wants as many successes in a row', () => {
  const { breaker: made, call } = breaker({ maxRequests: 3, timeoutMs: 100, trips: afterFailures(1) })
  call(false, 0)
  const tries = [made.enter(100), made.enter(100), made.enter(100)]
  expect(() => made.enter(100)).toThrow(new BreakerError('app orders', 'half-open'))
  expect(() => made.enter(100)).toThrow('too many requests (app orders)')
  made.leave(tries[0]!, true, 101)
  made.leave(tries[1]!, true, 102)
  expect(made.state(102)).toBe('half-open')
  made.leave(tries[2]!, true, 103)
  expect(made.state(103)).toBe('closed')
})

test('a try that never ends does not keep it half-open for ever, and counts when it ends', () => {
  const { breaker: made, call } = breaker({ timeoutMs: 100, trips: afterFailures(1) })
  call(false, 0)
  const stream = made.enter(100)
  expect(() => made.enter(199)).toThrow('too many requests')
  made.enter(200)
  expect(() => made.enter(201)).toThrow('too many requests')
  made.leave(stream, true, 250)
  expect(made.state(250)).toBe('closed')
})

test('a caller that gives up while half-open makes room for another', () => {
  const { breaker: made, call } = breaker({ timeoutMs: 100, trips: afterFailures(1) })
  call(false, 0)
  made.forget(made.enter(100), 110)
  made.leave(made.enter(111), true, 112)
  expect(made.state(112)).toBe('closed')
})

test('a forgotten call is not counted', () => {
  const { breaker: made } = breaker()
  made.forget(made.enter(0), 1)
  expect(made.counts.requests).toBe(0)
})

test('what began before the state changed does not count', () => {
  const { breaker: made, call } = breaker({ timeoutMs: 100, trips: afterFailures(1) })
  const slow = made.enter(0)
  const slower = made.enter(0)
  const slowest = made.enter(0)
  call(false, 1)
  made.leave(slow, true, 2)
  expect(made.state(2)).toBe('open')
  const tried = made.enter(101)
  made.leave(slower, false, 102)
  made.forget(slowest, 102)
  expect(made.state(102)).toBe('half-open')
  made.leave(tried, true, 103)
  expect(made.state(103)).toBe('closed')
})

test('the counts of the closed state begin anew after each interval', () => {
  const { breaker: made, call } = breaker({ intervalMs: 100, trips: afterFailures(3) })
  call(false, 0)
  call(false, 99)
  const over = made.enter(99)
  call(false, 100)
  made.leave(over, false, 101)
  expect(made.counts).toMatchObject({ requests: 1, totalFailures: 1 })
  call(false, 150)
  expect(made.state(150)).toBe('closed')
  call(false, 199)
  expect(made.state(199)).toBe('open')
})

test('an interval begins when it closes', () => {
  const { breaker: made, call } = breaker({ intervalMs: 100, timeoutMs: 10, trips: afterFailures(2) })
  call(false, 95)
  call(false, 95)
  call(true, 105)
  call(false, 200)
  call(false, 204)
  expect(made.state(204)).toBe('open')
})

test('without an interval counts are kept for ever', () => {
  const { breaker: made, call } = breaker()
  call(false, 0)
  call(true, 1e12)
  expect(made.counts).toMatchObject({ requests: 2, totalFailures: 1, totalSuccesses: 1 })
})

test('trips by whatever its policy makes of the counts', () => {
  const { breaker: made, call } = breaker({
    trips: ({ requests, totalFailures }) => requests >= 4 && totalFailures / requests >= 0.5,
  })
  for (const outcome of [true, false, true]) call(outcome, 0)
  expect(made.state(0)).toBe('closed')
  call(false, 0)
  expect(made.state(0)).toBe('open')
})
