import { tempFolder } from '@outrigger/testkit'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { Consumer, endConsumers, endSidecars, startSidecar, type Sidecar } from '../../src/index.ts'
import { durable, inMemory, keepsAll, publish, type Broker } from './brokers.ts'
import { application, backwards, Course, overtaken, server, sidecarProcess, type Mortal } from './course.ts'

afterEach(async () => {
  await endSidecars()
  await endConsumers()
})

// What each broker promises is in docs/delivery.md; more than that is not tried, because it would be luck.

/** One message at a time to one instance; some are asked for again. */
async function oneAtATime(broker: Broker): Promise<readonly [Course, Consumer, Sidecar]> {
  const course = new Course(1812)
  const { path, remove } = await tempFolder()
  onTestFinished(remove)
  const consumer = await Consumer.start()
  const sidecar = await startSidecar({
    appPort: consumer.port,
    resources: broker.resources(path, 'soon', 1),
  })
  course.publish((id) =>
    publish(sidecar, id, 'orders', { fate: course.fate(id, 10) === 0 ? 'later' : 'done' }),
  )
  return [course, consumer, sidecar]
}

inMemory((broker) => {
  test('one at a time: a message is not delivered before the one before it is done', async () => {
    const [course, consumer] = await oneAtATime(broker)
    for (let kill = 0; kill < 4; kill++) await course.kill([application(consumer)])
    await course.finish(() => consumer)
    const back = backwards(consumer.got)
    console.log(`${consumer.got.length} deliveries, ${back.length} after a later one of their key`)
    expect(back).toEqual([])
  })
})

describe('one at a time: messages are handed out in order, and only what was interrupted comes later', () => {
  durable((broker) => {
    test('no other message is overtaken', async () => {
      const [course, consumer, sidecar] = await oneAtATime(broker)
      const log: string[] = []
      const daprd: Mortal = {
        ...sidecarProcess(sidecar),
        async kill() {
          await sidecar.kill()
          log.push(...sidecar.log)
        },
      }
      const app = application(consumer)
      const broken = broker.server === undefined ? [] : [server(broker.server())]
      // An application that is away alone is handed one message after the other in vain, and then nothing could be said.
      const kills = [[daprd], [app, daprd], broken, [...broken, app, daprd]].filter(
        ({ length }) => length > 0,
      )
      for (const kill of kills) await course.kill(kill)
      for (let more = 0; more < 2; more++) await course.kill(kills[course.below(kills.length)]!)
      await course.finish(() => consumer)
      // All that it said is read when it has ended.
      await sidecar.stop()
      log.push(...sidecar.log)
      const known = new Set(course.acknowledged)
      const late = overtaken(consumer.got.filter((id) => known.has(id)))
      // A kill of the sidecar or the broker interrupts the one that is on its way, at most. What the application was handed
      // and answered has arrived in its place; what could not be handed to it is in the log.
      const notHanded = log.filter(
        (line) => line.includes('goes back to the broker') && !line.includes('answered RETRY'),
      ).length
      const interrupted = course.killed('sidecar') + course.killed('broker') + notHanded
      console.log(
        `${known.size} messages of 4 keys, ${late.length} overtaken, at most ${interrupted} interrupted ` +
          `(${notHanded} not handed over, the others by kills)`,
      )
      expect(late.length).toBeLessThanOrEqual(interrupted)
    })
  }, keepsAll)
})
