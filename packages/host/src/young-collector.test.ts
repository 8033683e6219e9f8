import { expect, it } from 'vitest'
import { collectors, youngCollector } from './young-collector.ts'

it('frees buffers that nobody holds any more', async () => {
  const collect = youngCollector()
  collect()
  const before = process.memoryUsage().arrayBuffers
  const dead = Array.from({ length: 400 }, () => Buffer.allocUnsafeSlow(64 * 1024))
  const most = process.memoryUsage().arrayBuffers - before
  dead.length = 0
  // What was just made survives one or two collections, as any young object may.
  for (let attempt = 0; attempt < 3; attempt++) {
    collect()
    await new Promise(setImmediate)
  }
  expect(most).toBeGreaterThan(20 * 1024 * 1024)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(most / 2)
  expect(globalThis).not.toHaveProperty('gc')
})

it('frees everything that is dead, and gives the pages of the heap back', async () => {
  const { everything } = collectors()
  const dead = Array.from({ length: 300_000 }, (_, index) => ({ index, text: [`${index}`] }))
  const old = Array.from({ length: 400 }, () => Buffer.allocUnsafeSlow(64 * 1024))
  everything()
  const before = process.memoryUsage()
  dead.length = old.length = 0
  everything()
  await new Promise(setImmediate)
  const after = process.memoryUsage()
  expect(before.heapTotal - after.heapTotal).toBeGreaterThan(10 * 1024 * 1024)
  expect(before.external - after.external).toBeGreaterThan(20 * 1024 * 1024)
})
