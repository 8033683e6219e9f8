import { createServer as createTcp, type Socket } from 'node:net'
import { createServer, type Handler } from '@outrigger/wire'
import { createGrpcHandler, rawCodec } from '@outrigger/wire/grpc'
import { expect, onTestFinished, test } from 'vitest'
import { App, endApps } from '../../src/index.ts'
import { startRuntime } from './setup.ts'

async function serve(handler: Handler): Promise<number> {
  const server = createServer({ protocols: ['h2c'] }, handler)
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => server.close(AbortSignal.abort()))
  return port!
}

const input = (name: string) => ({
  apiVersion: 'dapr.io/v1alpha1',
  kind: 'Component',
  metadata: { name },
  spec: { type: 'bindings.fake', version: 'v1', metadata: [{ name: 'direction', value: 'input' }] },
})

test('an application that speaks HTTP where gRPC is expected', async () => {
  const app = await App.start({ '*': {} })
  onTestFinished(endApps)
  const { url, source, runtime } = await startRuntime({
    appPort: app.port,
    appProtocol: 'grpc',
    resources: [input('ticks')],
  })
  await runtime.ready()
  const answer = await fetch(`${url}/v1.0/invoke/shop/method/a`)
  expect([answer.status, await answer.json()]).toMatchObject([503, { code: 14 }])
  expect(await source.emit('1')).toMatchObject({ settlement: 'nack' })
})

test('an application that speaks gRPC where HTTP is expected', async () => {
  const port = await serve(createGrpcHandler({ routes: [] }))
  const h1 = await startRuntime({ appPort: port, resources: [input('ticks')] })
  await h1.runtime.ready()
  const answer = await fetch(`${h1.url}/v1.0/invoke/shop/method/a`)
  expect([answer.status, ((await answer.json()) as { errorCode: string }).errorCode]).toEqual([
    500,
    'ERR_DIRECT_INVOKE',
  ])
  expect(await h1.source.emit('1')).toMatchObject({ settlement: 'nack' })
  const h2 = await startRuntime({ appPort: port, appProtocol: 'h2c', resources: [input('ticks')] })
  await h2.runtime.ready()
  expect((await fetch(`${h2.url}/v1.0/invoke/shop/method/a`)).status).toBe(415)
  expect(await h2.source.emit('1')).toMatchObject({ settlement: 'nack' })
})

test.each([
  ['bytes that are no message', Buffer.from('ffffffffff', 'hex')],
  ['a name that is no text', Buffer.from('0a02c328', 'hex')],
  ['a length beyond the end', Buffer.from('227f00', 'hex')],
])('an answer of %s fails the event, and nothing else', async (_, bytes) => {
  const paths: string[] = []
  const answering = (name: string) => ({
    method: {
      path: `/dapr.proto.runtime.v1.AppCallback/${name}`,
      kind: 'unary' as const,
      input: rawCodec,
      output: rawCodec,
    },
    handle: () => {
      paths.push(name)
      return bytes
    },
  })
  const routes = ['OnBindingEvent', 'OnInvoke', 'ListInputBindings', 'ListTopicSubscriptions'].map(answering)
  const port = await serve(createGrpcHandler({ routes }))
  const { url, source, runtime } = await startRuntime({
    appPort: port,
    appProtocol: 'grpc',
    resources: [input('ticks')],
  })
  await runtime.ready()
  expect(await source.emit('1')).toMatchObject({ settlement: 'nack' })
  const answer = await fetch(`${url}/v1.0/invoke/shop/method/a`)
  expect([answer.status, await answer.json()]).toMatchObject([500, { code: 13 }])
  expect(paths).toEqual(['OnBindingEvent', 'OnInvoke'])
})

test('a port behind which nobody speaks holds up neither start nor end', async () => {
  const sockets = new Set<Socket>()
  const silent = createTcp((socket) => sockets.add(socket.on('error', () => {})))
  const port = await new Promise<number>((resolve) => {
    silent.listen(0, '127.0.0.1', () => resolve((silent.address() as { port: number }).port))
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    silent.close()
  })
  for (const appProtocol of ['http', 'https', 'h2c', 'grpc', 'grpcs'] as const) {
    const { runtime, source, logger } = await startRuntime({
      appPort: port,
      appProtocol,
      appBindingOptionsTimeoutMs: 100,
      disableInitEndpoints: ['config', 'subscribe'],
    })
    await runtime.ready()
    expect(source.beingRead).toBe(false)
    expect(logger.messages('warn')).toEqual([
      expect.stringContaining('the application did not say whether it wants binding ticks'),
    ])
    expect(await runtime.stop()).toBe(true)
  }
})
