import { tempFolder } from '@outrigger/testkit'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { Consumer, endConsumers, endSidecars, startSidecar } from '../../src/index.ts'
import { durable, inMemory, publish, sqlite, type Broker } from './brokers.ts'
import { application, Course, sidecarProcess } from './course.ts'

afterEach(async () => {
  await endSidecars()
  await endConsumers()
})

const bulkSubscribe = { enabled: true, maxMessagesCount: 10, maxAwaitDurationMs: 20 }
const topic = (name: string, more: object = {}): object => ({
  pubsubname: 'pubsub',
  topic: name,
  route: `/${name}`,
  ...more,
})
/** One topic whose refused messages are laid aside, one whose come again, and the one for what is laid aside. */
const subscriptions = [
  topic('orders', { bulkSubscribe, deadLetterTopic: 'dead' }),
  topic('bills', { bulkSubscribe }),
  topic('dead'),
]

function bulk(broker: Broker, protocol: 'http' | 'grpc', survives: boolean): void {
  test(`entries that are done, dropped and wanted again, over ${protocol}`, async () => {
    const course = new Course(2112)
    const { path, remove } = await tempFolder()
    onTestFinished(remove)
    const consumer = await Consumer.start({ protocol, subscriptions, workMs: 2 })
    const sidecar = await startSidecar({
      appPort: consumer.port,
      resources: broker.resources(path, 'soon'),
      flags: [`--app-protocol=${protocol}`],
    })
    const fateOf = (id: string) => (['done', 'done', 'drop', 'retry', 'later'] as const)[course.fate(id, 5)]!
    course.publish((id) => {
      const fate = fateOf(id)
      // Always refused is only what can be laid aside.
      return publish(sidecar, id, fate === 'later' ? 'bills' : 'orders', { fate })
    }, 6)
    const mortals = [application(consumer), ...(survives ? [sidecarProcess(sidecar)] : [])]
    for (const mortal of mortals) await course.kill([mortal])
    await course.kill(mortals)
    await course.finish(() => ({
      got: consumer.got,
      done: [...consumer.done, ...consumer.ids('dead')],
    }))
    const [done, dead] = [new Set(consumer.done), new Set(consumer.ids('dead'))]
    const wrong = course.acknowledged.filter((id) => {
      const fate = fateOf(id)
      // What cannot be handed over is laid aside as well, whatever the application would have said.
      if (fate === 'drop' || fate === 'retry') return done.has(id)
      return fate === 'later' && dead.has(id)
    })
    expect(wrong).toEqual([])
    const of = (fate: string): number => course.acknowledged.filter((id) => fateOf(id) === fate).length
    const batches = consumer.ids('batch').map(Number)
    console.log(
      `done ${done.size}, laid aside ${dead.size}; to be dropped ${of('drop')}, refused ${of('retry')}, ` +
        `wanted once more ${of('later')}; ${batches.length} calls with more than one entry, ${Math.max(...batches)} at most`,
    )
    expect(Math.min(of('drop'), of('retry'), of('later'), of('done'), batches.length)).toBeGreaterThan(0)
    expect(Math.max(...batches)).toBeLessThanOrEqual(bulkSubscribe.maxMessagesCount)
  })
}

describe('bulk subscriptions', () => {
  inMemory((broker) => bulk(broker, 'grpc', false))
  durable((broker) => bulk(broker, 'http', true))
  // Here the broker itself gathers the entries.
  describe('pubsub.sqlite', () => bulk(sqlite, 'grpc', true))
})
