import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '@outrigger/spec'
import { expect, test } from 'vitest'
import { collect, eventually, freshPath, message, open } from './support.ts'

/** The system's timers on a calendar that can be moved; timers of `janitorMs` are called by hand. */
function movableClock(): Clock & { aheadMs: number; readonly janitors: (() => void)[] } {
  const janitors: (() => void)[] = []
  return {
    aheadMs: 0,
    janitors,
    now() {
      return Date.now() + this.aheadMs
    },
    monotonic: () => performance.now(),
    schedule(delayMs, callback) {
      if (delayMs === janitorMs) {
        janitors.push(callback)
        return { cancel: () => void janitors.splice(janitors.indexOf(callback), 1) }
      }
      const timer = setTimeout(callback, delayMs).unref()
      return { cancel: () => clearTimeout(timer) }
    },
  }
}
const janitorMs = 5000

async function sweep(clock: ReturnType<typeof movableClock>): Promise<void> {
  const run = clock.janitors.pop()!
  run()
  // Each run ends by arming the next.
  await eventually(() => clock.janitors.length).toBe(1)
}

function countRows(path: string): (table: string) => number {
  const file = new DatabaseSync(path)
  return (table) => file.prepare(`SELECT count(*) AS n FROM pubsub_${table}`).get()!['n'] as number
}

test('the first group of a topic gets what waits there, a later one what comes next', async () => {
  const path = freshPath()
  const first = await open(path, { appId: 'first' })
  await first.publish(message('t', 'early'), {})
  const texts = await collect(first, 't')
  await eventually(() => texts).toEqual(['early'])
  const later = await collect(await open(path, { appId: 'later' }), 't')
  await first.publish(message('t', 'late'), {})
  await eventually(() => later).toEqual(['late'])
  expect(texts).toEqual(['early', 'late'])
})

test('with one message at a time, fresh messages come in the order of their publication', async () => {
  const pubsub = await open(freshPath())
  const sent = Array.from({ length: 300 }, (_, n) => `${n}`)
  const texts = await collect(pubsub, 't', 1)
  await Promise.all(sent.map((text) => pubsub.publish(message('t', text), {})))
  await eventually(() => texts.length).toBe(300)
  expect(texts).toEqual(sent)
})

test('consumerID makes two applications one group', async () => {
  const path = freshPath()
  const properties = { consumerID: 'shared' }
  const one = await open(path, { appId: 'one', properties })
  const two = await open(path, { appId: 'two', properties })
  const received = [await collect(one, 't'), await collect(two, 't')]
  const sent = Array.from({ length: 50 }, (_, n) => `${n}`)
  await Promise.all(sent.map((text) => one.publish(message('t', text), {})))
  await eventually(() => received.flat().length).toBe(50)
  expect(received.flat().toSorted()).toEqual(sent.toSorted())
})

test('a nacked message waits longer each time and does not hold the others up', async () => {
  const pubsub = await open(freshPath(), {
    properties: { redeliverInterval: '40ms', maxRedeliverInterval: '60ms' },
  })
  const times: number[] = []
  const others: string[] = []
  await pubsub.subscribe(
    { topic: 't', metadata: {}, maxInFlight: 1 },
    ({ data }) => {
      const text = Buffer.from(data).toString()
      if (text !== 'bad') others.push(text)
      else times.push(performance.now())
      return Promise.resolve(text === 'bad' && times.length < 4 ? 'nack' : 'ack')
    },
    {},
  )
  for (const text of ['bad', '1', '2']) await pubsub.publish(message('t', text), {})
  await eventually(() => times.length).toBe(4)
  expect(others).toEqual(['1', '2'])
  // 40, then 60 and 60 of the doubled 80 and 160; a fifth less at most, by chance.
  const gaps = times.slice(1).map((time, index) => time - times[index]!)
  for (const [index, least] of [32, 48, 48].entries()) expect(gaps[index]).toBeGreaterThanOrEqual(least - 2)
})

test('settled messages leave the file, and those that a group still needs stay', async () => {
  const path = freshPath()
  const clock = movableClock()
  const pubsub = await open(path, { appId: 'fast', clock })
  const away = await open(path, { appId: 'away' })
  await collect(away, 't')
  await away.close()
  const texts = await collect(pubsub, 't')
  await Promise.all(Array.from({ length: 1200 }, (_, n) => pubsub.publish(message('t', `${n}`), {})))
  await eventually(() => texts.length).toBe(1200)
  const rows = countRows(path)
  await eventually(() => rows('deliveries')).toBe(0)
  await sweep(clock)
  expect(rows('messages')).toBe(1200)

  const back = await open(path, { appId: 'away' })
  let left = 0
  await back.subscribe(
    { topic: 't', metadata: {}, maxInFlight: 10_000 },
    ({ data }) => {
      left++
      return Buffer.from(data).toString() === '700' ? new Promise(() => {}) : Promise.resolve('ack')
    },
    {},
  )
  await eventually(() => left).toBe(1200)
  await eventually(() => rows('deliveries')).toBe(1)
  await sweep(clock)
  expect(rows('messages')).toBe(1)
})

