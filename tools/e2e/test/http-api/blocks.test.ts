import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  App,
  call,
  component,
  endApps,
  endSidecars,
  Sidecar,
  startSidecar,
  type HttpAnswer,
} from '../../src/index.ts'

afterAll(async () => {
  await endSidecars()
  await endApps()
})

let app: App
let sidecar: Sidecar

beforeAll(async () => {
  app = await App.start({
    'GET /dapr/subscribe': [
      { pubsubname: 'pubsub', topic: 't', route: '/t', deadLetterTopic: 'd', metadata: { a: 'b' } },
    ],
    '*': (request) => {
      if (request.path === '/teapot')
        return { status: 418, headers: { 'x-mine': 'yes', 'content-type': 'text/tea' }, body: 'stout' }
      if (request.path === '/empty') return { status: 204 }
      return {
        status: 200,
        body: {
          method: request.method,
          path: request.path,
          query: request.query,
          headers: request.headers,
          body: request.body.toString(),
        },
      }
    },
  })
  sidecar = await startSidecar({
    appId: 'shop',
    appPort: app.port,
    resources: {
      'a.yaml': [
        component('files', 'bindings.localstorage', { metadata: { rootPath: 'files' } }),
        component('web', 'bindings.http', { metadata: { url: `http://127.0.0.1:${app.port}/hook` } }),
        component('vault', 'secretstores.local.file', {
          metadata: { secretsFile: 'resources/secrets.json' },
        }),
        component('closed', 'secretstores.local.file', {
          metadata: { secretsFile: 'resources/secrets.json' },
        }),
        component('pubsub', 'pubsub.in-memory'),
      ].join('---\n'),
      'secrets.json': JSON.stringify({ one: '1', two: '2' }),
      'config.txt': [
        'apiVersion: dapr.io/v1alpha1',
        'kind: Configuration',
        'metadata:',
        '  name: c',
        'spec:',
        '  secrets:',
        '    scopes:',
        '      - storeName: closed',
        '        defaultAccess: deny',
        '        allowedSecrets: [two]',
        '',
      ].join('\n'),
    },
    flags: [
      '--config=resources/config.txt',
      '--enable-app-health-check',
      '--app-health-check-path=/healthz',
      '--app-max-concurrency=50',
    ],
  })
})
beforeEach(() => void app.requests.splice(0))

const send = (
  method: string,
  path: string,
  body?: string | object,
  headers: Record<string, string> = {},
): Promise<HttpAnswer> => call(sidecar.httpPort, method, path, body, headers)

describe('bindings', () => {
  test.each(['POST', 'PUT'])('%s: 200 with what came back, its type and metadata', async (method) => {
    const answer = await send(method, '/v1.0/bindings/web', {
      operation: 'post',
      data: { n: 1 },
      metadata: { path: '/x' },
    })
    expect(answer.status).toBe(200)
    expect(answer.json).toMatchObject({ method: 'POST', path: '/hook/x', body: '{"n":1}' })
    expect(answer.headers['metadata.statuscode']).toBe('200')
  })

  test('204 where nothing came back', async () => {
    await send('POST', '/v1.0/bindings/files', {
      operation: 'create',
      data: 'x',
      metadata: { fileName: 'f' },
    })
    expect(
      await send('POST', '/v1.0/bindings/files', { operation: 'delete', metadata: { fileName: 'f' } }),
    ).toMatchObject({ status: 204, text: '' })
  })

  test.each([
    ['no JSON', 'files', '{', 400, 'ERR_MALFORMED_REQUEST'],
    ['no object', 'files', '[]', 400, 'ERR_MALFORMED_REQUEST'],
    ['a binding that is not there', 'nosuch', { operation: 'create' }, 500, 'ERR_INVOKE_OUTPUT_BINDING'],
    ['no operation', 'files', { data: 'x' }, 500, 'ERR_INVOKE_OUTPUT_BINDING'],
    ['an operation that it does not have', 'files', { operation: 'fly' }, 500, 'ERR_INVOKE_OUTPUT_BINDING'],
    [
      'an operation that fails',
      'files',
      { operation: 'get', metadata: { fileName: 'absent' } },
      500,
      'ERR_INVOKE_OUTPUT_BINDING',
    ],
  ] as const)('refused: %s', async (_name, binding, body, status, errorCode) => {
    const answer = await send('POST', `/v1.0/bindings/${binding}`, body)
    expect({ status: answer.status, errorCode: answer.json.errorCode }).toEqual({ status, errorCode })
  })

  test('an unknown operation lists those that there are', async () => {
    expect((await send('POST', '/v1.0/bindings/files', { operation: 'fly' })).json.message).toMatch(
      /create.*get|get.*create/,
    )
  })
})

