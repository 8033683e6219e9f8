import { writeFile } from 'node:fs/promises'
import { tempFolder } from '@outrigger/testkit'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { App, call, component, endApps, endSidecars } from '../../src/index.ts'
import { sidecarBehind } from './setup.ts'

afterEach(async () => {
  await endSidecars()
  await endApps()
})

test('a policy decides, and tells the application what it knows', async () => {
  const app = await App.start({ '*': ({ headers }) => ({ body: String(headers['x-user']) }) })
  const rego = `package http
default allow = {"status_code": 403, "additional_headers": {"x-reason": "no token"}}
allow = {"allow": true, "additional_headers": {"x-user": claims.sub}} { claims.role == "admin" }
claims = c { [_, c, _] := io.jwt.decode(input.request.headers["X-Jwt"]) }`
  const sidecar = await sidecarBehind(
    { policy: 'opa' },
    {},
    {
      appId: 'shop',
      appPort: app.port,
      resources: component('policy', 'middleware.http.opa', { metadata: { rego, includedHeaders: 'x-jwt' } }),
    },
  )
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const token = (role: string) => `${encoded({ alg: 'none' })}.${encoded({ sub: 'ada', role })}.`
  const path = '/v1.0/invoke/shop/method/orders'
  const refused = await call(sidecar.httpPort, 'GET', path, undefined, { 'x-jwt': token('guest') })
  expect([refused.status, refused.text, refused.headers['x-reason']]).toEqual([403, 'Forbidden', 'no token'])
  const allowed = await call(sidecar.httpPort, 'GET', path, undefined, {
    'x-jwt': token('admin'),
    'x-user': 'forged',
  })
  expect([allowed.status, allowed.text]).toEqual([200, 'ada'])
})

test('rules of Sentinel hold back what is too much', async () => {
  const app = await App.start({ '*': () => ({ body: 'ok' }) })
  const rules = [{ resource: 'GET:/v1.0/invoke/shop/method/once', threshold: 1, statIntervalInMs: 600_000 }]
  const sidecar = await sidecarBehind(
    { guard: 'sentinel' },
    {},
    {
      appId: 'shop',
      appPort: app.port,
      resources: component('guard', 'middleware.http.sentinel', {
        metadata: { appName: 'shop', flowRules: JSON.stringify(rules) },
      }),
    },
  )
  const status = async (method: string) =>
    (await call(sidecar.httpPort, 'GET', `/v1.0/invoke/shop/method/${method}`)).status
  expect([await status('once'), await status('once'), await status('other')]).toEqual([200, 429, 200])
})

test('a module of WebAssembly changes where requests go', async () => {
  const folder = await tempFolder('outrigger-e2e-')
  onTestFinished(folder.remove)
  await writeFile(`${folder.path}/guest.wasm`, Buffer.from(toHealth, 'base64'))
  const sidecar = await sidecarBehind(
    { router: 'wasm' },
    {},
    {
      resources: component('router', 'middleware.http.wasm', {
        metadata: { url: `file://${folder.path}/guest.wasm` },
      }),
    },
  )
  expect((await call(sidecar.httpPort, 'GET', '/anything')).status).toBe(204)
})

/**
 * A module that sends every request to `/v1.0/healthz`: `set_uri` of the 13 bytes at 0, and 1, in `handle_request`;
 * nothing in `handle_response`.
 */
const toHealth =
  'AGFzbQEAAAABCgJgAn9/AGAAAX4CGAEMaHR0cF9oYW5kbGVyB3NldF91cmkAAAMDAgEABQMBAAEHLQMGbWVtb3J5AgAOaGFu' +
  'ZGxlX3JlcXVlc3QAAQ9oYW5kbGVfcmVzcG9uc2UAAgoPAgoAQQBBDRAAQgELAgALCxMBAEEACw0vdjEuMC9oZWFsdGh6' +
  ''
