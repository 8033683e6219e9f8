import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { App, call, component, endApps, endSidecars, startSidecar, type Sidecar } from '../../src/index.ts'

const ends = async (): Promise<void> => {
  await endSidecars()
  await endApps()
}

const echo = {
  '*': (request: { headers: object; path: string; body: Buffer }) => ({
    body: { headers: request.headers, path: request.path, length: request.body.length },
  }),
}
const state = component('store', 'state.in-memory')
const pubsub = component('pubsub', 'pubsub.in-memory')

describe('the API token', () => {
  let app: App
  let sidecar: Sidecar
  beforeAll(async () => {
    app = await App.start(echo)
    sidecar = await startSidecar({
      appId: 'shop',
      appPort: app.port,
      resources: state,
      env: { DAPR_API_TOKEN: 'let-me-in', APP_API_TOKEN: 'it-is-me' },
    })
  })
  afterAll(ends)

  test.each([
    ['no token', {}],
    ['a wrong one', { 'dapr-api-token': 'let-me-out' }],
    ['a part of it', { 'dapr-api-token': 'let-me' }],
    ['an empty one', { 'dapr-api-token': '' }],
  ])('%s: 401 in plain text, for every route', async (_name, headers) => {
    for (const [method, path] of [
      ['GET', '/v1.0/state/store/k'],
      ['GET', '/v1.0/metadata'],
      ['POST', '/v1.0/shutdown'],
      ['GET', '/v1.0/invoke/shop/method/x'],
      ['GET', '/nothing'],
      ['POST', '/v1.0-alpha1/lock/store'],
    ] as const) {
      const answer = await call(sidecar.httpPort, method, path, undefined, headers as Record<string, string>)
      expect(answer).toMatchObject({ status: 401, text: 'invalid api token' })
      expect(answer.headers['content-type']).toMatch(/^text\/plain/)
    }
    expect(app.at('/x')).toEqual([])
  })

  test('health needs none', async () => {
    expect((await call(sidecar.httpPort, 'GET', '/v1.0/healthz')).status).toBe(204)
    expect((await call(sidecar.httpPort, 'GET', '/v1.0/healthz/outbound')).status).toBe(204)
    expect((await call(sidecar.httpPort, 'GET', '/v1.0/healthz/')).status).toBe(204)
  })

  test('the right one is served, and is not handed on; the application sees its own', async () => {
    const headers = { 'dapr-api-token': 'let-me-in' }
    expect((await call(sidecar.httpPort, 'GET', '/v1.0/metadata', undefined, headers)).status).toBe(200)
    const answer = await call(sidecar.httpPort, 'GET', '/v1.0/invoke/shop/method/x', undefined, headers)
    expect(answer.json.headers['dapr-api-token']).toBe('it-is-me')
    expect(answer.text).not.toContain('let-me-in')
  })

  test('tokens never reach the log', () => {
    expect(sidecar.child.output).not.toMatch(/let-me-in|it-is-me/)
  })
})

describe('limits', () => {
  let app: App
  let sidecar: Sidecar
  beforeAll(async () => {
    app = await App.start(echo)
    sidecar = await startSidecar({
      appId: 'shop',
      appPort: app.port,
      resources: [state, pubsub],
      flags: ['--max-body-size=64Ki', '--read-buffer-size=8Ki'],
    })
  })
  afterAll(ends)

  test('a body up to the limit is taken, one byte more is refused', async () => {
    const overhead = '[{"key":"k","value":""}]'.length
    const body = (length: number): string => `[{"key":"k","value":"${'x'.repeat(length - overhead)}"}]`
    expect((await call(sidecar.httpPort, 'POST', '/v1.0/state/store', body(65_536))).status).toBe(204)
    const over = await call(sidecar.httpPort, 'POST', '/v1.0/state/store', body(65_537))
    expect(over).toMatchObject({
      status: 400,
      json: { errorCode: 'ERR_BODY_READ', message: expect.stringContaining('--max-body-size') },
    })
    expect((await call(sidecar.httpPort, 'POST', '/v1.0/publish/pubsub/t', 'x'.repeat(65_537))).status).toBe(
      400,
    )
    expect((await call(sidecar.httpPort, 'GET', '/v1.0/state/store/k')).text).toHaveLength(
      65_536 - overhead + 2,
    )
  })

  test('header fields over the limit: 431, and the sidecar lives on', async () => {
    const fits = await call(sidecar.httpPort, 'GET', '/v1.0/healthz', undefined, {
      'x-long': 'x'.repeat(7000),
    })
    expect(fits.status).toBe(204)
    const over = await call(sidecar.httpPort, 'GET', '/v1.0/healthz', undefined, {
      'x-long': 'x'.repeat(20_000),
    })
    expect(over.status).toBe(431)
    expect((await call(sidecar.httpPort, 'GET', '/v1.0/healthz')).status).toBe(204)
  })

  test('a path over the limit is refused as well', async () => {
    const over = await call(sidecar.httpPort, 'GET', `/v1.0/state/store/${'k'.repeat(20_000)}`)
    expect(over.status).toBeGreaterThanOrEqual(400)
    expect((await call(sidecar.httpPort, 'GET', '/v1.0/healthz')).status).toBe(204)
  })

  test('paths are tidied: doubled slashes, dots, a slash at the end', async () => {
    await call(sidecar.httpPort, 'POST', '/v1.0/state/store', [{ key: 'tidy', value: 1 }])
    for (const path of [
      '//v1.0//state/store/tidy',
      '/v1.0/state/store/tidy/',
      '/v1.0/./state/x/../store/tidy',
    ]) {
      expect(await call(sidecar.httpPort, 'GET', path)).toMatchObject({ status: 200, text: '1' })
    }
  })
})

