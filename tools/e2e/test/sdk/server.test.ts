import type { DaprServer } from '@dapr/dapr'
import { freePort } from '@outrigger/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { component, endSidecars, Sidecar } from '../../src/index.ts'
import { clients, grpcServerOf, serverOf } from '../client/clients.ts'
import { checks, exercise, register, type ServerScene } from './server-checks.ts'
import { serverMethods, watch } from './surface.ts'

afterAll(endSidecars)

const found = new Set<string>()

describe.each(clients)('%s', (name, sdk) => {
  describe.each(['HTTP', 'gRPC'] as const)('over %s', (protocol) => {
    const version = name.split(' ')[1]!
    const make = (ports: { http: number; grpc: number }, appPort: number): DaprServer =>
      protocol === 'HTTP' ? serverOf(sdk, ports.http, appPort) : grpcServerOf(sdk, ports.grpc, appPort)
    // Only looked at: it never listens.
    const model = make({ http: 1, grpc: 1 }, 1)
    const all = serverMethods(model)
    const methods = all.filter((method) => !method.endsWith('.stop'))
    for (const method of methods) found.add(method)
    let watching: ReturnType<typeof watch>
    let scene: ServerScene

    beforeAll(async () => {
      watching = watch(model, all)
      const appPort = await freePort()
      // The older SDK does not serve HealthCheck over gRPC, with which it would never be healthy.
      const checked = protocol === 'gRPC' && version !== '3.6.1'
      const sidecar = await Sidecar.launch({
        appId: 'shop',
        appPort,
        flags: [
          ...(protocol === 'gRPC' ? ['--app-protocol=grpc'] : []),
          ...(checked ? ['--enable-app-health-check'] : []),
        ],
        resources: [
          component('pubsub', 'pubsub.in-memory', { metadata: { redeliverInterval: '50ms' } }),
          component('ticks', 'bindings.cron', { metadata: { schedule: '@every 1s' } }),
        ],
      })
      const got = new Map<string, unknown[]>()
      const server = make({ http: sidecar.httpPort, grpc: sidecar.grpcPort }, appPort)
      await register(sdk, server, got)
      await server.start()
      await sidecar.ready()
      if (checked) await sidecar.child.line('the application is healthy')
      // It subscribes when it is healthy, and what is published before that nobody gets.
      for (const topic of ['plain', 'options', 'dead', 'ruled', 'bulk'])
        await sidecar.child.line(new RegExp(`msg=subscribed .*topic=${topic} `))
      scene = { sdk, protocol, version, server, sidecar, appPort, got }
      await exercise(sidecar, got)
    })
    afterAll(() => watching.undo())

    test.each(methods)('%s', async (method) => {
      const check = checks[method]
      if (check === undefined && !method.startsWith('impl.'))
        throw new Error(`nothing checks ${method}: add it to server-checks.ts`)
      await check?.(scene)
      expect(watching.called).toContain(method)
    })

    test('server.stop and daprServer.stop', async () => {
      await scene.sidecar.stop()
      await scene.server.client.stop()
      await scene.server.stop()
      for (const method of ['server.stop', 'daprServer.stop']) expect(watching.called).toContain(method)
      await expect(fetch(`http://127.0.0.1:${scene.appPort}/`)).rejects.toThrow()
    })
  })
})

test('every check belongs to a method that an SDK has', () => {
  expect(Object.keys(checks).filter((method) => !found.has(method))).toEqual([])
})