test('what is past its TTL or the retention leaves the file, whoever wanted it', async () => {
  const path = freshPath()
  const clock = movableClock()
  const pubsub = await open(path, { clock, properties: { retention: '1h' } })
  await pubsub.publish(message('t', 'old'), {})
  await pubsub.publish(message('t', 'short', { ttlSeconds: 60 }), {})
  const rows = countRows(path)
  clock.aheadMs = 61_000
  await sweep(clock)
  expect(rows('messages')).toBe(1)
  clock.aheadMs = 3_600_001
  const texts = await collect(pubsub, 't')
  await pubsub.publish(message('t', 'new'), {})
  await eventually(() => texts).toEqual(['new'])
  await sweep(clock)
  expect(rows('messages')).toBe(0)
})

test('a group that nobody used for the retention is dropped with its deliveries; one in use stays', async () => {
  const path = freshPath()
  const clock = movableClock()
  const away = await open(path, { appId: 'away' })
  await away.subscribe({ topic: 't', metadata: {} }, () => Promise.resolve('nack'), {})
  const pubsub = await open(path, { clock, properties: { retention: '1h' } })
  const texts = await collect(pubsub, 't')
  await pubsub.publish(message('t', '1'), {})
  const rows = countRows(path)
  await eventually(() => texts).toEqual(['1'])
  await eventually(() => rows('deliveries')).toBe(1)
  await away.close()
  expect(rows('groups')).toBe(2)
  for (let minutes = 20; minutes <= 80; minutes += 20) {
    clock.aheadMs = minutes * 60_000
    await sweep(clock)
  }
  expect([rows('groups'), rows('deliveries'), rows('messages')]).toEqual([1, 0, 0])
  await pubsub.publish(message('t', '2'), {})
  await eventually(() => texts).toEqual(['1', '2'])
})

test('a subscription whose group was dropped under it makes it anew', async () => {
  const path = freshPath()
  const pubsub = await open(path)
  const texts = await collect(pubsub, 't')
  const file = new DatabaseSync(path, { timeout: 5000 })
  file.exec('DELETE FROM pubsub_groups')
  file.close()
  await pubsub.publish(message('t', '1'), {})
  await eventually(() => texts).toEqual(['1'])
})

test('a full file refuses messages, says why, and takes them again when there is room', async () => {
  const path = freshPath()
  const clock = movableClock()
  const pubsub = await open(path, { clock, properties: { maxSize: '1Mi' } })
  const big = { ...message('t', ''), data: new Uint8Array(20_000) }
  const fill = async (): Promise<void> => {
    for (let n = 0; n < 200; n++) await pubsub.publish(big, {})
  }
  await expect(fill()).rejects.toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    message: expect.stringContaining('maxSize') as string,
  })
  const failures = await pubsub.bulkPublish!(
    { topic: 't', metadata: {}, entries: [{ entryId: 'a', data: big.data, metadata: {} }] },
    {},
  )
  expect(failures).toMatchObject([{ entryId: 'a', error: { code: 'RESOURCE_EXHAUSTED' } }])
  let received = 0
  const deliver = (): Promise<'ack'> => {
    received++
    return Promise.resolve('ack')
  }
  await pubsub.subscribe({ topic: 't', metadata: {} }, deliver, {})
  const rows = countRows(path)
  await eventually(() => received).toBe(rows('messages'))
  await eventually(() => rows('deliveries')).toBe(0)
  await sweep(clock)
  await pubsub.publish(big, {})
})

test('an unknown layout is refused, and a state store may live in the same file', async () => {
  const path = freshPath()
  const pubsub = await open(path)
  await pubsub.close()
  const file = new DatabaseSync(path)
  file.exec('CREATE TABLE state (key TEXT); UPDATE pubsub_layout SET level = 9')
  await expect(open(path)).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('level 9') as string,
  })
  file.exec('UPDATE pubsub_layout SET level = 1')
  file.close()
  await open(path)
})

test('in memory it is a broker of its own', async () => {
  const one = await open(':memory:')
  const two = await open(':memory:')
  const received = [await collect(one, 't'), await collect(two, 't')]
  await one.publish(message('t', '1'), {})
  await eventually(() => received[0]).toEqual(['1'])
  expect(received[1]).toEqual([])
})

test('a broken file ends the subscription with the error', async () => {
  const path = freshPath()
  const pubsub = await open(path)
  const subscription = await pubsub.subscribe({ topic: 't', metadata: {} }, () => Promise.resolve('ack'), {})
  const file = new DatabaseSync(path, { timeout: 5000 })
  file.exec('DROP TABLE pubsub_deliveries')
  file.close()
  await pubsub.publish(message('t', '1'), {})
  expect(await subscription.ended).toMatchObject({ code: 'INTERNAL' })
  await subscription.close()
})
