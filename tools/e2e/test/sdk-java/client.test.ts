import { waitFor } from '@outrigger/testkit'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { resultsOf } from '../../interop/built-program.ts'
import { component, endApps, endSidecars, startSidecar, type Sidecar } from '../../src/index.ts'
import { describePeers } from '../grpc-interop/describe-peers.ts'
import { createWorld, type World } from '../sdk/world.ts'
import { clients } from './programs.ts'

// Only ends what hangs.
const callMs = 120_000

for (const [version, protocol, program] of clients) {
  describePeers(`the Java SDK ${version} over ${protocol}`, program.missing, () => {
    let world: World
    let guarded: Sidecar
    let results: ReadonlyMap<string, string>

    beforeAll(async () => {
      world = await createWorld()
      guarded = await startSidecar({
        appId: 'guarded',
        resources: component('store', 'state.in-memory'),
        env: { DAPR_API_TOKEN: 'token' },
      })
      // The program waits for changes.
      let changes = 0
      const timer = setInterval(() => world.settings.set('followed', String(++changes)), 20)
      const ports = [world.httpPort, world.grpcPort, protocol, guarded.httpPort, guarded.grpcPort]
      results = await resultsOf(await program.start(ports.map(String)), callMs).finally(() =>
        clearInterval(timer),
      )
    }, 300_000)

    afterAll(async () => {
      await world.stop()
      await endSidecars()
      await endApps()
    })

    test('every method of the clients, in all its forms, does what it must', () => {
      expect(Object.fromEntries([...results].filter(([, detail]) => detail !== ''))).toEqual({})
      // All that the interfaces of this generation have.
      expect(results.size).toBe(version === '1.10.0' ? 77 : 98)
    })

    test('the application gets what was published, as it was', async () => {
      const sent = 'com.dapr.event.sent'
      const json = 'application/json'
      const bulk = [sent, json, { mark: 'bulk' }]
      const stable = [sent, json, { mark: 'stable' }]
      const entry = ['entry', json, { mark: 'bulk' }]
      const events = [
        [sent, json, { mark: 'object' }],
        [sent, json, 'text'],
        ['special', json, { mark: 'metadata' }],
        [null, null, null, 'raw'],
        // The SDK writes texts as JSON whatever their type is.
        [sent, 'text/plain', '"plain"'],
        [sent, 'application/octet-stream', 'AP8='],
        ['kind', json, { mark: 'event' }],
        ...(protocol === 'HTTP' ? [] : [entry, bulk, bulk, bulk, bulk, bulk, bulk]),
        ...(version === '1.10.0' ? [] : [entry, stable, stable, stable, stable, stable, stable]),
      ].map(([type, contentType, data, mark]) => JSON.stringify([type, contentType, data, mark]))
      await waitFor(() => world.app.at('/orders').length >= events.length, { what: 'all events' })
      const came = world.app.at('/orders').map((request) => {
        const { type, datacontenttype, data, data_base64, mark } = request.json() as Record<string, unknown>
        return JSON.stringify([type, datacontenttype, data ?? data_base64, mark])
      })
      expect(came.sort()).toEqual(events.sort())
    })

    test('the sidecar ends when it is asked to', async () => {
      onTestFinished(() => guarded.dispose())
      expect(await guarded.child.ended()).toBe(0)
    })
  })
}
