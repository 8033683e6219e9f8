import { connect } from 'node:net'
import { freePort } from '@outrigger/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { App, call, endApps, type HttpAnswer, Sidecar } from '../../src/index.ts'
import { overGrpc, overHttp, pretend, type Asked } from './calls.ts'
import { grpcApp, httpApp, valuesOf, type Echo, type PlainApp } from './plain-apps.ts'
import { World } from './world.ts'

let world: World
let near: Sidecar
const apps: PlainApp[] = []

beforeAll(async () => {
  world = await World.start()
  apps.push(await httpApp(), await grpcApp())
  const [web, rpc] = apps
  const started = await Promise.all([
    world.sidecar({ appId: 'near' }),
    world.sidecar({ appId: 'web', appPort: web!.port }),
    world.sidecar({ appId: 'rpc', appPort: rpc!.port, flags: ['--app-protocol=grpc'] }),
    world.sidecar({ appId: 'bare' }),
    world.sidecar({ appId: 'web', appPort: web!.port, env: { NAMESPACE: 'other' } }),
  ])
  near = started[0]!
}, 60_000)
afterAll(async () => {
  await world.end()
  await Promise.all(apps.map((app) => app.stop()))
  await endApps()
})

/** What comes back for a request as it stands on the wire; its characters are bytes. */
function sent(head: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(near.httpPort, '127.0.0.1', () =>
      socket.write(`${head}connection: close\r\n\r\n`, 'latin1'),
    )
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    socket.on('end', () => resolve(text))
    socket.on('error', reject)
  })
}

const echo = ({ text }: { text: string }): Echo => JSON.parse(text) as Echo

