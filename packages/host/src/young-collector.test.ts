import { expect, it } from 'vitest'
import { youngCollector } from './young-collector.ts'

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
