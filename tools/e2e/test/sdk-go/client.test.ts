import { tempFolder, waitFor } from '@outrigger/testkit'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { resultsOf } from '../../interop/built-program.ts'
import { component, endApps, endSidecars, Sidecar } from '../../src/index.ts'
import { describePeers } from '../grpc-interop/describe-peers.ts'
import { createWorld, type World } from '../sdk/world.ts'
import { events } from './events.ts'
import { programs } from './programs.ts'

// Only ends what hangs.
const callMs = 120_000

for (const [version, program] of programs) {
  describePeers(`the Go SDK ${version}`, program.missing, () => {
    let world: World
    let results: ReadonlyMap<string, string>
    let guarded: Sidecar

    beforeAll(async () => {
      world = await createWorld()
      const { path } = await tempFolder('outrigger-sdk-go-')
      guarded = await Sidecar.launch({
        appId: 'guarded',
        resources: component('store', 'state.in-memory'),
        flags: [`--unix-domain-socket=${path}`],
        env: { DAPR_API_TOKEN: 'token' },
      })
      await guarded.child.waitUntil(
        async () => guarded.log.some((line) => line.includes('dapr initialized')),
        'a sidecar on sockets',
      )
      // The program waits for changes.
      let changes = 0
      const timer = setInterval(() => world.settings.set('followed', String(++changes)), 20)
      const args = ['call', String(world.grpcPort), `${path}/dapr-guarded-grpc.socket`]
      results = await resultsOf(await program.start(args), callMs).finally(() => clearInterval(timer))
    }, 300_000)

    afterAll(async () => {
      await world.stop()
      await endSidecars()
      await endApps()
    })

    test('every method of the client does what it must', () => {
      expect(Object.fromEntries([...results].filter(([, detail]) => detail !== ''))).toEqual({})
      // All that the interface of this generation has.
      expect(results.size).toBe(version === '1.8.0' ? 44 : 57)
    })

    test('the application gets what was published, as it was', async () => {
      await waitFor(() => world.app.at('/orders').length >= events.length, { what: 'all events' })
      const came = world.app.at('/orders').map((request) => {
        const event = request.json() as Record<string, unknown>
        const { type, datacontenttype, data, data_base64, mark } = event
        return JSON.stringify([type, datacontenttype, data ?? data_base64, mark])
      })
      expect(came.sort()).toEqual(events.map((event) => JSON.stringify(event)).sort())
    })

    test('a trace goes on in an event', () => {
      const traces = world.app
        .at('/orders')
        .map((request) => (request.json() as Record<string, unknown>)['traceid'])
      expect(traces).toContainEqual(expect.stringMatching(/^00-0123456789abcdef0123456789abcdef-/))
    })

    test('the sidecar ends when it is asked to', async () => {
      onTestFinished(() => guarded.dispose())
      expect(await guarded.child.ended()).toBe(0)
    })
  })
}
