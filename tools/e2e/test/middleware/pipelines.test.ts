import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startOidcProvider } from '@outrigger/services'
import { waitFor } from '@outrigger/testkit'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { App, call, component, endApps, endSidecars, Sidecar, subscription } from '../../src/index.ts'
import { configuration, sidecarBehind } from './setup.ts'

afterEach(async () => {
  await endSidecars()
  await endApps()
})

const alias = component('alias', 'middleware.http.routeralias', {
  metadata: { routes: '{"/orders/{id}": "/v1.0/invoke/shop/method/order"}' },
})
const check = component('check', 'middleware.http.routerchecker', { metadata: { rule: '^/v1\\.0/' } })
const capitals = component('capitals', 'middleware.http.uppercase', { metadata: { direction: 'both' } })

describe('the pipeline before the API', () => {
  test('runs in its order: who gives a path another name, and who looks at it', async () => {
    const app = await App.start({ '*': ({ path, query }) => ({ body: `${path}?${query}` }) })
    const options = { appId: 'shop', appPort: app.port, resources: [alias, check] }
    const named = await sidecarBehind({ alias: 'routeralias', check: 'routerchecker' }, {}, options)
    const first = await call(named.httpPort, 'GET', '/orders/7?x=1')
    expect([first.status, first.text]).toEqual([200, '/order?x=1&id=7'])
    const other = await call(named.httpPort, 'GET', '/other')
    expect([other.status, other.text, other.headers['content-type']]).toEqual([
      400,
      'invalid router',
      'text/plain; charset=utf-8',
    ])
    const looked = await sidecarBehind({ check: 'routerchecker', alias: 'routeralias' }, {}, options)
    expect((await call(looked.httpPort, 'GET', '/orders/7')).status).toBe(400)
    expect(app.requests.filter(({ path }) => path === '/order')).toHaveLength(1)
  })

  test('stands before every block, and its answers carry what it adds', async () => {
    const sidecar = await sidecarBehind(
      { limit: 'ratelimit', capitals: 'uppercase' },
      {},
      {
        resources: [
          component('limit', 'middleware.http.ratelimit', { metadata: { maxRequestsPerSecond: 0.001 } }),
          capitals,
          component('store', 'state.in-memory'),
        ],
      },
    )
    // The body is JSON whose names are capital letters then, which are the same names.
    const saved = await call(sidecar.httpPort, 'POST', '/v1.0/state/store', [{ key: 'a', value: 1 }], {
      'x-forwarded-for': '10.0.0.1',
    })
    expect([saved.status, saved.headers['x-rate-limit-limit'], saved.headers['ratelimit-remaining']]).toEqual(
      [204, '0.00', '0'],
    )
    const refused = await call(sidecar.httpPort, 'GET', '/v1.0/state/store/a', undefined, {
      'x-forwarded-for': '10.0.0.1',
    })
    expect([refused.status, refused.text, refused.headers['retry-after']]).toEqual([
      429,
      'You have reached maximum request limit.',
      expect.stringMatching(/^\d+$/),
    ])
    const another = await call(sidecar.httpPort, 'GET', '/v1.0/healthz', undefined, {
      'x-forwarded-for': '10.0.0.2',
    })
    expect(another.status).toBe(204)
  })

  test('asks for a token of a real provider, after the token of the API', async () => {
    const provider = await startOidcProvider([
      {
        client_id: 'c',
        client_secret: 's',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ])
    onTestFinished(() => provider.stop())
    const sidecar = await sidecarBehind(
      { tokens: 'bearer' },
      {},
      {
        resources: [
          component('tokens', 'middleware.http.bearer', {
            metadata: { issuer: provider.issuer, audience: 'https://api.test' },
          }),
        ],
        env: { DAPR_API_TOKEN: 'let-me-in' },
      },
    )
    const body = new URLSearchParams({ grant_type: 'client_credentials' })
    const authorization = `Basic ${btoa('c:s')}`
    const given = await fetch(`${provider.issuer}/token`, {
      method: 'POST',
      body,
      headers: { authorization },
    })
    const { access_token: token } = (await given.json()) as { access_token: string }
    const ask = async (headers: Record<string, string>) =>
      (await call(sidecar.httpPort, 'GET', '/v1.0/metadata', undefined, headers)).status
    const own = { authorization: `Bearer ${token}` }
    expect(await ask({ 'dapr-api-token': 'let-me-in', ...own })).toBe(200)
    expect(await ask({ 'dapr-api-token': 'let-me-in' })).toBe(401)
    expect(await ask(own)).toBe(401)
    expect(await ask({ 'dapr-api-token': 'let-me-in', authorization: `${own.authorization}x` })).toBe(401)
  })
})

describe('the pipeline before the application', () => {
  test('changes calls and deliveries, and what comes back', async () => {
    const app = await App.start({ 'POST /orders': () => ({ body: {} }), '*': ({ body }) => ({ body }) })
    const sidecar = await sidecarBehind(
      {},
      { capitals: 'uppercase' },
      {
        appId: 'shop',
        appPort: app.port,
        resources: [
          component('capitals', 'middleware.http.uppercase'),
          component('pubsub', 'pubsub.in-memory'),
          subscription('orders', { pubsub: 'pubsub', topic: 'orders', route: '/orders' }),
        ],
      },
    )
    const echoed = await call(sidecar.httpPort, 'POST', '/v1.0/invoke/shop/method/echo', 'straße')
    expect([echoed.status, echoed.text]).toEqual([200, 'STRAßE'])
    await waitFor(async () => (await call(sidecar.httpPort, 'GET', '/v1.0/healthz')).status === 204)
    await call(sidecar.httpPort, 'POST', '/v1.0/publish/pubsub/orders', { id: 'a' })
    const [delivered] = await app.received('/orders')
    expect(delivered!.body.toString()).toContain('"DATA":{"ID":"A"}')
  })

  test('shows the application who calls', async () => {
    const provider = await startOidcProvider([
      {
        client_id: 'c',
        client_secret: 's',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ])
    onTestFinished(() => provider.stop())
    const app = await App.start({ '*': ({ headers }) => ({ body: String(headers.authorization) }) })
    const sidecar = await sidecarBehind(
      {},
      { own: 'oauth2clientcredentials' },
      {
        appId: 'shop',
        appPort: app.port,
        resources: component('own', 'middleware.http.oauth2clientcredentials', {
          metadata: {
            clientID: 'c',
            clientSecret: 's',
            scopes: 'read',
            tokenURL: `${provider.issuer}/token`,
            headerName: 'authorization',
          },
        }),
      },
    )
    const answer = await call(sidecar.httpPort, 'GET', '/v1.0/invoke/shop/method/who')
    expect(answer.text).toMatch(/^Bearer [\w-]+\.[\w-]+\.[\w-]+$/)
    provider.broken = 500
    // The token is kept.
    expect((await call(sidecar.httpPort, 'GET', '/v1.0/invoke/shop/method/who')).text).toBe(answer.text)
  })
})

test('bodies stream through both, in both directions, without being held', async () => {
  const server = createServer((request, response) => {
    response.flushHeaders()
    request.pipe(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const sidecar = await sidecarBehind(
    { capitals: 'uppercase' },
    { capitals: 'uppercase' },
    {
      appId: 'shop',
      appPort: (server.address() as AddressInfo).port,
      resources: capitals,
      flags: ['--max-body-size=64Mi'],
    },
  )
  const url = `${sidecar.url}/v1.0/invoke/shop/method/echo`
  const outgoing = httpRequest(url, { method: 'POST' })
  outgoing.write('one ')
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await waitFor(() => text === 'ONE ', { what: 'the first chunk, before the second is sent' })
  outgoing.write('two')
  await waitFor(() => text === 'ONE TWO', { what: 'the second chunk' })
  outgoing.end()
  await once(response, 'end')

  const large = Buffer.alloc(48 * 1024 * 1024, 'a')
  const answer = await fetch(url, { method: 'POST', body: large })
  let length = 0
  for await (const chunk of answer.body!) {
    length += chunk.length
    if (chunk[0] !== 65 || chunk.at(-1) !== 65) expect.unreachable()
  }
  expect(length).toBe(large.length)
})

test('a caller that goes away ends the call of the application', async () => {
  const gone = Promise.withResolvers<void>()
  const server = createServer((request, response) => {
    response.on('close', () => gone.resolve())
    response.write('some')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const sidecar = await sidecarBehind(
    { capitals: 'uppercase' },
    { capitals: 'uppercase' },
    {
      appId: 'shop',
      appPort: (server.address() as AddressInfo).port,
      resources: capitals,
    },
  )
  const outgoing = httpRequest(`${sidecar.url}/v1.0/invoke/shop/method/endless`)
  outgoing.on('error', () => {}).end()
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  response.on('error', () => {})
  outgoing.destroy()
  await gone.promise
})

test('a handler without its component keeps the sidecar from starting', async () => {
  const config = await configuration({ capital: 'uppercase' })
  const sidecar = await Sidecar.launch({ resources: capitals, flags: [`--config=${config}`] })
  await sidecar.child.waitUntil(() => !sidecar.child.running, 'the sidecar to end')
  expect(sidecar.log.join('\n')).toContain(
    `${config}:8: Configuration \\"pipelines\\": spec.httpPipeline.handlers[0] names the component \\"capital\\", which was not loaded (did you mean capitals?)`,
  )
})