describe('secrets', () => {
  test('one, and all', async () => {
    expect((await send('GET', '/v1.0/secrets/vault/one')).json).toEqual({ one: '1' })
    expect((await send('GET', '/v1.0/secrets/vault/bulk')).json).toEqual({
      one: { one: '1' },
      two: { two: '2' },
    })
  })

  test('scopes decide who gets what', async () => {
    expect((await send('GET', '/v1.0/secrets/closed/two')).json).toEqual({ two: '2' })
    expect(await send('GET', '/v1.0/secrets/closed/one')).toMatchObject({
      status: 403,
      json: { errorCode: 'ERR_PERMISSION_DENIED' },
    })
    expect((await send('GET', '/v1.0/secrets/closed/bulk')).json).toEqual({ two: { two: '2' } })
  })

  test('refused', async () => {
    expect(await send('GET', '/v1.0/secrets/nosuch/one')).toMatchObject({
      status: 401,
      json: { errorCode: 'ERR_SECRET_STORE_NOT_FOUND' },
    })
    expect(await send('GET', '/v1.0/secrets/nosuch/bulk')).toMatchObject({ status: 401 })
    expect(await send('GET', '/v1.0/secrets/vault/absent')).toMatchObject({
      status: 500,
      json: { errorCode: 'ERR_SECRET_GET' },
    })
  })
})

describe('metadata', () => {
  test('says what is there', async () => {
    const answer = await send('GET', '/v1.0/metadata')
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe('application/json')
    const found = answer.json
    expect(found).toMatchObject({
      id: 'shop',
      runtimeVersion: expect.stringMatching(/^\d+\.\d+\.\d+/),
      extended: { daprRuntimeVersion: found.runtimeVersion },
      subscriptions: [
        {
          pubsubname: 'pubsub',
          topic: 't',
          metadata: { a: 'b' },
          rules: [{ path: '/t' }],
          deadLetterTopic: 'd',
          type: 'PROGRAMMATIC',
        },
      ],
      appConnectionProperties: {
        port: app.port,
        protocol: 'http',
        channelAddress: '127.0.0.1',
        maxConcurrency: 50,
        health: {
          healthCheckPath: '/healthz',
          healthProbeInterval: '5s',
          healthProbeTimeout: '500ms',
          healthThreshold: 3,
        },
      },
    })
    expect(found.components).toContainEqual({
      name: 'vault',
      type: 'secretstores.local.file',
      version: 'v1',
      capabilities: expect.any(Array),
    })
    expect(found.components).toHaveLength(5)
  })

  test('takes any text under any name', async () => {
    expect(await send('PUT', '/v1.0/metadata/mark%20me', 'some "text"')).toMatchObject({
      status: 204,
      text: '',
    })
    expect((await send('GET', '/v1.0/metadata')).json.extended).toMatchObject({ 'mark me': 'some "text"' })
    expect(await send('PUT', '/v1.0/metadata/long', 'x'.repeat(100_000))).toMatchObject({
      status: 400,
      json: { errorCode: 'ERR_MALFORMED_REQUEST' },
    })
  })
})

describe('health', () => {
  test('ready: 204, for the right application', async () => {
    expect(await send('GET', '/v1.0/healthz')).toMatchObject({ status: 204, text: '' })
    expect((await send('GET', '/v1.0/healthz/outbound')).status).toBe(204)
    expect((await send('GET', '/v1.0/healthz?appid=shop')).status).toBe(204)
    expect(await send('GET', '/v1.0/healthz?appid=other')).toMatchObject({
      status: 500,
      json: { errorCode: 'ERR_HEALTH_APPID_NOT_MATCH' },
    })
  })

  test('while the application is not there: outbound only', async () => {
    const { freePort } = await import('@outrigger/testkit')
    const waiting = await Sidecar.launch({ resources: '', appPort: await freePort() })
    await waiting.ready('outbound')
    expect(await call(waiting.httpPort, 'GET', '/v1.0/healthz')).toMatchObject({
      status: 500,
      json: { errorCode: 'ERR_HEALTH_NOT_READY' },
    })
    await waiting.dispose()
  })
})

describe('shutdown', () => {
  test('204, then an orderly end', async () => {
    const own = await startSidecar({ resources: component('s', 'state.in-memory') })
    expect(await call(own.httpPort, 'POST', '/v1.0/shutdown')).toMatchObject({ status: 204, text: '' })
    expect(await own.child.ended()).toBe(0)
    expect(own.child.output).toContain('Daprd shutdown gracefully')
  })

  test('by force: exit code 1', async () => {
    const own = await startSidecar({ resources: '' })
    expect(
      (await call(own.httpPort, 'POST', '/v1.0/shutdown', undefined, { 'dapr-force-shutdown': 'true' }))
        .status,
    ).toBe(204)
    expect(await own.child.ended()).toBe(1)
  })
})

