import { callsOf } from '@outrigger/proto/call'
import { APIVersion, ServiceInvocation } from '@outrigger/proto/internals'
import { freePort } from '@outrigger/testkit'
import { GrpcChannel, isGrpcError } from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { App, endApps, type Sidecar } from '../../src/index.ts'
import { overHttp } from './calls.ts'
import { World } from './world.ts'

let world: World
let app: App
let sidecar: Sidecar
const client = createHttp2Client()
let callLocal: ReturnType<typeof callsOf<typeof ServiceInvocation>>['callLocal']

beforeAll(async () => {
  world = await World.start()
  app = await App.start({ '*': () => ({ body: 'answered' }) })
  const internal = await freePort()
  sidecar = await world.sidecar({
    appId: 'web',
    appPort: app.port,
    flags: [`--dapr-internal-grpc-port=${internal}`],
  })
  const channel = new GrpcChannel({ origin: `http://127.0.0.1:${internal}`, client })
  callLocal = callsOf(ServiceInvocation, channel).callLocal
}, 60_000)
beforeEach(() => void app.requests.splice(0))
const requests = () => app.requests.filter(({ path }) => path !== '/dapr/config')
afterAll(async () => {
  client.close()
  await world.end()
  await endApps()
})

interface Sent {
  readonly method?: string
  readonly verb?: number
  readonly querystring?: string
  readonly contentType?: string
  readonly metadata?: Readonly<Record<string, readonly string[]>>
}

/** The code of a call as a sidecar would make it, with these oddities. */
async function code({
  method = 'x',
  verb = 1,
  querystring = '',
  contentType = '',
  metadata = {},
}: Sent): Promise<number> {
  const fields = Object.fromEntries(
    Object.entries(metadata).map(([name, values]) => [name, { values: [...values] }]),
  )
  const message = { method, contentType, httpExtension: { verb: verb as 1, querystring } }
  try {
    await callLocal({ ver: APIVersion.V1, metadata: fields, message })
    return 0
  } catch (error) {
    if (isGrpcError(error)) return error.code
    throw error
  }
}

describe('another sidecar cannot smuggle anything to the application', () => {
  it.each<readonly [string, Sent]>([
    ['a line break in the name of a field', { metadata: { 'x-a\r\nx-b': ['1'] } }],
    ['a line break in the value of a field', { metadata: { 'x-a': ['1\r\nx-b: 2'] } }],
    ['a name that is none', { metadata: { 'x a': ['1'] } }],
    ['an empty name', { metadata: { '': ['1'] } }],
    ['a line break in the content type', { contentType: 'text/x\r\nx-b: 2' }],
    ['a line break in the method', { method: 'x HTTP/1.1\r\nx-b: 2\r\n' }],
    ['a zero byte in the method', { method: 'a\u0000b' }],
    ['a query in the method', { method: 'a?b=1' }],
    ['a fragment in the method', { method: 'a#b' }],
    ['CONNECT', { verb: 6 }],
  ])('%s is refused', async (_, sent) => {
    expect([3, 13]).toContain(await code(sent))
    expect(requests()).toEqual([])
  })

  it.each<readonly [string, Sent, string, string]>([
    [
      'a line break in the query',
      { querystring: 'a=1 HTTP/1.1\r\nx-b: 2' },
      '/x',
      'a=1%20HTTP/1.1%0D%0Ax-b:%202',
    ],
    ['blanks in the method', { method: 'a b' }, '/a%20b', ''],
    ['a path that leads out', { method: '../../etc/passwd' }, '/etc/passwd', ''],
    ['a path from the root', { method: '//host/x' }, '/host/x', ''],
    ['a URL', { method: 'http://example.com/x' }, '/http:/example.com/x', ''],
  ])('%s is only what it says', async (_, sent, path, query) => {
    expect(await code(sent)).toBe(0)
    expect(requests()).toMatchObject([{ path, query }])
    expect(requests()[0]!.headers).not.toHaveProperty('x-b')
  })

  it('framing of its own is not passed on', async () => {
    const metadata = {
      'content-length': ['3'],
      'Transfer-Encoding': ['chunked'],
      connection: ['x-hop'],
      host: ['elsewhere'],
      expect: ['100-continue'],
    }
    expect(await code({ metadata })).toBe(0)
    const { headers, body } = requests()[0]!
    expect([headers['transfer-encoding'], headers['content-length'], body.length]).toEqual([
      undefined,
      undefined,
      0,
    ])
    expect(headers.host).toBe(`127.0.0.1:${app.port}`)
  })

  it('and the sidecar serves on', async () => {
    expect(await overHttp(sidecar, 'web', 'x')).toMatchObject({ status: 200, text: 'answered' })
    expect(sidecar.log.join('\n')).not.toMatch(/nobody foresaw/)
  })
})
