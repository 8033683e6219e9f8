import { connect } from 'node:http2'
import { afterEach, expect, test } from 'vitest'
import { createRuntime, type Runtime } from '../src/index.ts'

let runtime: Runtime | undefined
afterEach(() => runtime?.stop())

async function start(disableH2c: boolean): Promise<string> {
  runtime = createRuntime({
    appId: 'orders',
    listen: true,
    httpPort: 0,
    grpcPort: 0,
    listenAddresses: ['127.0.0.1'],
    disableH2c,
  })
  await runtime.start()
  return `http://127.0.0.1:${runtime.addresses.http[0]!.port}`
}

/** Status of GET /v1.0/metadata over HTTP/2 with prior knowledge; what went wrong otherwise. */
function overHttp2(origin: string): Promise<number | Error> {
  return new Promise((resolve) => {
    const session = connect(origin)
    const settle = (outcome: number | Error): void => {
      session.destroy()
      resolve(outcome)
    }
    session.on('error', settle)
    const stream = session.request({ ':path': '/v1.0/metadata' })
    stream.on('response', (headers) => settle(headers[':status']!))
    stream.on('error', settle)
  })
}

test('the HTTP API speaks HTTP/1.1 and HTTP/2 on one port', async () => {
  const origin = await start(false)
  expect(await overHttp2(origin)).toBe(200)
  expect((await fetch(`${origin}/v1.0/metadata`)).status).toBe(200)
})

test('HTTP/2 can be switched off', async () => {
  const origin = await start(true)
  expect(await overHttp2(origin)).toBeInstanceOf(Error)
  expect((await fetch(`${origin}/v1.0/metadata`)).status).toBe(200)
})
