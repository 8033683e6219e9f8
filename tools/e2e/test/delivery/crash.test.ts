import { tempFolder, seededRandom } from '@outrigger/testkit'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { Consumer, endConsumers, endSidecars, startSidecar, type Sidecar } from '../../src/index.ts'
import { counts, durable, inMemory, publish, type Broker } from './brokers.ts'

afterEach(async () => {
  await endSidecars()
  await endConsumers()
})

async function folder(): Promise<string> {
  const { path, remove } = await tempFolder()
  onTestFinished(remove)
  return path
}

/** Another seed tries another course; a failure names the one it had. */
const seed = (otherwise: number): number => Number(process.env['OUTRIGGER_SEED'] ?? otherwise)

type Protocol = 'http' | 'grpc'

/** A sidecar for the consumer, in its protocol. */
function sidecarOf(consumer: Consumer, resources: string): Promise<Sidecar> {
  const flags = [`--app-protocol=${consumer.protocol}`]
  return startSidecar({ appPort: consumer.port, resources, flags })
}

function applicationDies(broker: Broker, protocol: Protocol): void {
  test('a message that the application held when it was killed comes again', async () => {
    const consumer = await Consumer.start({ hold: true, protocol })
    const resources = broker.resources(await folder(), 'soon')
    const sidecar = await sidecarOf(consumer, resources)
    expect(await publish(sidecar, 'held')).toBe(true)
    await consumer.child.line('got held')
    await consumer.kill()
    await consumer.restart()
    await consumer.child.line('done held')
    expect(new Set(consumer.done)).toEqual(new Set(['held']))
  })

  test('of many messages none is lost while the application is killed again and again', async () => {
    const random = seededRandom(seed(4711))
    const consumer = await Consumer.start({ protocol })
    const resources = broker.resources(await folder(), 'soon')
    const sidecar = await sidecarOf(consumer, resources)
    const ids = Array.from({ length: 150 }, (_, index) => `m${index}`)
    let next = 0
    const send = async (count: number): Promise<void> => {
      for (const end = Math.min(next + count, ids.length); next < end;)
        expect(await publish(sidecar, ids[next++]!)).toBe(true)
    }
    for (let life = 0; life < 3; life++) {
      const hold = life === 1
      await send(10 + Math.floor(random.next() * 30))
      await consumer.kill()
      await consumer.restart({ hold })
      await send(5)
      if (hold) await consumer.child.line('got ')
    }
    await consumer.kill()
    await consumer.restart()
    await send(ids.length)
    await sidecar.child.waitUntil(() => new Set(consumer.done).size === ids.length, 'every message was done')
    console.log(
      `${ids.length} published, ${consumer.got.length} deliveries, ${consumer.done.length} done, 4 kills of the application, seed ${seed(4711)}`,
    )
    expect(counts(consumer.done).size).toBe(ids.length)
  })
}

function sidecarDies(broker: Broker, protocol: Protocol): void {
  test('a message that was under way when the sidecar was killed comes again', async () => {
    const consumer = await Consumer.start({ hold: true, protocol })
    const resources = broker.resources(await folder(), 'soon')
    const sidecar = await sidecarOf(consumer, resources)
    expect(await publish(sidecar, 'held')).toBe(true)
    await consumer.child.line('got held')
    await sidecar.kill()
    await consumer.kill()
    await consumer.restart()
    sidecar.start()
    await sidecar.ready()
    await consumer.child.line('done held')
    expect(new Set(consumer.done)).toEqual(new Set(['held']))
  })

  test('what was published and acknowledged survives kills of the sidecar', async () => {
    const random = seededRandom(seed(815))
    // It takes and never answers, so that at every kill there is what could be lost.
    const consumer = await Consumer.start({ hold: true, protocol })
    const resources = broker.resources(await folder(), 'soon')
    const sidecar = await sidecarOf(consumer, resources)
    const acknowledged: string[] = []
    const kills = 3
    for (let life = 0; life < kills; life++) {
      const killAt = acknowledged.length + 30 + Math.floor(random.next() * 100)
      let dead = false
      const publishers = Array.from({ length: 6 }, async (_, publisher) => {
        for (let index = 0; !dead; index++) {
          const id = `${life}-${publisher}-${index}`
          try {
            if (await publish(sidecar, id)) acknowledged.push(id)
          } catch {
            return
          }
        }
      })
      await sidecar.child.waitUntil(() => acknowledged.length >= killAt, `${killAt} publishes`)
      await sidecar.kill()
      dead = true
      await Promise.all(publishers)
      sidecar.start()
      await sidecar.ready()
    }
    await consumer.kill()
    await consumer.restart()
    const missing = (): string[] => {
      const done = new Set(consumer.done)
      return acknowledged.filter((id) => !done.has(id))
    }
    await sidecar.child
      .waitUntil(() => missing().length === 0, 'every acknowledged message was done')
      .catch(() => undefined)
    const { done } = consumer
    console.log(
      `${acknowledged.length} acknowledged, ${kills} kills of the sidecar, ${missing().length} lost, ${done.length - new Set(done).size} twice, seed ${seed(815)}`,
    )
    expect(missing()).toEqual([])
  })
}

describe.each(['http', 'grpc'] as const)('an application over %s', (protocol) => {
  inMemory((broker) => applicationDies(broker, protocol))
  durable((broker) => {
    applicationDies(broker, protocol)
    sidecarDies(broker, protocol)
  })
})