describe('trace context', () => {
  let app: App
  let sidecar: Sidecar
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const tracestate = 'vendor=value'
  beforeAll(async () => {
    app = await App.start({
      'GET /dapr/subscribe': [{ pubsubname: 'pubsub', topic: 't', route: '/t' }],
      'POST /t': () => ({ status: 200 }),
      ...echo,
    })
    sidecar = await startSidecar({ appId: 'shop', appPort: app.port, resources: [state, pubsub] })
  })
  afterAll(ends)

  test.each([
    ['GET', '/v1.0/state/store/k'],
    ['GET', '/v1.0/metadata'],
    ['GET', '/v1.0/state/nosuch/k'],
    ['GET', '/v1.0/invoke/shop/method/x'],
    ['GET', '/nothing'],
  ])('%s %s: comes back with the answer', async (method, path) => {
    const { headers } = await call(sidecar.httpPort, method, path, undefined, { traceparent, tracestate })
    expect(headers).toMatchObject({ traceparent, tracestate })
  })

  test('goes to the application with a call', async () => {
    const answer = await call(sidecar.httpPort, 'GET', '/v1.0/invoke/shop/method/x', undefined, {
      traceparent,
      tracestate,
      baggage: 'a=b',
    })
    expect(answer.json.headers).toMatchObject({ traceparent, tracestate, baggage: 'a=b' })
  })

  test('goes with messages, in the event and in the headers', async () => {
    await call(sidecar.httpPort, 'POST', '/v1.0/publish/pubsub/t', { n: 1 }, { traceparent, tracestate })
    const [request] = await app.received('/t')
    expect(request!.json()).toMatchObject({ traceid: traceparent, traceparent, tracestate })
    expect(request!.headers['traceparent']).toContain('0af7651916cd43dd8448eb211c80319c')
  })

  test('nothing comes back where nothing came', async () => {
    const { headers } = await call(sidecar.httpPort, 'GET', '/v1.0/metadata')
    expect(headers['traceparent']).toBeUndefined()
  })
})

describe('calls from browsers', () => {
  afterEach(ends)
  const origin = 'https://shop.example'

  test('none are allowed unless asked for', async () => {
    const sidecar = await startSidecar({ resources: state })
    const { headers } = await call(sidecar.httpPort, 'GET', '/v1.0/metadata', undefined, { origin })
    expect(headers['access-control-allow-origin']).toBeUndefined()
  })

  test('those of the listed origins, with preflight', async () => {
    const sidecar = await startSidecar({
      resources: state,
      flags: [`--allowed-origins=https://other.example,${origin}`],
    })
    const plain = await call(sidecar.httpPort, 'GET', '/v1.0/metadata', undefined, { origin })
    expect(plain.headers).toMatchObject({ 'access-control-allow-origin': origin, vary: 'origin' })
    const preflight = await call(sidecar.httpPort, 'OPTIONS', '/v1.0/state/store', undefined, {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    })
    expect(preflight).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-origin': origin, 'access-control-allow-headers': 'content-type' },
    })
    expect(preflight.headers['access-control-allow-methods']).toContain('POST')
    const evil = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }
    const refused = await call(sidecar.httpPort, 'OPTIONS', '/v1.0/state/store', undefined, evil)
    expect(refused.headers['access-control-allow-origin']).toBeUndefined()
    expect(refused.status).toBe(403)
  })

  test('any, with a star', async () => {
    const sidecar = await startSidecar({
      resources: state,
      flags: ['--allowed-origins=*'],
      env: { DAPR_API_TOKEN: 't' },
    })
    const answer = await call(sidecar.httpPort, 'GET', '/v1.0/metadata', undefined, { origin })
    // The page must be able to read why.
    expect(answer).toMatchObject({ status: 401, headers: { 'access-control-allow-origin': '*' } })
  })
})

describe('what is not offered', () => {
  afterEach(ends)

  test('the Configuration may take parts of the API away', async () => {
    const configuration = [
      'apiVersion: dapr.io/v1alpha1',
      'kind: Configuration',
      'metadata:',
      '  name: c',
      'spec:',
      '  api:',
      '    denied:',
      '      - name: state',
      '        version: v1.0',
      '        protocol: http',
      '',
    ].join('\n')
    const sidecar = await startSidecar({
      resources: { 'a.yaml': state, 'c.txt': configuration },
      flags: ['--config=resources/c.txt'],
    })
    expect(await call(sidecar.httpPort, 'GET', '/v1.0/state/store/k')).toMatchObject({
      status: 404,
      json: { errorCode: 'ERR_DIRECT_INVOKE' },
    })
    expect((await call(sidecar.httpPort, 'GET', '/v1.0/metadata')).status).toBe(200)
    expect((await call(sidecar.httpPort, 'GET', '/v1.0/healthz')).status).toBe(204)
  })

  test('the public port has health and metadata, and nothing else', async () => {
    const { freePort } = await import('@outrigger/testkit')
    const port = await freePort()
    await startSidecar({
      resources: state,
      env: { DAPR_API_TOKEN: 'secret' },
      flags: [`--dapr-public-port=${port}`, '--dapr-public-listen-address=127.0.0.1'],
    })
    expect((await call(port, 'GET', '/v1.0/healthz')).status).toBe(204)
    expect((await call(port, 'GET', '/v1.0/metadata')).status).toBe(200)
    expect((await call(port, 'PUT', '/v1.0/metadata/a', 'b')).status).toBe(204)
    expect((await call(port, 'GET', '/v1.0/state/store/k')).status).toBe(404)
    expect((await call(port, 'POST', '/v1.0/shutdown')).status).toBe(404)
  })
})
