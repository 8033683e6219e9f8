import type { DaprClient } from '@dapr/dapr'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { endApps, endSidecars } from '../../src/index.ts'
import { clientOf, clients, grpcClientOf } from '../client/clients.ts'
import { itemCalls } from './item-calls.ts'
import { messageCalls } from './message-calls.ts'
import { processCalls } from './process-calls.ts'
import { stateCalls } from './state-calls.ts'
import { clientMethods, watch, type Protocol } from './surface.ts'
import { createWorld, type Calls, type World } from './world.ts'

const calls: Calls = { ...stateCalls, ...messageCalls, ...itemCalls, ...processCalls }

/** What an SDK does not have over a protocol: it throws an error of its own, and never asks the sidecar. */
const refusals: readonly (readonly [method: RegExp, protocol: Protocol, version: RegExp, message: string])[] =
  [
    [/^configuration\./, 'HTTP', /./, 'HTTP is currently not supported.'],
    [/^crypto\./, 'HTTP', /./, 'is not available using the HTTP APIs'],
    [/^proxy\.create$/, 'HTTP', /./, 'HTTP is currently not supported.'],
    [/^proxy\.create$/, 'gRPC', /3\.18/, 'not supported with the ConnectRPC transport'],
  ]

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(async () => {
  await world.stop()
  await endSidecars()
  await endApps()
})

type Methods = Record<string, () => unknown>

/** Names of all methods that were tested, by any SDK over any protocol. */
const found = new Set<string>()

describe.each(clients)('%s', (name, sdk) => {
  describe.each(['HTTP', 'gRPC'] as const)('over %s', (protocol) => {
    const make = (ports: { httpPort: number; grpcPort: number }): DaprClient =>
      protocol === 'HTTP' ? clientOf(sdk, ports) : grpcClientOf(sdk, ports)
    // Only looked at: it never connects.
    const methods = clientMethods(make({ httpPort: 1, grpcPort: 1 }))
    for (const method of methods) found.add(method)
    const version = name.split(' ')[1]!
    let client: DaprClient

    beforeAll(async () => {
      client = make(world)
      await client.start()
    })
    afterAll(() => client.stop())

    test.each(methods)('%s', async (method) => {
      const [part, called] = method.split('.') as [string, string]
      const refusal = refusals.find(
        ([pattern, on, which]) => pattern.test(method) && on === protocol && which.test(version),
      )
      const whole = client as unknown as Record<string, Methods>
      if (refusal !== undefined) {
        const refused = async (): Promise<unknown> => whole[part]![called]!()
        await expect(refused()).rejects.toThrow(refusal[3])
        return
      }
      const call = calls[method]
      if (call === undefined) throw new Error(`no test calls ${method}: add it to the calls beside this file`)
      const watching = watch(client, [method])
      try {
        await call({ sdk, protocol, version, client, world, key: (text) => `${text}-${protocol}-${version}` })
        expect(watching.called).toContain(method)
      } finally {
        watching.undo()
      }
    })
  })

  test('static methods', async () => {
    const statics = Object.getOwnPropertyNames(sdk.DaprClient).filter(
      (property) => typeof (sdk.DaprClient as unknown as Methods)[property] === 'function',
    )
    expect(statics.sort()).toEqual(['awaitSidecarStarted', 'create'])
    const first = clientOf(sdk, world)
    const second = sdk.DaprClient.create(first.daprClient)
    try {
      const logger = { verbose() {}, info() {} } as never
      await sdk.DaprClient.awaitSidecarStarted(() => second.health.isHealthy(), logger)
      expect(await second.metadata.get()).toMatchObject({ id: 'own' })
    } finally {
      await first.stop()
      await second.stop()
    }
  })
})

test('every call belongs to a method that an SDK has', () => {
  expect(Object.keys(calls).filter((method) => !found.has(method))).toEqual([])
})
