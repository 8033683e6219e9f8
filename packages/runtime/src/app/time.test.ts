import { seededRandom, virtualClock } from '@outrigger/testkit'
import { expect, it } from 'vitest'
import { Backoff, sleep, withDeadline } from './time.ts'

it('sleeps, and no longer than wanted', async () => {
  const clock = virtualClock()
  const whole = sleep(clock, 100)
  await clock.advance(100)
  expect(await whole).toBe(true)
  const waking = new AbortController()
  const short = sleep(clock, 100, waking.signal)
  waking.abort()
  expect(await short).toBe(false)
  expect(await sleep(clock, 100, waking.signal)).toBe(false)
  expect(clock.pending).toBe(0)
})

it('aborts work at its deadline or with its parent, and leaves no timer', async () => {
  const clock = virtualClock()
  const forever = (signal: AbortSignal): Promise<never> =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error))
    })
  const late = withDeadline(clock, 50, undefined, forever)
  const failed = expect(late).rejects.toThrow('no answer within 50 ms')
  await clock.advance(50)
  await failed
  const parent = new AbortController()
  const given = withDeadline(clock, 50, parent.signal, forever)
  parent.abort(new Error('enough'))
  await expect(given).rejects.toThrow('enough')
  expect(await withDeadline(clock, 50, undefined, async () => 'done')).toBe('done')
  expect(clock.pending).toBe(0)
})

it('waits longer each time, up to a maximum, and starts anew', () => {
  const backoff = new Backoff({ initialMs: 100, maxMs: 1000, factor: 2 }, seededRandom(1))
  const waits = Array.from({ length: 50 }, () => backoff.nextMs())
  expect(waits[0]).toBeGreaterThanOrEqual(50)
  expect(waits[0]).toBeLessThanOrEqual(150)
  expect(Math.min(...waits.slice(4))).toBeGreaterThanOrEqual(500)
  expect(Math.max(...waits)).toBe(1000)
  backoff.reset()
  expect(backoff.nextMs()).toBeLessThanOrEqual(150)
})
