import { recordingLogger, settle, virtualClock } from '@outrigger/testkit'
import { expect, it } from 'vitest'
import { FakeApp } from '../../test/support/fake-app.ts'
import type { Answer } from '../../test/support/fake-app.ts'
import { createAppHealth } from './health.ts'

function setUp() {
  const app = new FakeApp()
  const clock = virtualClock()
  const changes: string[] = []
  const health = createAppHealth({
    channel: app,
    path: 'health',
    threshold: 3,
    clock,
    logger: recordingLogger(),
    onHealthy: () => changes.push('healthy'),
    onUnhealthy: () => changes.push('unhealthy'),
  })
  return { app, clock, changes, health }
}

it('begins unhealthy and tells of changes only', async () => {
  const { app, clock, changes, health } = setUp()
  app.handle = () => ({ status: 500 })
  health.start()
  await clock.advance(20_000)
  expect([health.healthy, changes]).toEqual([false, []])
  app.handle = () => ({ status: 204 })
  await clock.advance(5000)
  expect([health.healthy, changes]).toEqual([true, ['healthy']])
  expect(app.calls[0]).toMatchObject({ method: 'GET', path: '/health' })
  app.down = true
  await clock.advance(10_000)
  expect(health.healthy).toBe(true)
  await clock.advance(5000)
  expect(changes).toEqual(['healthy', 'unhealthy'])
  app.down = false
  await clock.advance(5000)
  expect(changes).toEqual(['healthy', 'unhealthy', 'healthy'])
  health.stop()
  expect(clock.pending).toBe(0)
})

it('probes at once, and counts an answer that does not come as a failure', async () => {
  const { app, clock, changes, health } = setUp()
  health.start()
  await settle()
  expect(changes).toEqual(['healthy'])
  app.handle = () => new Promise<Answer>(() => {})
  await clock.advance(5000)
  // Three probes at 5, 10 and 15 s, each given up half a second later.
  await clock.advance(10_499)
  expect(health.healthy).toBe(true)
  await clock.advance(1)
  expect(health.healthy).toBe(false)
  health.stop()
})

it('refuses settings that make no sense', () => {
  const base = {
    channel: new FakeApp(),
    clock: virtualClock(),
    logger: recordingLogger(),
    onHealthy() {},
    onUnhealthy() {},
  }
  expect(() => createAppHealth({ ...base, timeoutMs: 6000 })).toThrow('app-health-probe-timeout (6000 ms)')
  expect(() => createAppHealth({ ...base, intervalMs: 0 })).toThrow('app-health-probe-interval')
  expect(() => createAppHealth({ ...base, threshold: 0 })).toThrow('app-health-threshold')
})
