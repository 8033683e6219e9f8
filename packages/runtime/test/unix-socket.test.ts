import { callsOf } from '@outrigger/proto/call'
import { Dapr } from '@outrigger/proto/runtime'
import { recordingLogger, tempFolder } from '@outrigger/testkit'
import { createClient } from '@outrigger/wire'
import { GrpcChannel } from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import { expect, onTestFinished, test } from 'vitest'
import { createRuntime } from '../src/index.ts'

test('both APIs are offered on Unix sockets where a folder is named', async () => {
  const { path, remove } = await tempFolder('outrigger-socket-')
  const runtime = createRuntime({
    appId: 'shop',
    listen: true,
    logger: recordingLogger(),
    unixDomainSocket: path,
  })
  await runtime.start()
  const http = createClient()
  const http2 = createHttp2Client()
  onTestFinished(async () => {
    http.close()
    http2.close()
    await runtime.stop()
    await remove()
  })
  const answer = await http.request({ origin: `unix:${path}/dapr-shop-http.socket`, path: '/v1.0/metadata' })
  expect(JSON.parse(Buffer.from(await answer.body.bytes()).toString())).toMatchObject({ id: 'shop' })
  const channel = new GrpcChannel({ origin: `unix:${path}/dapr-shop-grpc.socket`, client: http2 })
  expect(await callsOf(Dapr, channel).getMetadata({})).toMatchObject({ id: 'shop' })
  expect(runtime.addresses.grpcPort).toBeUndefined()
})

test('a folder that is not there is told', async () => {
  const runtime = createRuntime({
    appId: 'shop',
    listen: true,
    logger: recordingLogger(),
    unixDomainSocket: '/nowhere/at/all',
  })
  await expect(runtime.start()).rejects.toThrow(
    /the HTTP API cannot listen on \/nowhere\/at\/all\/dapr-shop-http\.socket: .*--unix-domain-socket/,
  )
})
