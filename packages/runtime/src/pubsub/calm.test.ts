import { seededRandom, virtualClock } from '@outrigger/testkit'
import { expect, it } from 'vitest'
import { Calm } from './calm.ts'

it('waits longer each time, together, and starts anew after a success', async () => {
  const clock = virtualClock()
  const calm = new Calm(clock, seededRandom(2))
  const { signal } = new AbortController()
  const wait = async (): Promise<number> => {
    const began = clock.monotonic()
    const both = Promise.all([calm.wait(signal), calm.wait(signal)])
    while (await clock.advanceToNext());
    await both
    return clock.monotonic() - began
  }
  for (let round = 0; round < 8; round++) await wait()
  expect(await wait()).toBeGreaterThanOrEqual(2500)
  calm.succeeded()
  expect(await wait()).toBeLessThanOrEqual(150)
})

it('waits no longer than wanted', async () => {
  const calm = new Calm(virtualClock(), seededRandom(2))
  await calm.wait(AbortSignal.abort())
})