describe('a request over HTTP to an application over HTTP', () => {
  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'])(
    '%s comes as it is',
    async (verb) => {
      const body = verb === 'GET' || verb === 'TRACE' ? undefined : 'the body'
      const asked: Asked = { verb, query: 'q=1&r=%20&q=%C3%BC', contentType: 'text/x' }
      const answer = await overHttp(
        near,
        'web',
        'a%2Fb/c%20d',
        body === undefined ? asked : { ...asked, body },
      )
      const seen = echo(answer)
      expect(answer.status).toBe(200)
      expect(seen).toMatchObject({ method: verb, url: '/a%2Fb/c%20d?q=1&r=%20&q=%C3%BC', body: body ?? '' })
      expect(valuesOf(seen, 'content-type')).toEqual(['text/x'])
    },
  )

  it('HEAD has the fields of its answer, with the length of what is not there', async () => {
    expect(await overHttp(near, 'web', 'length', { verb: 'HEAD' })).toMatchObject({
      status: 200,
      text: '',
      headers: { 'content-length': '1234' },
    })
  })

  it('has a method in capitals, or is refused', async () => {
    const asked = (method: string) => sent(`${method} /v1.0/invoke/web/method/x HTTP/1.1\r\nhost: x\r\n`)
    expect(await asked('delete')).toMatch(/^HTTP\/1\.1 200 [^]*"method":"DELETE"/)
    expect(await asked('PROPFIND')).toMatch(
      /^HTTP\/1\.1 500 [^]*the method PROPFIND cannot be passed on to other sidecars/,
    )
  })

  it('keeps the slash at its end, and bytes that nobody escaped', async () => {
    const line = Buffer.from('GET /v1.0/invoke/web/method/grüß/x/?ü HTTP/1.1').toString('latin1')
    expect(await sent(`${line}\r\nhost: x\r\n`)).toContain('"url":"/gr%C3%BC%C3%9F/x/?%C3%BC"')
  })

  it('may have hundreds of fields, and tokens of some KB', async () => {
    const many = Array.from({ length: 200 }, (_, index) => [`x-${index}`, String(index)] as const)
    const headers = { ...Object.fromEntries(many), authorization: `Bearer ${'t'.repeat(5000)}` }
    const { fields } = echo(await overHttp(near, 'web', 'x', { headers }))
    expect(fields).toEqual(expect.arrayContaining(Object.entries(headers)))
  })

  it('CONNECT is refused', async () => {
    const answer = await sent('CONNECT /v1.0/invoke/web/method/x HTTP/1.1\r\nhost: x\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 501 /)
    expect(await overGrpc(near, 'web', 'x', { verb: 'CONNECT' })).toMatchObject({ status: 13 })
  })

  it('comes with who calls whom, and on whose behalf', async () => {
    const seen = echo(
      await overHttp(near, 'web', 'x', { headers: { 'x-forwarded-for': '203.0.113.7', 'x-mine': 'yes' } }),
    )
    expect(valuesOf(seen, 'dapr-caller-app-id')).toEqual(['near'])
    expect(valuesOf(seen, 'dapr-caller-namespace')).toEqual(['default'])
    expect(valuesOf(seen, 'dapr-callee-app-id')).toEqual(['web'])
    expect(valuesOf(seen, 'x-forwarded-for').join()).toMatch(/^203\.0\.113\.7,.+/)
    expect(valuesOf(seen, 'x-forwarded-host')).toHaveLength(1)
    expect(valuesOf(seen, 'forwarded').join()).toMatch(/^for=.+;by=.+;host=.+/)
    expect(valuesOf(seen, 'x-mine')).toEqual(['yes'])
    expect(valuesOf(seen, 'destination-app-id')).toEqual([])
  })

  it('leaves behind what was for one connection', async () => {
    const headers = {
      connection: 'x-hop, close',
      'x-hop': '1',
      'keep-alive': 'timeout=5',
      te: 'trailers',
      'proxy-authorization': 'Basic x',
      'proxy-connection': 'x',
      upgrade: 'nothing',
      'dapr-app-id': 'web',
    }
    const seen = echo(await call(near.httpPort, 'GET', '/x', undefined, headers))
    expect(seen.url).toBe('/x')
    for (const name of [
      'x-hop',
      'keep-alive',
      'te',
      'trailer',
      'proxy-authorization',
      'upgrade',
      'dapr-app-id',
    ])
      expect([name, valuesOf(seen, name)]).toEqual([name, []])
    expect(valuesOf(seen, 'host')).toHaveLength(1)
    const answer = await overHttp(near, 'web', 'hop')
    expect(answer.headers).toMatchObject({ 'x-end': '2' })
    for (const name of ['x-hop', 'proxy-authenticate']) expect(answer.headers).not.toHaveProperty(name)
  })

  it('keeps several fields of one name, and cookies', async () => {
    const headers = { 'x-many': ['one', 'two'], cookie: 'a=1; b=2' } as unknown as Record<string, string>
    const seen = echo(await overHttp(near, 'web', 'x', { headers }))
    expect(valuesOf(seen, 'x-many').join()).toBe('one,two')
    expect(valuesOf(seen, 'cookie')).toEqual(['a=1; b=2'])
    expect((await overHttp(near, 'web', 'cookies')).headers['set-cookie']).toEqual(['a=1; Path=/', 'b=2'])
  })

  it('carries its trace context on', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const seen = echo(
      await overHttp(near, 'web', 'x', { headers: { traceparent, tracestate: 'a=b', baggage: 'k=v' } }),
    )
    expect(valuesOf(seen, 'traceparent').join()).toContain('0af7651916cd43dd8448eb211c80319c')
    expect(valuesOf(seen, 'tracestate')).toEqual(['a=b'])
    expect(valuesOf(seen, 'baggage')).toEqual(['k=v'])
  })

  it.each([200, 201, 202, 204, 304, 307, 400, 401, 403, 404, 409, 418, 422, 429, 500, 501, 503, 504, 599])(
    'is answered with status %i as the application does',
    async (status) => {
      const answer = (await overHttp(near, 'web', `status/${status}`)) as HttpAnswer
      const empty = status === 204 || status === 304
      expect(answer).toMatchObject({
        status,
        text: empty ? '' : `said ${status}`,
        headers: { 'x-kind': 'asked' },
      })
      expect(answer.headers['content-type']).toBe(empty ? undefined : 'text/x')
    },
  )

  it('is answered with a body of which nobody knows the length', async () => {
    expect(await overHttp(near, 'web', 'chunked')).toMatchObject({ status: 200, text: 'one two' })
  })

  it('is in one namespace or the other', async () => {
    const [here, there] = [await overHttp(near, 'web.default', 'x'), await overHttp(near, 'web.other', 'x')]
    expect([here.status, there.status]).toEqual([200, 200])
    expect(await overHttp(near, 'rpc.other', 'x')).toMatchObject({ status: 500 })
    expect(await overHttp(near, 'a.b.c', 'x')).toMatchObject({ status: 500 })
  })

  it('may have no path', async () => {
    for (const path of ['/v1.0/invoke/web/method', '/v1.0/invoke/web/method/']) {
      expect([path, echo(await call(near.httpPort, 'GET', path)).url]).toEqual([path, '/'])
    }
    expect(echo(await call(near.httpPort, 'GET', '/', undefined, { 'dapr-app-id': 'web' })).url).toBe('/')
  })
})

