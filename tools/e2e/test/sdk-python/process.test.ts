import { describeWithPython } from '@outrigger/services'
import { freePort } from '@outrigger/testkit'
import { afterAll, expect, test } from 'vitest'
import { component, endSidecars, Sidecar } from '../../src/index.ts'
import { versions } from './expected.ts'
import { call, portsOf } from './programs.ts'

afterAll(endSidecars)

const kinds = ['sync', 'async'] as const
const resources = component('broker', 'pubsub.in-memory')
const token = 'of the sidecar'

async function freePorts() {
  return { httpPort: await freePort(), grpcPort: await freePort() }
}

for (const version of versions) {
  describeWithPython(`dapr-${version}`, (python) => {
    test.each(kinds)('the %s client waits for a sidecar, shows it its token and ends it', async (kind) => {
      const ports = await freePorts()
      const env = { ...portsOf(ports), DAPR_API_TOKEN: token }
      const outcomes = call(python, [kind, 'wait', 'shutdown'], env)
      const sidecar = await Sidecar.launch({ ...ports, resources, env: { DAPR_API_TOKEN: token } })
      expect((await outcomes).calls['shutdown']).toEqual({ result: {} })
      expect(await sidecar.child.ended()).toBe(0)
    })

    if (version === '1.19') {
      test.each(kinds)('a subscription of the %s client outlives its sidecar', async (kind) => {
        const sidecar = await Sidecar.launch({ resources })
        await sidecar.ready()
        const outcomes = call(python, [kind, 'outlive'], portsOf(sidecar))
        expect(await sidecar.child.ended()).toBe(0)
        sidecar.start()
        expect((await outcomes).calls['outlive']).toEqual({
          result: { first: [], got: ['after', 'before'] },
        })
      })
    }
  })
}
