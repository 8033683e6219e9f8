import { tempFolder } from '@outrigger/testkit'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { App, Consumer, endApps, endConsumers, endSidecars, startSidecar } from '../../src/index.ts'
import { counts, durable, inMemory, publish } from './brokers.ts'

afterEach(async () => {
  await endSidecars()
  await endConsumers()
  await endApps()
})

const total = 200

durable((broker) => {
  test('two instances of one application share, another application gets everything too', async () => {
    const { path, remove } = await tempFolder()
    onTestFinished(remove)
    const resources = broker.resources(path, 'usual')
    const names = ['shop', 'shop', 'audit'] as const
    const consumers = await Promise.all(names.map(() => Consumer.start()))
    const sidecars = await Promise.all(
      names.map((appId, index) => startSidecar({ appId, appPort: consumers[index]!.port, resources })),
    )
    const ids = Array.from({ length: total }, (_, index) => `m${index}`)
    await Promise.all(
      sidecars.map(async (sidecar, index) => {
        // Each of the three publishes a third, to the same topic.
        for (let at = index; at < total; at += 3) expect(await publish(sidecar, ids[at]!)).toBe(true)
      }),
    )
    const [first, second, audit] = consumers as [Consumer, Consumer, Consumer]
    const shared = (): string[] => [...first.done, ...second.done]
    await sidecars[0]!.child.waitUntil(
      () => shared().length >= total && audit.done.length >= total,
      'both applications had every message',
    )
    // What came twice would have come before a message that was published after all others were done.
    expect(await publish(sidecars[0]!, 'end')).toBe(true)
    await sidecars[0]!.child.waitUntil(
      () => shared().includes('end') && audit.done.includes('end'),
      'the marker arrived',
    )
    console.log(
      `${total} published; instances of shop did ${first.done.length} and ${second.done.length}, audit ${audit.done.length}`,
    )
    const exactlyOnce = new Map([...ids, 'end'].map((id) => [id, 1]))
    expect(counts(shared())).toEqual(exactlyOnce)
    expect(counts(audit.done)).toEqual(exactlyOnce)
    expect(first.done.length).toBeGreaterThan(0)
    expect(second.done.length).toBeGreaterThan(0)
  })

  test('when one instance is killed, the other takes over what it held', async () => {
    const { path, remove } = await tempFolder()
    onTestFinished(remove)
    const resources = broker.resources(path, 'soon')
    const holding = await Consumer.start({ hold: true })
    const first = await startSidecar({ appId: 'shop', appPort: holding.port, resources })
    const ids = Array.from({ length: 5 }, (_, index) => `m${index}`)
    for (const id of ids) expect(await publish(first, id)).toBe(true)
    await first.child.waitUntil(() => holding.got.length === ids.length, 'the first instance holds all')
    const other = await Consumer.start()
    await startSidecar({ appId: 'shop', appPort: other.port, resources })
    expect(other.got).toEqual([])
    await first.kill()
    await other.child.waitUntil(() => new Set(other.done).size === ids.length, 'the other instance did all')
    expect(new Set(other.done)).toEqual(new Set(ids))
  })
})

inMemory((broker) => {
  test('within one runtime every subscription gets its messages once', async () => {
    const app = await App.start({
      'GET /dapr/subscribe': [
        { pubsubname: 'pubsub', topic: 'orders', route: '/orders' },
        { pubsubname: 'pubsub', topic: 'bills', route: '/bills' },
      ],
      '*': () => ({ status: 200 }),
    })
    const sidecar = await startSidecar({ appPort: app.port, resources: broker.resources('', 'usual') })
    for (let index = 0; index < 50; index++) {
      expect(await publish(sidecar, `o${index}`)).toBe(true)
      expect(await publish(sidecar, `b${index}`, 'bills')).toBe(true)
    }
    const ids = async (path: string): Promise<Set<string>> =>
      new Set((await app.received(path, 50)).map((request) => request.json().data.id as string))
    expect(await ids('/orders')).toEqual(new Set(Array.from({ length: 50 }, (_, index) => `o${index}`)))
    expect(await ids('/bills')).toEqual(new Set(Array.from({ length: 50 }, (_, index) => `b${index}`)))
    expect(app.at('/orders')).toHaveLength(50)
  })
})
