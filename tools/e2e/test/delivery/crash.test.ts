import { tempFolder } from '@outrigger/testkit'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { Consumer, endConsumers, endSidecars, startSidecar, type Sidecar } from '../../src/index.ts'
import { durable, inMemory, publish, type Broker } from './brokers.ts'
import { application, Course, sidecarProcess, type Mortal } from './course.ts'

afterEach(async () => {
  await endSidecars()
  await endConsumers()
})

async function folder(): Promise<string> {
  const { path, remove } = await tempFolder()
  onTestFinished(remove)
  return path
}

type Protocol = 'http' | 'grpc'

/** A sidecar for the consumer, in its protocol. */
function sidecarOf(consumer: Consumer, resources: string): Promise<Sidecar> {
  const flags = [`--app-protocol=${consumer.protocol}`]
  return startSidecar({ appPort: consumer.port, resources, flags })
}

function applicationDies(broker: Broker): void {
  test('a message that the application held when it was killed comes again', async () => {
    const consumer = await Consumer.start({ hold: true })
    const resources = broker.resources(await folder(), 'soon')
    const sidecar = await sidecarOf(consumer, resources)
    expect(await publish(sidecar, 'held')).toBe(true)
    await consumer.child.line('got held')
    await consumer.kill()
    await consumer.restart()
    await consumer.child.line('done held')
    expect(new Set(consumer.done)).toEqual(new Set(['held']))
  })
}

function sidecarDies(broker: Broker): void {
  test('a message that was under way when the sidecar was killed comes again', async () => {
    const consumer = await Consumer.start({ hold: true })
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
}

function allDie(broker: Broker, protocol: Protocol, survives: boolean): void {
  test('of many messages none is lost while this and that is killed again and again', async () => {
    const course = new Course(4711)
    const consumer = await Consumer.start({ protocol, workMs: 2 })
    const sidecar = await sidecarOf(consumer, broker.resources(await folder(), 'soon'))
    course.publish((id) => publish(sidecar, id), 6)
    const app = application(consumer)
    // It comes back, takes messages and never answers, so that at the next kill there is what could be lost.
    const stuck: Mortal = { ...app, revive: () => consumer.restart({ hold: true }) }
    const daprd = survives ? [sidecarProcess(sidecar)] : []
    const kills = survives ? [[stuck], daprd, [stuck, ...daprd]] : [[app], [stuck], [stuck]]
    while (kills.length > 0) {
      const [kill] = kills.splice(course.below(kills.length), 1) as [Mortal[]]
      await course.kill(kill)
      if (!kill.includes(stuck)) continue
      await course.flow(1)
      await consumer.child.line('got ')
    }
    await course.kill([app])
    await course.finish(() => consumer)
  })
}

describe('an application over http', () => {
  inMemory((broker) => applicationDies(broker))
  durable((broker) => {
    applicationDies(broker)
    sidecarDies(broker)
  })
})

describe.each(['http', 'grpc'] as const)('an application over %s', (protocol) => {
  inMemory((broker) => allDie(broker, protocol, false))
  durable((broker) => allDie(broker, protocol, true))
})
