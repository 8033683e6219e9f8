import { freePort } from '@outrigger/testkit'
import { afterEach, describe, expect, test } from 'vitest'
import { component, endSidecars, Sidecar } from '../../src/index.ts'
import { clientOf, clients, serverOf } from './clients.ts'

afterEach(endSidecars)

const resources = component('pubsub', 'pubsub.in-memory')

describe.each(clients)('%s', (_name, sdk) => {
  test.each(['sidecar first', 'application first'])('%s: both find each other', async (order) => {
    const [httpPort, appPort] = [await freePort(), await freePort()]
    const flags = [`--dapr-http-port=${httpPort}`]
    const launch = (): Promise<Sidecar> => Sidecar.launch({ appPort, resources, flags })
    let sidecar = order === 'sidecar first' ? await launch() : undefined
    if (sidecar !== undefined) await sidecar.child.line('waiting')
    const server = serverOf(sdk, httpPort, appPort)
    try {
      const came = new Promise((resolve) => {
        void server.pubsub.subscribe('pubsub', 'topic', async (data) => resolve(data))
      })
      const started = server.start()
      sidecar ??= await launch()
      await started
      await sidecar.child.line('subscri')
      expect(await server.client.health.isHealthy()).toBe(true)
      await server.client.pubsub.publish('pubsub', 'topic', { found: true })
      expect(await came).toEqual({ found: true })
    } finally {
      await server.client.stop()
      await server.stop()
    }
  })

  test('shutdown through the client ends the sidecar in order', async () => {
    const sidecar = await Sidecar.launch({ resources })
    await sidecar.ready()
    const client = clientOf(sdk, sidecar)
    await client.sidecar.shutdown()
    expect(await sidecar.child.ended()).toBe(0)
    expect(sidecar.log.at(-1)).toContain('Daprd shutdown gracefully')
    expect(await client.health.isHealthy()).toBe(false)
    await client.stop()
  })

  test('the API token of the client is the one of the sidecar', async () => {
    const sidecar = await Sidecar.launch({
      resources: component('store', 'state.in-memory'),
      env: { DAPR_API_TOKEN: 'the-token' },
    })
    await sidecar.ready()
    const right = clientOf(sdk, sidecar, 'the-token')
    await right.start()
    expect(await right.state.save('store', [{ key: 'k', value: 1 }])).toEqual({})
    expect(await right.state.get('store', 'k')).toBe(1)
    // With a wrong one the client would wait for the sidecar for half a minute.
    const wrong = { headers: { 'dapr-api-token': 'another' } }
    expect((await fetch(`${sidecar.url}/v1.0/metadata`, wrong)).status).toBe(401)
    await right.stop()
  })
})
