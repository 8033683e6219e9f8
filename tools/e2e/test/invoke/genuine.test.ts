import { callsOf } from '@outrigger/proto/call'
import { HTTPExtension_Verb } from '@outrigger/proto/common'
import { Dapr } from '@outrigger/proto/runtime'
import { GrpcChannel, isGrpcError } from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cases } from '../../interop/cases.ts'
import { peers } from '../../interop/peers.ts'
import type { Caller, Server } from '../../interop/peer.ts'
import { appKinds, Behaviour, Refusal, type RunningApp } from '../app-channels/apps.ts'
import { genuine, GenuineSidecar, type Side } from './genuine-sidecar.ts'
import { World } from './world.ts'

const kindOf = (protocol: string) => appKinds.find((kind) => kind.protocol === protocol)!

// How to get a genuine daprd is not part of this repository: name the path of one to run these.
describe.skipIf(genuine === undefined).each([
  ['in plaintext', false],
  ['over mutual TLS, with identities of our sentry', true],
])('a genuine sidecar (OUTRIGGER_GENUINE_DAPRD) and ours call each other %s', (_, mtls) => {
  let world: World
  const apps: RunningApp[] = []
  const theirs: GenuineSidecar[] = []
  const sides = new Map<string, Side>()
  const seen = new Map<string, Behaviour>()

  beforeAll(async () => {
    world = await World.start({ mtls })
    for (const protocol of ['http', 'grpc']) {
      for (const maker of ['ours', 'theirs'] as const) {
        const name = `${maker}-${protocol}`
        const behaviour = new Behaviour()
        behaviour.invoke = async ({ method, data, verb, query }) => {
          if (method === 'refuse') throw new Refusal(404, 5)
          return `${name} ${verb} ${method} ${query} ${data.length}`
        }
        seen.set(name, behaviour)
        const app = await kindOf(protocol).start(behaviour, 0, world.certificate())
        apps.push(app)
        if (maker === 'theirs') {
          const sidecar = await GenuineSidecar.start(world, name, app, protocol)
          theirs.push(sidecar)
          sides.set(name, sidecar)
        } else {
          const flags = [`--app-protocol=${protocol}`]
          sides.set(name, await world.sidecar({ appId: name, appPort: app.port, flags }))
        }
      }
    }
  }, 120_000)
  afterAll(async () => {
    await Promise.all(theirs.map((sidecar) => sidecar.stop()))
    await world.end()
    await Promise.all(apps.map((app) => app.stop()))
  })

  const pairs = ['http', 'grpc'].flatMap((protocol) => [
    ['ours-http', `theirs-${protocol}`] as const,
    ['theirs-http', `ours-${protocol}`] as const,
  ])

  test.each(pairs)('%s calls %s by HTTP', async (from, to) => {
    const answer = await fetch(`${sides.get(from)!.url}/v1.0/invoke/${to}/method/a/b?x=1`, {
      method: 'PUT',
      headers: { 'content-type': 'text/x', 'x-mine': 'yes', accept: 'text/plain' },
      body: 'hello',
    })
    expect([answer.status, await answer.text()]).toEqual([200, `${to} PUT a/b x=1 5`])
    expect(answer.headers.get('content-type')).toBe('text/plain')
    expect(answer.headers.get('x-app')).toBe('here')
    const { contentType, header } = seen.get(to)!.invocations.at(-1)!
    expect([contentType, header('x-mine')]).toEqual(['text/x', 'yes'])
    expect(header('dapr-caller-app-id')).toBe(from)
    expect(header('dapr-callee-app-id')).toBe(to)
    // By its name alone a sidecar in Go tells whether a field came over HTTP.
    if (to.endsWith('grpc')) expect(header('dapr-accept')).toBe('text/plain')
  })

  test.each(pairs)('%s sends %s a body of some MiB', async (from, to) => {
    const body = 'x'.repeat(3 * 2 ** 20)
    const answer = await fetch(`${sides.get(from)!.url}/v1.0/invoke/${to}/method/large`, {
      method: 'POST',
      body,
    })
    expect([answer.status, await answer.text()]).toEqual([200, `${to} POST large  ${body.length}`])
  })

  test.each(pairs)('%s is refused by %s', async (from, to) => {
    const answer = await fetch(`${sides.get(from)!.url}/v1.0/invoke/${to}/method/refuse`)
    expect(answer.status).toBe(404)
    if (to.endsWith('http')) expect(await answer.text()).toBe('not today')
    else expect(await answer.json()).toMatchObject({ code: 5, message: 'not today' })
  })

  test.each(pairs)('%s calls %s by InvokeService', async (from, to) => {
    const client = createHttp2Client()
    const channel = new GrpcChannel({ origin: `http://127.0.0.1:${sides.get(from)!.grpcPort}`, client })
    const dapr = callsOf(Dapr, channel)
    const message = (method: string) => ({
      method,
      contentType: 'text/x',
      data: { typeUrl: '', value: Buffer.from('hello') },
      httpExtension: { verb: HTTPExtension_Verb.PUT, querystring: 'x=1' },
    })
    const answer = await dapr.invokeService({ id: to, message: message('a/b') })
    expect(Buffer.from(answer.data!.value).toString()).toBe(`${to} PUT a/b x=1 5`)
    expect(answer.contentType).toBe('text/plain')
    const refused = await dapr
      .invokeService({ id: to, message: message('refuse') })
      .catch((error: unknown) => error)
    expect(isGrpcError(refused) && refused.code).toBe(5)
    client.close()
  })
})

describe.skipIf(genuine === undefined).each([
  ['theirs', 'ours', false],
  ['ours', 'theirs', false],
  ['ours', 'theirs', true],
  ['theirs', 'ours', true],
] as const)(
  'a call of any service passes from %s to %s (OUTRIGGER_GENUINE_DAPRD, mutual TLS: %s)',
  (from, _, mtls) => {
    let world: World
    let app: Server
    let near: Side
    let their: GenuineSidecar
    let caller: Caller

    beforeAll(async () => {
      world = await World.start({ mtls })
      app = await peers['grpc-js'].serve()
      const running = { port: app.port, stop: async () => {} }
      const own = { appId: 'ours', appPort: app.port, flags: ['--app-protocol=grpc'] }
      const ours = await world.sidecar(own)
      their = await GenuineSidecar.start(world, 'theirs', running, 'grpc')
      near = from === 'ours' ? ours : their
      const plain = peers['grpc-js'].call({ port: near.grpcPort, certificate: undefined })
      const target = from === 'ours' ? 'theirs' : 'ours'
      caller = {
        call: (method, requests, options = {}) =>
          plain.call(method, requests, {
            ...options,
            metadata: { ...options.metadata, 'dapr-app-id': target, 'dapr-stream': 'true' },
          }),
        close: () => plain.close(),
      }
    }, 60_000)
    afterAll(async () => {
      caller.close()
      await their.stop()
      await world.end()
      await app.close()
    })

    test.each(Object.entries(cases))('%s', (__, run) => run(caller))
  },
)
