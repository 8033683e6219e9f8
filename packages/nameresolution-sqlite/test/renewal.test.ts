import { DatabaseSync } from 'node:sqlite'
import { recordingLogger, virtualClock, waitFor } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { freshPath, open, portsOf, registration } from './support.ts'

test('an instance is renewed for as long as its process lives, and gone after updateInterval when it does not', async () => {
  const path = freshPath()
  const [theirs, ours] = [virtualClock(), virtualClock()]
  const announcing = await open(path, {}, { clock: theirs })
  const looking = await open(path, {}, { clock: ours })
  await announcing.register!(registration('orders', 1), {})
  for (let second = 0; second < 60; second++) {
    await Promise.all([theirs.advance(1000), ours.advance(1000)])
    expect(await portsOf(looking, 'orders'), `after ${second} seconds`).toEqual([1])
  }
  // Its process stands still, as one that was killed.
  await ours.advance(5000)
  expect(await portsOf(looking, 'orders')).toEqual([])
  await theirs.advance(5000)
  expect(await portsOf(looking, 'orders')).toEqual([1])
})

test('a watch sees what another process wrote within a second, and that an instance grew old', async () => {
  const path = freshPath()
  const clock = virtualClock()
  const looking = await open(path, {}, { clock })
  const told: number[][] = []
  await looking.watch!(
    { appId: 'orders', namespace: 'default', metadata: {} },
    (instances) => void told.push(instances.map(({ port }) => port)),
    {},
  )
  const other = new DatabaseSync(path)
  const nowS = Math.floor(clock.now() / 1000)
  other.prepare("INSERT INTO hosts VALUES ('id', '127.0.0.1:7', 'orders', 'default', ?)").run(nowS)
  await clock.advance(999)
  expect(told).toEqual([[], [7]])
  other.exec('DELETE FROM hosts')
  await clock.advance(999)
  expect(told).toEqual([[], [7], []])
  other.prepare("INSERT INTO hosts VALUES ('id', '127.0.0.1:8', 'orders', '', ?)").run(nowS + 2)
  await clock.advance(999)
  expect(told.at(-1)).toEqual([8])
  // Nobody writes any more.
  await clock.advance(6000)
  expect(told).toEqual([[], [7], [], [8], []])
  other.close()
})

test('a row that somebody else removed is put back', async () => {
  const path = freshPath()
  const clock = virtualClock()
  const resolver = await open(path, {}, { clock })
  const kept = await resolver.register!(registration('orders', 1), {})
  const other = new DatabaseSync(path)
  other.exec('DELETE FROM hosts')
  await clock.advance(2500)
  expect(await portsOf(resolver, 'orders')).toEqual([1])
  // Not so while it is unhealthy.
  await kept.setHealthy(false, {})
  await clock.advance(60_000)
  expect(await portsOf(resolver, 'orders')).toEqual([])
  other.close()
})

test('an address that another live instance has taken is told once and left to it until it is gone', async () => {
  const path = freshPath()
  const clock = virtualClock()
  const logger = recordingLogger()
  const resolver = await open(path, {}, { clock, logger })
  await resolver.register!(registration('orders', 1), {})
  const other = new DatabaseSync(path)
  const take = other.prepare("REPLACE INTO hosts VALUES ('theirs', '127.0.0.1:1', 'other', 'default', ?)")
  for (let second = 0; second < 10; second++) {
    take.run(Math.floor(clock.now() / 1000))
    await clock.advance(1000)
  }
  expect([await portsOf(resolver, 'orders'), await portsOf(resolver, 'other')]).toEqual([[], [1]])
  expect(logger.messages('warn')).toEqual(['another instance, of "other", has registered the same address'])
  await clock.advance(10_000)
  expect([await portsOf(resolver, 'orders'), await portsOf(resolver, 'other')]).toEqual([[1], []])
  expect(logger.messages('info')).toEqual(['the registration is renewed again'])
  other.close()
})

test('a file that stays locked is told once, and the instance is renewed when it is free', async () => {
  const path = freshPath()
  const logger = recordingLogger()
  const resolver = await open(path, { updateInterval: '2s', busyTimeout: '10ms' }, { logger })
  await resolver.register!(registration('orders', 1), {})
  const other = new DatabaseSync(path)
  other.exec('BEGIN IMMEDIATE')
  await waitFor(() => logger.messages('warn').length > 0)
  other.exec('ROLLBACK')
  await waitFor(() => logger.messages('info').length > 0)
  expect(logger.messages('warn')).toEqual(['the registration of 127.0.0.1:1 could not be renewed'])
  expect(await portsOf(resolver, 'orders')).toEqual([1])
  other.close()
})

test('rows of instances that are gone are removed, once in each interval, and others stay', async () => {
  const path = freshPath()
  const clock = virtualClock()
  const resolver = await open(path, { cleanupInterval: '10m' }, { clock })
  await resolver.register!(registration('orders', 1), {})
  const other = new DatabaseSync(path)
  const ids = (): unknown[] => other.prepare('SELECT app_id FROM hosts ORDER BY app_id').all()
  const dead = other.prepare("INSERT INTO hosts VALUES (?, ?, 'dead', '', 0)")
  dead.run('a', '127.0.0.1:8')
  await clock.advance(11 * 60_000)
  expect(ids()).toEqual([{ app_id: 'orders' }])
  // Somebody else has just done it.
  other
    .prepare("UPDATE metadata SET value = datetime(?, 'unixepoch') WHERE key = 'nr-last-cleanup'")
    .run(Math.floor(clock.now() / 1000) + 540)
  dead.run('b', '127.0.0.1:9')
  await clock.advance(11 * 60_000)
  expect(ids()).toEqual([{ app_id: 'dead' }, { app_id: 'orders' }])
  other.close()
})

test('what was registered is gone from the file after close, and no timer is left', async () => {
  const path = freshPath()
  const clock = virtualClock()
  const resolver = await open(path, {}, { clock })
  await resolver.register!(registration('orders', 1), {})
  await resolver.watch!({ appId: 'orders', namespace: 'default', metadata: {} }, () => {}, {})
  await Promise.all([resolver.register!(registration('late', 2), {}), resolver.close()])
  expect(clock.pending).toBe(0)
  const file = new DatabaseSync(path)
  expect(file.prepare('SELECT * FROM hosts').all()).toEqual([])
  file.close()
})
