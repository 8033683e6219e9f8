import { fileURLToPath } from 'node:url'
import { tempFolder } from '@outrigger/testkit'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import {
  Consumer,
  endConsumers,
  endSidecars,
  startSidecar,
  subscription,
  type Sidecar,
} from '../../src/index.ts'
import { durable, publish, type Broker } from './brokers.ts'
import { application, Course, sidecarProcess, type Mortal } from './course.ts'

afterEach(async () => {
  await endSidecars()
  await endConsumers()
})

const program = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const workMs = 2

interface Parts {
  readonly consumer: Consumer
  /** Takes what is published; not always the one that delivers it. */
  readonly sidecar: Sidecar
  readonly mortals: readonly Mortal[]
}

/** The ways to subscribe that `crash.test.ts` has not. */
const ways: Readonly<Record<string, (resources: string) => Promise<Parts>>> = {
  async 'declared in a resource'(resources) {
    const consumer = await Consumer.start({ subscriptions: [], workMs })
    const sidecar = await startSidecar({
      appPort: consumer.port,
      resources: [resources, subscription('own', { pubsub: 'pubsub', topic: 'orders', route: '/orders' })],
    })
    return { consumer, sidecar, mortals: [application(consumer), sidecarProcess(sidecar)] }
  },

  async 'by a stream'(resources) {
    const sidecar = await startSidecar({ resources })
    const env = { GRPC_PORT: String(sidecar.grpcPort), BREAK_EVERY: '15' }
    const consumer = await Consumer.start({ program: program('stream-program.ts'), env, workMs })
    return { consumer, sidecar, mortals: [application(consumer), sidecarProcess(sidecar)] }
  },

  async 'with a function of the same process'(resources) {
    const sidecar = await startSidecar({ appId: 'publisher', resources })
    const env = { RESOURCES: resources }
    const consumer = await Consumer.start({ program: program('in-process-program.ts'), env, workMs })
    const both: Mortal = { ...application(consumer), name: 'application and runtime in one process' }
    return { consumer, sidecar, mortals: [both, sidecarProcess(sidecar)] }
  },
}

function subscribers(broker: Broker): void {
  test.each(Object.keys(ways))('a subscription %s loses nothing', async (way) => {
    const course = new Course(1848)
    const { path, remove } = await tempFolder()
    onTestFinished(remove)
    const { consumer, sidecar, mortals } = await ways[way]!(broker.resources(path, 'soon'))
    course.publish((id) => publish(sidecar, id))
    for (const mortal of mortals) await course.kill([mortal])
    await course.kill([mortals[course.below(mortals.length)]!])
    await course.finish(() => consumer)
    const { length } = consumer.ids('broken')
    if (way === 'by a stream') {
      console.log(`${length} streams broken off by the application`)
      expect(length).toBeGreaterThan(0)
    }
  })
}

describe('subscribers that are killed', () => durable(subscribers))
