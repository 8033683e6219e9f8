import { expect, test } from 'vitest'
import { collect, eventually, freshPath, message, open, start } from './support.ts'

const texts = (lines: readonly string[]): string[] => lines.map((line) => line.split(' ')[0]!)

test('two instances of one application share, two applications both receive, across processes', async () => {
  const path = freshPath()
  const [one, two, other] = await Promise.all(
    ['app', 'app', 'other'].map((appId) => start({ path, appId, topic: 't', consume: 'ack' })),
  )
  const pubsub = await open(path)
  const sent = Array.from({ length: 500 }, (_, n) => `${n}`)
  for (const text of sent) await pubsub.publish(message('t', text), {})
  const received = (...children: (typeof one)[]): string[] =>
    children.flatMap((child) => texts(child!.said('received'))).toSorted()
  await eventually(() => received(one, two).length).toBeGreaterThanOrEqual(500)
  await eventually(() => received(other).length).toBeGreaterThanOrEqual(500)
  expect(received(one, two)).toEqual(sent.toSorted())
  expect(received(other)).toEqual(sent.toSorted())
  await Promise.all([one!.end(), two!.end(), other!.end()])
})

test('a process that is busy leaves work to another', async () => {
  const path = freshPath()
  const properties = { maxInFlight: '1' }
  const busy = (): ReturnType<typeof start> =>
    start({ path, appId: 'app', topic: 't', consume: 'hang', properties })
  const children = await Promise.all([busy(), busy()])
  const pubsub = await open(path)
  for (const text of ['1', '2']) await pubsub.publish(message('t', text), {})
  await eventually(() => children.map((child) => child.said('received').length)).toEqual([1, 1])
  expect(children.flatMap((child) => child.said('received')).toSorted()).toEqual(['1 1', '2 1'])
})

test('a process killed in mid-delivery: another one gets the message when the lease is over', async () => {
  const path = freshPath()
  const properties = { visibilityTimeout: '1s' }
  const dying = await start({ path, appId: 'app', topic: 't', consume: 'hang', properties })
  const pubsub = await open(path, { appId: 'app', properties })
  await pubsub.publish(message('t', 'precious'), {})
  await eventually(() => dying.said('received')).toEqual(['precious 1'])
  await dying.kill()
  const counts: (number | undefined)[] = []
  await pubsub.subscribe(
    { topic: 't', metadata: {} },
    ({ deliveryCount }) => {
      counts.push(deliveryCount)
      return Promise.resolve('ack')
    },
    {},
  )
  await eventually(() => counts).toEqual([2])
})

test('a process that ends gracefully gives its messages back at once', async () => {
  const path = freshPath()
  const properties = { visibilityTimeout: '10m' }
  const leaving = await start({ path, appId: 'app', topic: 't', consume: 'hang', properties })
  const pubsub = await open(path, { appId: 'app', properties })
  await pubsub.publish(message('t', 'precious'), {})
  await eventually(() => leaving.said('received')).toEqual(['precious 1'])
  const received = await collect(pubsub, 't')
  await leaving.end()
  await eventually(() => received).toEqual(['precious'])
})

test.each([false, true])(
  'a process that does nothing but wait for messages goes on waiting (disableWAL: %s)',
  async (disableWAL) => {
    const path = freshPath()
    const properties = { disableWAL: String(disableWAL) }
    const waiting = await start({ path, appId: 'app', topic: 't', consume: 'ack', alone: true, properties })
    const pubsub = await open(path, { properties })
    for (const text of ['1', '2']) {
      await pubsub.publish(message('t', text), {})
      await eventually(() => texts(waiting.said('received'))).toContain(text)
    }
    expect(waiting.process.exitCode).toBe(null)
  },
)

test('a publisher that is killed loses nothing of what it was told was published', async () => {
  const path = freshPath()
  const pubsub = await open(path, { appId: 'app' })
  const received = await collect(pubsub, 't')
  const publisher = await start({
    path,
    appId: 'publisher',
    topic: 't',
    publish: { name: 'm', count: 1_000_000, inFlight: 20 },
  })
  await eventually(() => publisher.said('published').length).toBeGreaterThan(500)
  await publisher.kill()
  const published = publisher.said('published')
  await eventually(() => {
    const have = new Set(received)
    return published.filter((text) => !have.has(text))
  }).toEqual([])
})

test('four processes that publish and consume at once: every message arrives, and in peace none twice', async () => {
  const path = freshPath()
  const children = await Promise.all(
    ['a', 'b', 'c', 'd'].map((name) =>
      start({ path, appId: 'app', topic: 't', consume: 'ack', publish: { name, count: 1000, inFlight: 10 } }),
    ),
  )
  const received = (): string[] => children.flatMap((child) => texts(child.said('received')))
  await eventually(() => new Set(received()).size).toBe(4000)
  await eventually(() => children.every((child) => child.lines.includes('done'))).toBe(true)
  await Promise.all(children.map((child) => child.end()))
  const sent = ['a', 'b', 'c', 'd'].flatMap((name) => Array.from({ length: 1000 }, (_, n) => `${name}-${n}`))
  // Leases last 15 s and are renewed: a copy would mean that two processes had claimed the same message.
  expect(received().toSorted()).toEqual(sent.toSorted())
})
