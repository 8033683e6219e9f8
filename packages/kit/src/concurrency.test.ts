import { expect, test } from 'vitest'
import { mapConcurrently, Semaphore } from './concurrency.ts'

test('no more than the limit run at a time, and results keep their order', async () => {
  let running = 0
  let most = 0
  const results = await mapConcurrently([5, 1, 4, 2, 3], 2, async (n) => {
    most = Math.max(most, ++running)
    for (let i = 0; i < n; i++) await Promise.resolve()
    running--
    return n * 10
  })
  expect(results).toEqual([50, 10, 40, 20, 30])
  expect(most).toBe(2)
})

test('nothing to do is done at once', async () => {
  expect(await mapConcurrently([], 4, () => Promise.reject(new Error('called')))).toEqual([])
})

test('a semaphore lets waiters through in order', async () => {
  const semaphore = new Semaphore(1)
  const order: number[] = []
  await semaphore.acquire()
  const waiting = [1, 2].map(async (n) => {
    await semaphore.acquire()
    order.push(n)
    semaphore.release()
  })
  expect(order).toEqual([])
  semaphore.release()
  await Promise.all(waiting)
  expect(order).toEqual([1, 2])
})

test('after a rejection nothing more is begun', async () => {
  const begun: number[] = []
  const work = mapConcurrently([1, 2, 3, 4, 5], 2, async (n) => {
    begun.push(n)
    await Promise.resolve()
    if (n === 1) throw new Error('no')
  })
  await expect(work).rejects.toThrow('no')
  for (let i = 0; i < 20; i++) await Promise.resolve()
  expect(begun).toEqual([1, 2])
})
