import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { selfSigned } from '../../interop/certificate.ts'
import { App, call, component, endApps, endSidecars, Sidecar, startSidecar } from '../../src/index.ts'
import { overGrpc, overHttp, proxied } from './calls.ts'

const secret = 'sesame-open'
const folder = mkdtempSync(join(tmpdir(), 'endpoints-'))
const certificate = selfSigned(folder)
let api: App
let sidecar: Sidecar
/** What of the requests the secured server has seen. */
let shown: { subject: string; path: string }[] = []
const secured = createServer(
  {
    cert: certificate.cert,
    key: certificate.key,
    ca: certificate.cert,
    requestCert: true,
    rejectUnauthorized: false,
  },
  (request, response) => {
    const peer = (request.socket as TLSSocket).getPeerCertificate()
    shown.push({ subject: String(peer.subject?.CN), path: request.url! })
    response.end('secured')
  },
)

function endpoint(name: string, spec: string, rest = ''): string {
  return `apiVersion: dapr.io/v1alpha1\nkind: HTTPEndpoint\nmetadata: { name: ${name} }\nspec:\n${spec}${rest}`
}

const block = (pem: string): string => JSON.stringify(pem)

beforeAll(async () => {
  api = await App.start({
    'GET /teapot': { status: 418 },
    'GET /flaky': () => ({ status: api.at('/flaky').length < 3 ? 503 : 200, body: 'at last' }),
    'POST /flaky': () => ({ status: api.at('/flaky').length < 3 ? 503 : 200, body: 'at last' }),
    'GET /down': () => ({ status: 503, body: 'no' }),
    'GET /moved': () => ({ status: 302, headers: { location: '/elsewhere', 'set-cookie': 'a=1' }, body: '' }),
    'GET /wire/teapot': () => ({
      status: 418,
      headers: { 'x-kind': 'pot', connection: 'x-hop', 'x-hop': '1' },
      body: 'tea',
    }),
    '*': ({ method, path, query, headers, body }) => ({
      headers: { 'x-answer': 'yes' },
      body: { method, path, query, headers, body: body.toString() },
    }),
  })
  await new Promise<void>((resolve) => secured.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${api.port}`
  const securedUrl = `https://localhost:${(secured.address() as AddressInfo).port}`
  sidecar = await startSidecar({
    appId: 'caller',
    flags: ['--log-level=debug', '--enable-api-logging'],
    env: { REGION: 'eu' },
    resources: {
      'a.yaml': [
        component('vault', 'secretstores.local.file', {
          metadata: { secretsFile: 'resources/secrets.json' },
        }),
        endpoint(
          'api',
          `  baseUrl: ${url}/base/?key=1
  headers:
  - { name: Accept-Language, value: fr }
  - { name: X-Region, envRef: REGION }
  - { name: Authorization, secretKeyRef: { name: token, key: token } }
`,
          'auth: { secretStore: vault }\n',
        ),
        endpoint('plain', `  baseUrl: ${url}\n`),
        endpoint('user', `  baseUrl: http://me:pa%40ss@127.0.0.1:${api.port}\n`),
        endpoint('nobody', '  baseUrl: http://127.0.0.1:1\n'),
        endpoint(
          'mutual',
          `  baseUrl: ${securedUrl}/in\n  clientTLS:\n    rootCA: { value: ${block(certificate.cert)} }\n    certificate: { value: ${block(certificate.cert)} }\n    privateKey: { value: ${block(certificate.key)} }\n    renegotiation: RenegotiateNever\n`,
        ),
        endpoint(
          'server',
          `  baseUrl: ${securedUrl}\n  clientTLS:\n    rootCA: { value: ${block(certificate.cert)} }\n`,
        ),
        endpoint('distrusted', `  baseUrl: ${securedUrl}\n`),
        endpoint('scoped', `  baseUrl: ${url}\n`, 'scopes: [other]\n'),
        `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: policies }
spec:
  policies:
    retries:
      few: { policy: constant, duration: 10ms, maxRetries: 3 }
    circuitBreakers:
      strict: { maxRequests: 1, timeout: 60s, trip: consecutiveFailures >= 2 }
  targets:
    apps:
      plain: { retry: few }
      "${url}": { retry: few }
      nobody: { circuitBreaker: strict }
`,
      ].join('---\n'),
      'secrets.json': JSON.stringify({ token: `Bearer ${secret}` }),
    },
  })
}, 60_000)
beforeEach(() => {
  api.requests.splice(0)
  shown = []
})
afterEach(() => {
  expect(sidecar.log.join('\n')).not.toContain(secret)
})
afterAll(async () => {
  await endSidecars()
  await endApps()
  secured.closeAllConnections()
  secured.close()
  rmSync(folder, { recursive: true })
})

interface Seen {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}
const seen = (text: string): Seen => JSON.parse(text) as Seen

describe('an HTTPEndpoint by its name', () => {
  it('is called below its URL, with its query and its header fields', async () => {
    const answer = await overHttp(sidecar, 'api', 'v1/orders', {
      verb: 'PATCH',
      body: 'data',
      query: 'x=%201',
      contentType: 'text/x',
      headers: { 'accept-language': 'de', 'x-mine': 'yes', authorization: 'Basic mine' },
    })
    expect(answer).toMatchObject({ status: 200, headers: { 'x-answer': 'yes' } })
    const { headers, ...rest } = seen(answer.text)
    expect(rest).toEqual({ method: 'PATCH', path: '/base/v1/orders', query: 'x=%201&key=1', body: 'data' })
    expect(headers).toMatchObject({
      'accept-language': 'fr',
      'x-region': 'eu',
      authorization: `Bearer ${secret}`,
      'x-mine': 'yes',
      'content-type': 'text/x',
      host: `127.0.0.1:${api.port}`,
    })
  })

  it('hears nothing that is for sidecars, or for one connection', async () => {
    const headers = {
      'dapr-api-token': 'secret',
      'dapr-caller-app-id': 'forged',
      connection: 'x-hop',
      'x-hop': '1',
      te: 'trailers',
      'proxy-authorization': 'Basic x',
    }
    const { text } = await overHttp(sidecar, 'api', 'x', { headers })
    const names = Object.keys(seen(text).headers)
    for (const name of ['x-hop', 'te', 'proxy-authorization', 'dapr-app-id'])
      expect(names).not.toContain(name)
    expect(names.filter((name) => name.startsWith('dapr-'))).toEqual([])
  })

  it('answers as it likes', async () => {
    const answer = await overHttp(sidecar, 'plain', 'wire/teapot')
    expect(answer).toMatchObject({ status: 418, text: 'tea', headers: { 'x-kind': 'pot' } })
    expect(answer.headers).not.toHaveProperty('x-hop')
    expect(await overHttp(sidecar, 'plain', 'moved')).toMatchObject({
      status: 302,
      headers: { location: '/elsewhere', 'set-cookie': ['a=1'] },
    })
    expect(await overHttp(sidecar, 'plain', 'anything', { verb: 'HEAD' })).toMatchObject({
      status: 200,
      text: '',
    })
  })

  it('gets the credentials of its URL', async () => {
    const { text } = await overHttp(sidecar, 'user', 'x')
    expect(seen(text).headers).toMatchObject({
      authorization: `Basic ${Buffer.from('me:pa@ss').toString('base64')}`,
    })
  })

  it('can be named by a header field, and as the user of the URL', async () => {
    const byField = await call(sidecar.httpPort, 'GET', '/x?y=1', undefined, { 'dapr-app-id': 'api' })
    expect(seen(byField.text)).toMatchObject({ path: '/base/x', query: 'y=1&key=1' })
    const authorization = `Basic ${Buffer.from('dapr-app-id:plain').toString('base64')}`
    const byUser = await call(sidecar.httpPort, 'GET', '/x', undefined, { authorization })
    expect(seen(byUser.text).path).toBe('/x')
    expect(seen(byUser.text).headers).not.toHaveProperty('authorization')
  })

  it('that is for other applications is not there', async () => {
    expect(await overHttp(sidecar, 'scoped', 'x')).toMatchObject({ status: 500 })
  })
})

describe('TLS of an HTTPEndpoint', () => {
  it('shows its certificate', async () => {
    expect(await overHttp(sidecar, 'mutual', 'x')).toMatchObject({ status: 200, text: 'secured' })
    expect(shown).toEqual([{ subject: 'localhost', path: '/in/x' }])
  })

  it('trusts its root, without a certificate of its own', async () => {
    expect(await overHttp(sidecar, 'server', 'x')).toMatchObject({ status: 200 })
    expect(shown).toEqual([{ subject: 'undefined', path: '/x' }])
  })

  it('trusts nobody whom no root vouches for', async () => {
    const { status, text } = await overHttp(sidecar, 'distrusted', 'x')
    expect([status, text]).toEqual([500, expect.stringMatching(/ERR_DIRECT_INVOKE.*self-signed certificate/)])
    expect(shown).toEqual([])
  })
})

describe('a URL', () => {
  const origin = (): string => `http://127.0.0.1:${api.port}`

  it.each([
    ['as it is', (url: string) => `/v1.0/invoke/${url}/method/a/b?x=1`, {}],
    ['escaped', (url: string) => `/v1.0/invoke/${encodeURIComponent(url)}/method/a/b?x=1`, {}],
    ['in a header field', () => '/a/b?x=1', { 'dapr-app-id': true }],
    ['as the user of another', () => '/a/b?x=1', { authorization: true }],
  ])('can be called %s', async (_, path, fields) => {
    const headers: Record<string, string> = {}
    if ('dapr-app-id' in fields) headers['dapr-app-id'] = origin()
    if ('authorization' in fields)
      headers['authorization'] = `Basic ${Buffer.from(`dapr-app-id:${origin()}`).toString('base64')}`
    const { status, text } = await call(sidecar.httpPort, 'PUT', path(origin()), 'data', headers)
    expect([status, seen(text)]).toMatchObject([
      200,
      { method: 'PUT', path: '/a/b', query: 'x=1', body: 'data' },
    ])
  })

  it('may have a path and a query', async () => {
    const url = encodeURIComponent(`${origin()}/base?key=1`)
    const { text } = await call(sidecar.httpPort, 'GET', `/v1.0/invoke/${url}/method/a`)
    expect(seen(text)).toMatchObject({ path: '/base/a', query: 'key=1' })
  })

  it.each(['http://', 'https://%zz', 'http://[', 'ftp://example.com'])('%s is none', async (url) => {
    const { status, text } = await call(sidecar.httpPort, 'GET', '/x', undefined, { 'dapr-app-id': url })
    expect([status, text]).toEqual([500, expect.stringContaining('ERR_DIRECT_INVOKE')])
  })
})

describe('policies', () => {
  it('of the name of an endpoint repeat what failed', async () => {
    expect(await overHttp(sidecar, 'plain', 'flaky')).toMatchObject({ status: 200, text: 'at last' })
    expect(api.at('/flaky')).toHaveLength(3)
  })

  it('repeat the body as well', async () => {
    expect(await overHttp(sidecar, 'plain', 'flaky', { verb: 'POST', body: 'data' })).toMatchObject({
      status: 200,
    })
    expect(api.at('/flaky').map(({ body }) => body.toString())).toEqual(['data', 'data', 'data'])
  })

  it('pass the last answer on when they end', async () => {
    expect(await overHttp(sidecar, 'plain', 'down')).toMatchObject({ status: 503, text: 'no' })
    expect(api.at('/down')).toHaveLength(4)
  })

  it('of a URL count for it', async () => {
    const path = `/v1.0/invoke/http://127.0.0.1:${api.port}/method/flaky`
    expect(await call(sidecar.httpPort, 'GET', path)).toMatchObject({ status: 200 })
    expect(api.at('/flaky')).toHaveLength(3)
  })

  it('that name nobody leave a failing answer as it is', async () => {
    expect(await overHttp(sidecar, 'user', 'down')).toMatchObject({ status: 503 })
    expect(api.at('/down')).toHaveLength(1)
  })

  it('leave an endpoint alone that is not there', async () => {
    const ask = async (): Promise<string> => (await overHttp(sidecar, 'nobody', 'x')).text
    expect(await ask()).toMatch(/ERR_DIRECT_INVOKE.*nobody/)
    await ask()
    expect(await ask()).toContain('circuit breaker')
  })
})

describe('over gRPC', () => {
  it('InvokeService calls an HTTPEndpoint', async () => {
    const answer = await overGrpc(sidecar, 'api', 'v1/x', {
      verb: 'POST',
      body: 'data',
      query: 'x=1',
      contentType: 'text/x',
      headers: { 'x-mine': 'yes' },
    })
    expect(answer).toMatchObject({ status: 0, headers: { 'dapr-http-status': '200', 'x-answer': 'yes' } })
    expect(seen(answer.text)).toMatchObject({
      method: 'POST',
      path: '/base/v1/x',
      query: 'x=1&key=1',
      body: 'data',
      headers: { authorization: `Bearer ${secret}`, 'x-mine': 'yes', 'content-type': 'text/x' },
    })
  })

  it('a status of HTTP is one of gRPC', async () => {
    const { status, headers } = await overGrpc(sidecar, 'user', 'down')
    expect([status, headers['dapr-http-status']]).toEqual([14, '503'])
  })

  it('methods of other services cannot go to an HTTPEndpoint', async () => {
    expect(await proxied(sidecar, 'api')).toMatchObject({
      status: 9,
      text: expect.stringContaining('it is an HTTP endpoint') as string,
    })
  })
})

describe('the resources', () => {
  it('are listed in the metadata', async () => {
    const { json } = await call(sidecar.httpPort, 'GET', '/v1.0/metadata')
    const names = ['api', 'plain', 'user', 'nobody', 'mutual', 'server', 'distrusted']
    expect((json as { httpEndpoints: object[] }).httpEndpoints).toEqual(names.map((name) => ({ name })))
  })

  it('stop the start when they cannot work, each mistake with file, line and field', async () => {
    const wrong = await Sidecar.launch({
      appId: 'wrong',
      resources: {
        'one.yaml': endpoint(
          'one',
          '  baseUrl: http://x\n  headers:\n  - { name: A, secretKeyRef: { name: s } }\n',
          'auth: { secretStore: vault }\n',
        ),
        'two.yaml': endpoint('two', '  baseUrl: http://x\n  clientTLS:\n    rootCA: { value: nonsense }\n'),
      },
    })
    expect(await wrong.child.ended()).toBe(1)
    expect(wrong.child.output).toMatch(
      /one\.yaml:7: HTTPEndpoint \\?"one\\?": spec\.headers\.A needs the secret \\?"s\\?", and the secret store \\?"vault\\?" is not among the resources/,
    )
    expect(wrong.child.output).toMatch(
      /two\.yaml:7: HTTPEndpoint \\?"two\\?": spec\.clientTLS\.rootCA is no certificate in PEM/,
    )
  })
})
