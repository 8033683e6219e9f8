import { freePort, recordingLogger, waitFor } from '@outrigger/testkit'
import { createRuntime } from '@outrigger/runtime'
import * as grpc from '@grpc/grpc-js'
import { expect, onTestFinished } from 'vitest'
import { serveGrpcJs } from '../../interop/grpc-js.ts'
import { decodeBytes, encodeBytes, pathOf } from '../../interop/peer.ts'
import { grpcClientOf } from '../client/clients.ts'
import { failureOf, type Calls, type World } from './world.ts'

/** Publishing, bindings, invocation. */
export const messageCalls: Calls = {
  async 'pubsub.publish'({ client, key, world }) {
    const marked = { mark: key('one') }
    expect(await client.pubsub.publish('broker', 'orders', marked)).toEqual({})
    const options = { contentType: 'text/plain', metadata: { ttlInSeconds: '100' } }
    expect(await client.pubsub.publish('broker', 'orders', key('text'), options)).toEqual({})
    await came(world, marked, key('text'))
    expect(await failureOf(client.pubsub.publish('nosuch', 'orders', marked))).toContain('nosuch')
  },

  async 'pubsub.publishBulk'({ client, key, world }) {
    const messages = [
      { mark: key('first') },
      { entryID: '7', event: { mark: key('second') }, contentType: 'application/json', metadata: {} },
    ]
    const answer = await client.pubsub.publishBulk('broker', 'orders', messages, { a: 'b' })
    expect(answer).toEqual({ failedMessages: [] })
    await came(world, { mark: key('first') }, { mark: key('second') })
    const failed = await client.pubsub.publishBulk('nosuch', 'orders', messages)
    expect(failed.failedMessages).toHaveLength(2)
  },

  async 'binding.send'({ client, key, protocol }) {
    const metadata = { fileName: `${key('file')}.txt` }
    await client.binding.send('files', 'create', 'two words', metadata)
    const read = await client.binding.send('files', 'get', undefined, metadata)
    const data: unknown =
      protocol === 'HTTP' ? read : Buffer.from((read as { data: Uint8Array }).data).toString()
    expect(data).toBe('two words')
    await expect(client.binding.send('nosuch', 'create', 'x')).rejects.toThrow('nosuch')
  },

  async 'invoker.invoke'({ client, sdk, protocol }) {
    expect(await client.invoker.invoke('own', 'echo', sdk.HttpMethod.POST, { n: 1 })).toEqual({
      method: 'POST',
      body: '{"n":1}',
    })
    expect(await client.invoker.invoke('own', 'echo', sdk.HttpMethod.GET)).toMatchObject({ method: 'GET' })
    const absent = client.invoker.invoke('own', 'absent', sdk.HttpMethod.GET)
    await expect(absent).rejects.toThrow(protocol === 'HTTP' ? '404' : /Not Found|404/i)
  },

  async 'proxy.create'({ sdk }) {
    const echo = await serveGrpcJs()
    onTestFinished(() => echo.close())
    const grpcPort = await freePort()
    const runtime = createRuntime({
      appId: 'echo',
      appPort: echo.port,
      appProtocol: 'grpc',
      listen: true,
      httpPort: 0,
      grpcPort,
      listenAddresses: ['127.0.0.1'],
      logger: recordingLogger(),
    })
    await runtime.start()
    onTestFinished(async () => void (await runtime.stop()))
    const unary = {
      path: pathOf('Unary'),
      requestStream: false,
      responseStream: false,
      requestSerialize: encodeBytes,
      requestDeserialize: decodeBytes,
      responseSerialize: encodeBytes,
      responseDeserialize: decodeBytes,
    } as const
    const Echo = grpc.makeGenericClientConstructor({ unary: unary as never }, 'Echo')
    // The SDK takes the id of the application from here.
    process.env['APP_ID'] = 'echo'
    onTestFinished(() => void delete process.env['APP_ID'])
    const client = grpcClientOf(sdk, { grpcPort })
    onTestFinished(() => client.stop())
    const proxy = await client.proxy.create(Echo as never)
    onTestFinished(() => (proxy as grpc.Client).close())
    type Unary = (request: Uint8Array, done: (error: Error | null, answer: Uint8Array) => void) => void
    const said = await new Promise<Uint8Array>((resolve, reject) => {
      ;(proxy as { unary: Unary }).unary(Buffer.from('hello'), (error, answer) =>
        error === null ? resolve(answer) : reject(error),
      )
    })
    expect(Buffer.from(said).toString()).toBe('hello')
  },
}

function came({ app }: World, ...wanted: readonly unknown[]): Promise<unknown> {
  const texts = wanted.map((data) => JSON.stringify(data))
  return waitFor(
    () => {
      const data = app
        .at('/orders')
        .map((request) => JSON.stringify((request.json() as { data: unknown }).data))
      return texts.every((text) => data.includes(text))
    },
    { what: `events with ${texts.join(' and ')}` },
  )
}