/** What stands for each code of gRPC over HTTP. */
const httpOfGrpc: Readonly<Record<number, number>> = {
  1: 408,
  2: 500,
  3: 400,
  4: 504,
  5: 404,
  6: 409,
  7: 403,
  8: 429,
  9: 400,
  10: 409,
  11: 400,
  12: 501,
  13: 500,
  14: 503,
  15: 500,
  16: 401,
}
/** What stands for a status of HTTP over gRPC. */
const grpcOfHttp: Readonly<Record<number, number>> = {
  200: 0,
  201: 0,
  204: 0,
  304: 2,
  400: 13,
  401: 16,
  403: 7,
  404: 5,
  408: 1,
  409: 6,
  418: 2,
  429: 8,
  500: 2,
  501: 12,
  502: 2,
  503: 14,
  504: 4,
}

describe('a request over HTTP to an application over gRPC', () => {
  it('comes as a message with its fields as metadata', async () => {
    const headers = {
      'x-mine': 'yes',
      accept: 'text/x',
      cookie: 'a=1',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      connection: 'x-hop',
      'x-hop': '1',
      'x-bytes-bin': 'AAEC',
    }
    const asked = { verb: 'PUT', query: 'q=%20', body: 'data', contentType: 'text/x', headers }
    const answer = await overHttp(near, 'rpc', 'a%20b', asked)
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json', 'x-initial': 'yes' },
    })
    expect(answer.headers).not.toHaveProperty('x-initial-bin')
    const seen = echo(answer)
    expect(seen).toMatchObject({ method: 'PUT', url: 'a b?q=%20', body: 'data' })
    for (const [name, value] of [
      ['x-mine', ['yes']],
      ['dapr-accept', ['text/x']],
      ['dapr-cookie', ['a=1']],
      ['x-hop', []],
      ['x-bytes-bin', ['AAEC']],
      ['dapr-caller-app-id', ['near']],
      ['dapr-callee-app-id', ['rpc']],
      ['destination-app-id', []],
    ] as const)
      expect([name, valuesOf(seen, name)]).toEqual([name, value])
    expect(valuesOf(seen, 'traceparent').join()).toContain('0af7651916cd43dd8448eb211c80319c')
    expect(valuesOf(seen, 'grpc-trace-bin')).toHaveLength(1)
    expect(valuesOf(seen, 'x-forwarded-for')).toHaveLength(1)
  })

  it.each(Object.entries(httpOfGrpc))('fails with code %s as status %s', async (code, status) => {
    const answer = await overHttp(near, 'rpc', `code/${code}`)
    expect(answer).toMatchObject({ status, headers: { 'content-type': 'application/json' } })
    expect(JSON.parse(answer.text)).toEqual({
      code: Number(code),
      message: `code ${code}`,
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'ASKED',
          domain: 'test',
          metadata: { code },
        },
      ],
    })
  })

  it('fails with a message in any language', async () => {
    const { status, text } = await overHttp(near, 'rpc', 'plain')
    expect([status, JSON.parse(text)]).toEqual([404, { code: 5, message: 'nö' }])
  })
})

