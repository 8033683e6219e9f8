import { callsOf } from '@outrigger/proto/call'
import { APIVersion, ServiceInvocation } from '@outrigger/proto/internals'
import { freePort } from '@outrigger/testkit'
import { routesOf } from '@outrigger/proto/serve'
import { createServer } from '@outrigger/wire'
import { createGrpcHandler, GrpcChannel, isGrpcError } from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { App, endApps, type Sidecar } from '../../src/index.ts'
import { overGrpc, overHttp, pretend } from './calls.ts'
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

describe('another sidecar cannot answer with what is none', () => {
  interface Answer {
    readonly status: number
    readonly headers?: Readonly<Record<string, readonly string[]>>
    readonly contentType?: string
  }
  let answer: Answer
  const fake = createServer(
    { protocols: ['h2c'] },
    createGrpcHandler({
      routes: routesOf(ServiceInvocation, {
        callLocal() {
          const { status, headers = {}, contentType = '' } = answer
          const fields = Object.entries(headers).map(([name, values]) => [name, { values: [...values] }])
          return {
            status: { code: status, message: 'said\r\nso', details: [] },
            headers: Object.fromEntries(fields),
            trailers: {},
            message: { contentType, data: { typeUrl: '', value: Buffer.from('body') } },
          }
        },
      }),
    }),
  )

  beforeAll(async () => {
    const { port } = await fake.listen({ host: '127.0.0.1', port: 0 })
    pretend(world.names, 'fake', port!)
  })
  afterAll(() => fake.close(AbortSignal.abort()))

  it('but with what an application says', async () => {
    answer = { status: 202, headers: { 'X-A': ['1', '2'] }, contentType: 'text/x' }
    expect(await overHttp(sidecar, 'fake', 'x')).toMatchObject({
      status: 202,
      text: 'body',
      headers: { 'x-a': '1, 2', 'content-type': 'text/x' },
    })
  })

  it.each<readonly [string, Answer]>([
    ['a line break in a field', { status: 200, headers: { 'x-a': ['1\r\nx-b: 2'] } }],
    ['a line break in a name', { status: 200, headers: { 'x-a: 1\r\nx-b': ['2'] } }],
    ['a line break in the content type', { status: 200, contentType: 'text/x\r\nx-b: 2' }],
    ['an interim status', { status: 101 }],
    ['a status that there is not', { status: 12_345 }],
    ['a negative one', { status: -1 }],
  ])('%s', async (_, wrong) => {
    answer = wrong
    const refused = await overHttp(sidecar, 'fake', 'x')
    const said = 'the other sidecar answered with '
    expect([refused.status, refused.text]).toEqual([500, expect.stringMatching(`ERR_DIRECT_INVOKE.*${said}`)])
    expect(refused.headers).not.toHaveProperty('x-b')
    const over = await overGrpc(sidecar, 'fake', 'x')
    expect([over.status, over.text]).toEqual([13, expect.stringContaining(said)])
    expect(over.headers).not.toHaveProperty('x-b')
  })

  it('a code that there is not is an unknown one', async () => {
    answer = { status: 55 }
    expect(await overHttp(sidecar, 'fake', 'x')).toMatchObject({ status: 500 })
    expect(await overGrpc(sidecar, 'fake', 'x')).toMatchObject({ status: 2 })
  })

  it('and framing of its own', async () => {
    const headers = {
      'Content-Length': ['3'],
      'Transfer-Encoding': ['chunked'],
      Connection: ['x-hop'],
      Upgrade: ['x'],
    }
    answer = { status: 200, headers }
    const { status, text, headers: seen } = await overHttp(sidecar, 'fake', 'x')
    expect([status, text, seen['content-length'], seen['transfer-encoding']]).toEqual([
      200,
      'body',
      '4',
      undefined,
    ])
    expect(seen).not.toHaveProperty('upgrade')
  })

  it('while the sidecar serves on', async () => {
    expect(sidecar.log.join('\n')).not.toContain('foresaw')
    expect(await overHttp(sidecar, 'web', 'x')).toMatchObject({ status: 200, text: 'answered' })
  })
})
