import { seededRandom, settle, virtualClock } from '@outrigger/testkit'
import { decode } from 'dns-packet'
import { expect, test } from 'vitest'
import { Browser } from './browser.ts'
import { encodeAnnouncement, encodeQuery } from './messages.ts'

function setUp() {
  const clock = virtualClock()
  const asked: number[] = []
  let idle = 0
  const browser: Browser = new Browser('orders', {
    clock,
    random: seededRandom(1),
    send: async () => void asked.push(clock.monotonic()),
    idle: () => void idle++,
  })
  const hear = (port: number, instance = `i${port}`, leaving = false): void => {
    const announced = { instance, appId: 'orders', namespace: 'default', host: '10.0.0.1', port }
    browser.receive(decode(encodeAnnouncement(announced, leaving)))
  }
  const ports = async (): Promise<number[]> => (await browser.find('default')).map(({ port }) => port)
  return { clock, asked, browser, hear, ports, idle: () => idle }
}

test('the first who looks waits for an answer, and a moment for others', async () => {
  const { clock, ports, hear, asked } = setUp()
  const found = [ports(), ports()]
  let done = false
  void found[0]!.then(() => (done = true))
  await clock.advance(10)
  hear(1)
  await clock.advance(30)
  hear(2)
  expect(done).toBe(false)
  await clock.advance(30)
  expect(await Promise.all(found)).toEqual([
    [1, 2],
    [1, 2],
  ])
  expect(asked).toEqual([0])
  // From now on nobody waits.
  expect(await ports()).toEqual([1, 2])
})

test('where nobody answers it is asked three times in a second, and not again for everyone who looks', async () => {
  const { clock, ports, asked } = setUp()
  const found = ports()
  await clock.advance(1000)
  expect(await found).toEqual([])
  expect(asked).toEqual([0, 250, 700])
  expect(await ports()).toEqual([])
  await clock.advance(1000)
  void ports()
  await clock.advance(100)
  expect(asked.slice(3)).toEqual([2000])
})

test('an instance that says nothing any more is gone in 45 seconds, one that answers stays', async () => {
  const { clock, browser, hear, asked } = setUp()
  const told: number[][] = []
  hear(1)
  hear(2)
  await browser.watch('default', (instances) => void told.push(instances.map(({ port }) => port)))
  for (let second = 0; second < 45; second++) {
    const before = asked.length
    await clock.advance(1000)
    if (asked.length > before) hear(2)
  }
  expect(told).toEqual([[1, 2], [2]])
  expect(asked.length).toBeGreaterThanOrEqual(3)
})

test('what somebody else has asked just now is not asked again', async () => {
  const { clock, browser, asked } = setUp()
  await Promise.all([browser.watch('default', () => {}), clock.advance(1000)])
  const before = asked.length
  for (let second = 0; second < 60; second++) {
    await clock.advance(1000)
    browser.receive(decode(encodeQuery('orders')))
  }
  expect(asked.length).toBe(before)
})

test('for somebody who does not come it is asked ever more seldom, and as usual when he has come', async () => {
  const { clock, browser, asked, hear } = setUp()
  await Promise.all([browser.watch('default', () => {}), clock.advance(1000)])
  asked.length = 0
  await clock.advance(600_000)
  expect(asked.length).toBeLessThanOrEqual(12)
  hear(1)
  asked.length = 0
  await clock.advance(60_000)
  expect(asked.length).toBeGreaterThanOrEqual(4)
})

test('who leaves is gone at once, and who comes back on an address takes its place', async () => {
  const { browser, hear } = setUp()
  const told: number[][] = []
  hear(1)
  await browser.watch('default', (instances) => void told.push(instances.map(({ port }) => port)))
  hear(2)
  hear(2)
  hear(1, 'I1', true)
  hear(2, 'reborn')
  hear(2, 'i2', true)
  expect(told).toEqual([[1], [1, 2], [2]])
})

test('instances of another namespace are not found, those without one always are', async () => {
  const { browser, hear } = setUp()
  hear(1)
  const announced = { instance: 'dapr', appId: 'orders', host: '10.0.0.1', port: 9 }
  browser.receive(decode(encodeAnnouncement(announced)))
  expect((await browser.find('default')).map(({ port }) => port)).toEqual([1, 9])
  expect((await browser.find('other')).map(({ port }) => port)).toEqual([9])
})

test('a thousand instances are remembered, not more', async () => {
  const { hear, ports } = setUp()
  for (let port = 1; port <= 1100; port++) hear(port)
  expect(await ports()).toHaveLength(1000)
})

test('after five minutes in which nobody looks it is idle, not while somebody watches', async () => {
  const one = setUp()
  one.hear(1)
  await one.clock.advance(500_000)
  expect([one.idle(), one.clock.pending]).toEqual([1, 0])
  const two = setUp()
  two.hear(1)
  const watch = await two.browser.watch('default', () => {})
  await two.clock.advance(500_000)
  expect(two.idle()).toBe(0)
  two.browser.close()
  expect(await watch.ended).toBeUndefined()
  expect(two.clock.pending).toBe(0)
})

test('closing ends a search', async () => {
  const { browser, ports, clock } = setUp()
  const found = ports()
  await settle()
  browser.close()
  expect(await found).toEqual([])
  expect(clock.pending).toBe(0)
})
