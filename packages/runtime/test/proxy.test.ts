import { createServer, Fields, type ServerRequest, type ServerResponse } from '@outrigger/wire'
import { createHttp2Client } from '@outrigger/wire/http2'
import { expect, onTestFinished, test } from 'vitest'
import { passOn } from '../src/invoke/proxy.ts'
import { ReplayBody } from '../src/invoke/replay.ts'
import { bodyOf } from './support/fake-exchange.ts'

test.each([
  ['20m', 4],
  ['1H', 14],
  [undefined, 14],
])('a stream that the other side resets, where the caller gave %s', async (timeout, code) => {
  const server = createServer({ protocols: ['h2c'] }, async (_, response) => {
    await new Promise((resolve) => setTimeout(resolve, 50))
    response.abort()
  })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  const client = createHttp2Client()
  onTestFinished(async () => {
    client.close()
    await server.close(AbortSignal.abort())
  })
  const fields = new Fields(timeout === undefined ? [] : ['grpc-timeout', timeout])
  const request = { path: '/a.B/C', fields } as ServerRequest
  const call = { request, response: {} as ServerResponse, fields, body: new ReplayBody(bodyOf('x')) }
  const passing = passOn(client, `http://127.0.0.1:${port}`, call, { statuses: false, signal: undefined })
  await expect(passing).rejects.toMatchObject({ code })
})
