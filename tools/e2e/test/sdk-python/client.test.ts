import { describeWithPython } from '@outrigger/services'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { endApps } from '../../src/index.ts'
import { createWorld, type World } from '../sdk/world.ts'
import { broken, elsewhere, expectedOf, invokedOverGrpc, versions } from './expected.ts'
import { call, portsOf, type Outcomes } from './programs.ts'

afterAll(endApps)

const published = ['text', { n: 1 }]
const publishedTogether = ['first', { second: 2 }]

for (const version of versions) {
  describeWithPython(`dapr-${version}`, (python) => {
    describe.each(['sync', 'async'] as const)('the %s client', (kind) => {
      const expected = expectedOf({ version, kind })
      let world: World
      let outcomes: Outcomes

      beforeAll(async () => {
        world = await createWorld()
        let ticks = 0
        const ticking = setInterval(() => world.settings.set('tick', String(++ticks)), 20)
        try {
          outcomes = await call(python, [kind, ...Object.keys(expected)], portsOf(world))
        } finally {
          clearInterval(ticking)
        }
      })
      afterAll(() => world.stop())

      test.each(Object.entries(expected))('%s', (method, result) => {
        expect(outcomes.calls[method]).toEqual({ result })
      })

      test('has no other methods', () => {
        const others = kind === 'async' ? broken : []
        const known = [...Object.keys(expected), ...others]
        const methods = outcomes.methods.filter((method) => !elsewhere.test(method))
        expect(methods.toSorted()).toEqual(known.toSorted())
      })

      test('reaches the application', async () => {
        const events = [...published, ...(version === '1.19' ? publishedTogether : [])]
        const requests = await world.app.received('/orders', events.length)
        const data = requests.map((request) => (request.json() as { data: unknown }).data)
        expect(data).toEqual(expect.arrayContaining(events))
        expect(world.app.at('/echo').map(({ query }) => query)).toContain('a=1')
      })

      test('invokes over gRPC', async () => {
        const env = { ...portsOf(world), DAPR_API_METHOD_INVOCATION_PROTOCOL: 'grpc' }
        const { calls } = await call(python, [kind, 'invoke_method'], env)
        expect(calls['invoke_method']).toEqual({ result: invokedOverGrpc })
      })
    })
  })
}
