import { describeWithService } from '@outrigger/services'
import { waitFor } from '@outrigger/testkit'
import { afterEach, expect, test } from 'vitest'
import { Consumer, endConsumers, endSidecars, startSidecar } from '../../src/index.ts'
import { keepsAll, publish, redis } from './brokers.ts'
import { application, Course, server, sidecarProcess } from './course.ts'

afterEach(async () => {
  await endSidecars()
  await endConsumers()
})

describeWithService(
  'redis',
  'pubsub.redis, whose server keeps what it has answered',
  (get) => {
    test('what was acknowledged survives kills of the server, alone and together with others', async () => {
      const course = new Course(90125)
      const consumer = await Consumer.start({ workMs: 2 })
      const sidecar = await startSidecar({
        appPort: consumer.port,
        resources: redis(get).resources('', 'soon'),
      })
      course.publish((id) => publish(sidecar, id))
      const all = [server(get()), application(consumer), sidecarProcess(sidecar)]
      const [broker, app, daprd] = all as [(typeof all)[0], (typeof all)[0], (typeof all)[0]]
      const failing = (): Promise<unknown> => {
        const before = course.failed
        return waitFor(() => course.failed > before, { what: 'a publish that fails' })
      }
      const others = [[], [app], [daprd], []]
      for (let round = 0; round < 4; round++) {
        const [more] = others.splice(course.below(others.length), 1)
        // Back at once, or when a publisher has noticed.
        await course.kill([broker, ...more!], course.below(2) === 0 ? undefined : failing)
      }
      await course.finish(() => consumer)
      expect(course.killed('broker')).toBe(4)
      expect(sidecar.child.running).toBe(true)
    })
  },
  { args: keepsAll },
)