describe('a call over gRPC to an application over HTTP', () => {
  it('comes as a request with its metadata as fields', async () => {
    const headers = { 'x-mine': 'yes', 'x-bytes-bin': 'AAEC', 'dapr-caller-app-id': 'forged' }
    const asked = { verb: 'PATCH', query: 'q=%20', body: 'data', contentType: 'text/x', headers }
    const answer = await overGrpc(near, 'web', 'a b/ü', asked)
    expect(answer).toMatchObject({ status: 0, headers: { 'dapr-http-status': '200' } })
    const seen = echo(answer)
    expect(seen).toMatchObject({ method: 'PATCH', url: '/a%20b/%C3%BC?q=%20', body: 'data' })
    for (const [name, value] of [
      ['x-mine', ['yes']],
      ['x-bytes-bin', []],
      ['content-type', ['text/x']],
      ['dapr-caller-app-id', ['near']],
      ['dapr-callee-app-id', ['web']],
      ['te', []],
    ] as const)
      expect([name, valuesOf(seen, name)]).toEqual([name, value])
    expect(valuesOf(seen, 'x-forwarded-for')).toHaveLength(1)
  })

  it.each(Object.entries(grpcOfHttp))('ends for status %s with code %s', async (status, code) => {
    const answer = await overGrpc(near, 'web', `status/${status}`)
    expect(answer.status).toBe(code)
    const head = answer.headers['dapr-http-status']
    expect(head).toBe(status)
  })
})

describe('a call over gRPC to an application over gRPC', () => {
  it('comes as it is, with metadata and trailers both ways', async () => {
    const headers = { 'x-mine': 'yes', 'x-bytes-bin': 'AAEC' }
    const answer = await overGrpc(near, 'rpc', 'a/b', { verb: 'POST', query: 'q=1', body: 'data', headers })
    expect(answer).toMatchObject({ status: 0, headers: { 'x-initial': 'yes', 'x-initial-bin': 'AAE=' } })
    expect([answer.trailers?.get('x-end'), answer.trailers?.get('x-end-bin')]).toEqual(['yes', 'AgM='])
    const seen = echo(answer)
    expect(seen).toMatchObject({ method: 'POST', url: 'a/b?q=1', body: 'data' })
    for (const [name, value] of [
      ['x-mine', ['yes']],
      ['x-bytes-bin', ['AAEC']],
      ['dapr-caller-app-id', ['near']],
      ['dapr-callee-app-id', ['rpc']],
      ['destination-app-id', []],
    ] as const)
      expect([name, valuesOf(seen, name)]).toEqual([name, value])
    expect(valuesOf(seen, 'x-forwarded-for')).toHaveLength(1)
  })

  it.each(Object.keys(httpOfGrpc))('fails with code %s and its details', async (code) => {
    const answer = await overGrpc(near, 'rpc', `code/${code}`)
    expect(answer).toMatchObject({ status: Number(code), text: `code ${code}` })
  })

  it('fails with a message in any language', async () => {
    expect(await overGrpc(near, 'rpc', 'plain')).toMatchObject({ status: 5, text: 'nö' })
  })
})

describe('an application that is not there', () => {
  it.each([
    ['that nobody knows', 'nobody', "couldn't find service: nobody"],
    ['without a port behind its sidecar', 'bare', 'app channel is not initialized'],
  ])('%s: 500, over gRPC INTERNAL', async (_, target, message) => {
    const { status, text } = await overHttp(near, target, 'x')
    expect([status, JSON.parse(text)]).toEqual([
      500,
      { errorCode: 'ERR_DIRECT_INVOKE', message: expect.stringContaining(message) as string },
    ])
    expect(await overGrpc(near, target, 'x')).toMatchObject({
      status: 13,
      text: expect.stringContaining(message) as string,
    })
  })

  it('that is not well: 500, whoever calls', async () => {
    const sick = await App.start({ 'GET /healthz': () => ({ status: 503 }), '*': { body: 'answered' } })
    const internal = await freePort()
    const flags = ['--enable-app-health-check', '--app-health-probe-interval=1', '--app-health-threshold=1']
    const sidecar = await Sidecar.launch({
      appId: 'sick',
      appPort: sick.port,
      flags: [`--config=${world.config}`, `--dapr-internal-grpc-port=${internal}`, ...flags],
    })
    try {
      await sidecar.child.waitUntil(() => sick.at('/healthz').length >= 2, 'two probes')
      // Its own entry is gone, as it is not well.
      pretend(world.names, 'sick', internal)
      for (const caller of [sidecar, near]) {
        const { status, text } = await overHttp(caller, 'sick', 'x')
        expect([status, text]).toEqual([500, expect.stringContaining('app is not in a healthy state')])
      }
      expect(sick.at('/x')).toEqual([])
    } finally {
      await sidecar.dispose()
    }
  })
})
