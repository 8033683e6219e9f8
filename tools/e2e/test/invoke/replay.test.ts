import { request } from 'node:http'
import { AppCallback } from '@outrigger/proto/appcallback'
import { routesOf } from '@outrigger/proto/serve'
import { createServer as createWire } from '@outrigger/wire'
import { createGrpcHandler, GrpcError } from '@outrigger/wire/grpc'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { decodeBytes, encodeBytes, pathOf } from '../../interop/peer.ts'
import { App, endApps, type Sidecar } from '../../src/index.ts'
import { overGrpc, overHttp, proxied } from './calls.ts'
import { World } from './world.ts'

let world: World
let caller: Sidecar
let web: Sidecar
let rpc: Sidecar
let app: App
/** How often the service over gRPC was called. */
let calls = 0
const codec = { encode: encodeBytes, decode: decodeBytes }
const unary = { path: pathOf('Unary'), kind: 'unary', input: codec, output: codec } as const
/** How long the service takes. */
let takesMs = 0
async function handle(message: Uint8Array): Promise<Uint8Array> {
  calls++
  if (takesMs > 0) {
    await new Promise((resolve) => setTimeout(resolve, takesMs))
    return message
  }
  if (calls < 3) throw new GrpcError(14, 'later')
  return message
}
const callbacks = routesOf(AppCallback, {
  async onInvoke({ data }) {
    return { contentType: '', data: { typeUrl: '', value: await handle(data!.value) } }
  },
})
const routes = [{ method: unary, handle }, ...callbacks]
const service = createWire({ protocols: ['h2c'] }, createGrpcHandler({ routes }))

beforeAll(async () => {
  world = await World.start()
  app = await App.start({
    '*': () => ({ status: app.requests.length < 3 ? 503 : 200, body: `attempt ${app.requests.length}` }),
  })
  const { port } = await service.listen({ host: '127.0.0.1', port: 0 })
  const resources = `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: policies }
spec:
  policies:
    retries: { few: { policy: constant, duration: 10ms, maxRetries: 3 } }
    timeouts: { short: 50ms }
  targets:
    apps: { web: { retry: few }, rpc: { retry: few }, timely: { timeout: short } }
`
  const started = await Promise.all([
    world.sidecar({ appId: 'caller', resources }),
    world.sidecar({ appId: 'web', appPort: app.port, resources }),
    world.sidecar({ appId: 'rpc', appPort: port!, flags: ['--app-protocol=grpc'], resources }),
    world.sidecar({ appId: 'timely', appPort: port!, flags: ['--app-protocol=grpc'] }),
  ])
  ;[caller, web, rpc] = started
}, 60_000)
beforeEach(() => {
  app.requests.splice(0)
  calls = takesMs = 0
})
afterAll(async () => {
  await world.end()
  await service.close(AbortSignal.abort())
  await endApps()
})

describe('a request that failed is sent again', () => {
  it.each([
    ['without a body', undefined],
    ['with a small one', 'data'],
    ['with as much as is kept', 'x'.repeat(2 ** 20)],
  ])('%s, with all of it', async (_, body) => {
    const asked = body === undefined ? {} : { verb: 'POST', body }
    expect(await overHttp(caller, 'web', 'x', asked)).toMatchObject({ status: 200, text: 'attempt 3' })
    expect(app.requests.map((one) => one.body.toString() === (body ?? ''))).toEqual([true, true, true])
  })

  it('by a caller over gRPC', async () => {
    expect(await proxied(caller, 'rpc')).toMatchObject({ status: 0, text: 'hello' })
    expect(calls).toBe(3)
  })

  it.each(['another', 'its own'])('by InvokeService of %s sidecar', async (whose) => {
    const asked = { verb: 'POST', body: 'hello' }
    const [near, nearer] = whose === 'another' ? [caller, caller] : [web, rpc]
    expect(await overGrpc(near, 'web', 'x', asked)).toMatchObject({ status: 0, text: 'attempt 3' })
    expect(app.requests.map(({ body }) => body.toString())).toEqual(['hello', 'hello', 'hello'])
    expect(await overGrpc(nearer, 'rpc', 'x', asked)).toMatchObject({ status: 0, text: 'hello' })
    expect(calls).toBe(3)
  })
})

describe('an answer that takes longer than the timeout of a policy', () => {
  it('is DEADLINE_EXCEEDED over gRPC', async () => {
    takesMs = 2000
    for (const answer of [
      await proxied(caller, 'timely'),
      await overGrpc(caller, 'timely', 'x', { body: 'x' }),
    ])
      expect(answer).toMatchObject({ status: 4, text: expect.stringContaining('within 50 ms') })
  })

  it('is awaited where the caller said that it streams', async () => {
    takesMs = 300
    expect(await proxied(caller, 'timely', { 'dapr-stream': 'true' })).toMatchObject({
      status: 0,
      text: 'hello',
    })
  })
})

describe('a request that failed is not sent again', () => {
  it('when it was larger than what is kept', async () => {
    const body = 'x'.repeat(2 ** 20 + 1)
    expect(await overHttp(caller, 'web', 'x', { verb: 'POST', body })).toMatchObject({
      status: 503,
      text: 'attempt 1',
    })
    expect(app.requests).toHaveLength(1)
  })

  it('when nobody knew how long it would be', async () => {
    const path = '/v1.0/invoke/web/method/x'
    const status = await new Promise<number>((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port: caller.httpPort, method: 'POST', path }, (answer) => {
        answer.resume()
        resolve(answer.statusCode!)
      })
      sent.on('error', reject)
      sent.write('one ')
      setImmediate(() => sent.end('two'))
    })
    expect(status).toBe(503)
    expect(app.requests.map(({ body }) => body.toString())).toEqual(['one two'])
  })

  it('when its caller said that it streams', async () => {
    expect(await proxied(caller, 'rpc', { 'dapr-stream': 'true' })).toMatchObject({
      status: 14,
      text: 'later',
    })
    expect(calls).toBe(1)
  })
})