describe('invoke', () => {
  test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    '%s goes to the application as it is',
    async (method) => {
      const body = method === 'GET' ? undefined : 'the body'
      const answer = await send(method, '/v1.0/invoke/shop/method/a%2Fb/c?q=1&r=%20', body, {
        'x-mine': 'yes',
        'content-type': 'text/mine',
      })
      expect(answer.status).toBe(200)
      expect(answer.json).toMatchObject({
        method,
        path: '/a%2Fb/c',
        query: 'q=1&r=%20',
        body: body ?? '',
        headers: { 'x-mine': 'yes', 'content-type': 'text/mine' },
      })
    },
  )

  test('status, headers and body of the application come back, errors too', async () => {
    const answer = await send('GET', '/v1.0/invoke/shop/method/teapot')
    expect(answer).toMatchObject({
      status: 418,
      text: 'stout',
      headers: { 'x-mine': 'yes', 'content-type': 'text/tea' },
    })
    expect(await send('GET', '/v1.0/invoke/shop/method/empty')).toMatchObject({ status: 204, text: '' })
  })

  test('the application may be named in a header, by basic credentials, or with its namespace', async () => {
    expect((await send('GET', '/any/path?x=1', undefined, { 'dapr-app-id': 'shop' })).json).toMatchObject({
      path: '/any/path',
      query: 'x=1',
    })
    const authorization = `Basic ${Buffer.from('dapr-app-id:shop').toString('base64')}`
    expect((await send('GET', '/any', undefined, { authorization })).json).toMatchObject({ path: '/any' })
    expect((await send('GET', '/v1.0/invoke/shop.default/method/any')).json).toMatchObject({ path: '/any' })
  })

  test('what has no route and no application: 404 ERR_DIRECT_INVOKE', async () => {
    for (const [method, path] of [
      ['GET', '/nothing'],
      ['DELETE', '/v1.0/metadata'],
      ['GET', '/v1.0/nosuch'],
      ['GET', '/'],
    ] as const) {
      expect(await send(method, path)).toMatchObject({
        status: 404,
        json: { errorCode: 'ERR_DIRECT_INVOKE' },
      })
    }
    expect(app.requests).toEqual([])
  })

  test('an application that is not there, and a sidecar without one: 500 ERR_DIRECT_INVOKE', async () => {
    expect(await send('GET', '/v1.0/invoke/other/method/x')).toMatchObject({
      status: 500,
      json: {
        errorCode: 'ERR_DIRECT_INVOKE',
        message: expect.stringContaining('failed to invoke, id: other, err: ') as string,
      },
    })
    const bare = await startSidecar({ appId: 'bare', resources: '' })
    expect(await call(bare.httpPort, 'GET', '/v1.0/invoke/bare/method/x')).toMatchObject({
      status: 500,
      json: {
        errorCode: 'ERR_DIRECT_INVOKE',
        message: expect.stringContaining('app channel is not initialized') as string,
      },
    })
    await bare.dispose()
  })

  test('an application that is gone: 500 ERR_DIRECT_INVOKE', async () => {
    const gone = await App.start()
    const own = await startSidecar({ appId: 'own', appPort: gone.port, resources: '' })
    await gone.stop()
    expect(await call(own.httpPort, 'GET', '/v1.0/invoke/own/method/x')).toMatchObject({
      status: 500,
      json: { errorCode: 'ERR_DIRECT_INVOKE' },
    })
    await own.dispose()
  })
})

describe('blocks that are not built: 501 with their name', () => {
  test.each([
    ['PUT', 'v1.0/actors/type/id/method/m', 'actors'],
    ['POST', 'v1.0/actors/type/id/state', 'actors'],
    ['POST', 'v1.0-beta1/workflows/dapr/name/start', 'workflow'],
    ['GET', 'v1.0/workflows/dapr/id', 'workflow'],
    ['POST', 'v1.0-alpha1/jobs/name', 'jobs'],
    ['DELETE', 'v1.0/jobs/name', 'jobs'],
    ['POST', 'v1.0-alpha2/conversation/name/converse', 'conversation'],
  ])('%s %s', async (method, path, block) => {
    const answer = await send(method, `/${path}`, method === 'GET' ? undefined : {})
    expect(answer.status).toBe(501)
    expect(answer.json).toEqual({
      errorCode: 'ERR_API_UNIMPLEMENTED',
      message: expect.stringContaining(`the ${block} API is not available`),
    })
  })
})

test('without any secret store: 500 ERR_SECRET_STORES_NOT_CONFIGURED', async () => {
  const bare = await startSidecar({ resources: '' })
  for (const name of ['one', 'bulk']) {
    expect(await call(bare.httpPort, 'GET', `/v1.0/secrets/vault/${name}`)).toMatchObject({
      status: 500,
      json: { errorCode: 'ERR_SECRET_STORES_NOT_CONFIGURED' },
    })
  }
  await bare.dispose()
})
