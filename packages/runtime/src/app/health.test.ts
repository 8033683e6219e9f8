import { recordingLogger, settle, virtualClock } from '@outrigger/testkit'
import { expect, it } from 'vitest'
import { FakeApp } from '../../test/support/fake-app.ts'
import type { Answer } from '../../test/support/fake-app.ts'
import { FakeGrpcApp } from '../../test/support/fake-grpc-app.ts'
import type { AppChannel } from './channel.ts'
import { createAppHealth } from './health.ts'

function setUp<C extends AppChannel = FakeApp>(app: C = new FakeApp() as never) {
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

it('asks an application that speaks gRPC by HealthCheck, and one that does not serve it is not healthy', async () => {
  // Loaded when it is needed, which takes more than virtual time.
  await import('./grpc-health.ts')
  const app = new FakeGrpcApp()
  const { clock, changes, health } = setUp(app)
  health.start()
  await settle()
  expect([health.healthy, app.calls.map(({ name }) => name)]).toEqual([false, ['healthCheck']])
  expect(app.calls[0]!.options.unlimited).toBe(true)
  app.handlers = { healthCheck: () => ({}) }
  await clock.advance(5000)
  expect(changes).toEqual(['healthy'])
  app.down = true
  await clock.advance(15_000)
  expect(changes).toEqual(['healthy', 'unhealthy'])
  health.stop()
  expect(clock.pending).toBe(0)
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
