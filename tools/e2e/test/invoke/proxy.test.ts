import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cases } from '../../interop/cases.ts'
import { peers } from '../../interop/peers.ts'
import type { Caller, Server } from '../../interop/peer.ts'
import type { Sidecar } from '../../src/index.ts'
import { World } from './world.ts'

/** A caller that names the application in the metadata of every call. */
function named(caller: Caller, fields: Readonly<Record<string, string>>): Caller {
  return {
    call: (method, requests, options = {}) =>
      caller.call(method, requests, { ...options, metadata: { ...options.metadata, ...fields } }),
    close: () => caller.close(),
  }
}

// Methods that no sidecar knows: any number of messages either way.
describe.each([
  ['grpc-js', 'grpc-js', false, {}],
  ['ours', 'grpc-js', true, {}],
  ['grpc-js', 'connect-node', true, { 'dapr-stream': 'true' }],
] as const)(
  '%s calls an application beside another sidecar, which is %s (mutual TLS: %s, %j)',
  (client, server, mtls, fields) => {
    let world: World
    let app: Server
    let caller: Caller
    let near: Sidecar

    beforeAll(async () => {
      world = await World.start({ mtls })
      app = await peers[server].serve()
      near = await world.sidecar({ appId: 'near' })
      await world.sidecar({ appId: 'far', appPort: app.port, flags: ['--app-protocol=grpc'] })
      const plain = peers[client].call({ port: near.grpcPort, certificate: undefined })
      caller = named(plain, { 'dapr-app-id': 'far', ...fields })
    }, 60_000)
    afterAll(async () => {
      caller.close()
      await app.close()
      await world.end()
    })

    it.each(Object.entries(cases))('%s', (_, run) => run(caller))
  },
)

describe('a call that cannot be passed on', () => {
  let world: World
  let near: Sidecar
  beforeAll(async () => {
    world = await World.start()
    near = await world.sidecar({ appId: 'near' })
    const app = await peers.ours.serve()
    await world.sidecar({ appId: 'web', appPort: app.port })
  }, 60_000)
  afterAll(() => world.end())

  async function outcome(target: string) {
    const caller = named(peers.ours.call({ port: near.grpcPort, certificate: undefined }), {
      'dapr-app-id': target,
    })
    async function* requests(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('hello')
    }
    try {
      const call = caller.call('Unary', requests())
      for await (const _ of call.messages) throw new Error('there is an answer')
      return await call.outcome
    } finally {
      caller.close()
    }
  }

  it.each([
    ['nobody', 5, "couldn't find service: nobody"],
    ['web', 9, 'it speaks HTTP'],
    ['a.b.c', 13, 'invalid app id'],
  ] as const)('%s', async (target, code, message) => {
    expect(await outcome(target)).toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    })
  })
})
