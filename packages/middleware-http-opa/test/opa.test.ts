import { createForTest, exchange, middlewareConformance, type MiddlewareInput } from '@outrigger/conformance'
import { recordingLogger } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import definition from '../src/index.ts'

const byPath = `
package http
default allow = true
allow = { "status_code": 403 } { input.request.path_parts[0] = "forbidden" }`

middlewareConformance(definition, {
  properties: () => ({ rego: byPath }),
  refused: { input: () => ({ target: '/forbidden' }), status: 403 },
})
middlewareConformance(definition, {
  properties: () => ({ rego: byPath, readBody: 'true' }),
  refused: { input: () => ({ target: '/forbidden' }), status: 403 },
  buffers: ['request'],
})

async function ask(rego: string, input: MiddlewareInput = {}, more: Record<string, string> = {}) {
  const logger = recordingLogger()
  const instance = await createForTest(definition, { properties: { rego, ...more }, logger })
  const outcome = await exchange(instance, input)
  return Object.assign(outcome, { logger })
}

test.each([
  ['package http\nallow = true', {}, 200],
  ['package http\nallow = false', {}, 403],
  ['package http\nallow = false', { defaultStatus: '500' }, 500],
  ['package http\nallow = { "allow": false, "status_code": 301 }', { defaultStatus: '500' }, 301],
  ['package http\nallow = { "allow": true, "status_code": 301 }', {}, 200],
  ['package http\nallow = {}', {}, 403],
])('%s is answered with %i', async (rego, more, status) => {
  const outcome = await ask(rego, {}, more as Record<string, string>)
  expect([outcome.status, outcome.passed !== undefined]).toEqual([status, status === 200])
  expect(outcome.fields.has('x-dapr-opa-error')).toBe(false)
})

test('fields go to the answer of who is refused, and to the request of who is not', async () => {
  const rego = (allow: boolean) =>
    `package http\nallow = {"allow": ${allow}, "status_code": 302, "additional_headers": {"Location": "/login", "x-a": "b"}}`
  const refused = await ask(rego(false))
  expect([refused.status, refused.text, refused.fields.get('location'), refused.fields.get('x-a')]).toEqual([
    302,
    'Found',
    '/login',
    'b',
  ])
  const allowed = await ask(rego(true), { fields: { 'x-a': 'own' } })
  expect([allowed.status, allowed.passed?.fields.get('x-a')]).toEqual([200, 'b'])
  expect(allowed.fields.has('x-a')).toBe(false)
})

test('a policy sees method, path, query, and the fields and the body that it is shown', async () => {
  const rego = `package http
default allow = false
allow {
  r := input.request
  r.method == "POST"
  r.path == "/a b/c"
  r.path_parts == ["a b", "c"]
  r.raw_query == "x=1&x=2&y=%20"
  r.query == {"x": ["1", "2"], "y": [" "]}
  r.headers == {"X-My-Header": "1, 2"}
  r.scheme == ""
  r.body == input.expected with input.expected as "BODY"
}`.replace(' == input.expected with input.expected as "BODY"', ' == ""')
  const input: MiddlewareInput = {
    method: 'POST',
    target: '/a%20b/c?x=1&x=2&y=%20',
    fields: [
      ['x-my-header', '1'],
      ['x-my-header', '2'],
      ['x-other', '3'],
    ],
    body: 'text',
  }
  expect((await ask(rego, input, { includedHeaders: 'x-my-header, x-not-there' })).status).toBe(200)
  expect((await ask(rego, input)).status).toBe(403)
  const withBody = rego.replace('r.body == ""', 'r.body == "text"')
  const read = await ask(withBody, input, { includedHeaders: 'X-My-Header', readBody: 'true' })
  expect([read.status, read.passed?.text]).toEqual([200, 'text'])
})

test.each([
  ['package http\nallow = 1', 'must be a boolean or an object'],
  ['package http.authz\nallow = true', 'has no value'],
  ['package http\nallow { input.missing }', 'has no value'],
  ['package http\nallow = {"allow": "yes"}', 'allow must be a boolean'],
  ['package http\nallow = {"allow": false, "status_code": 99}', 'status_code must be a status'],
  [
    'package http\nallow = {"allow": true, "additional_headers": {"a\\nb": "c"}}',
    'additional_headers must hold',
  ],
  [
    'package http\nallow = {"allow": true, "additional_headers": {"a": "b\\nc: d"}}',
    'additional_headers must hold',
  ],
  ['package http\nallow = true\nallow = false', 'two values at once'],
])('%s lets nothing through, and says so', async (rego, problem) => {
  const outcome = await ask(rego)
  expect([outcome.status, outcome.fields.get('x-dapr-opa-error'), outcome.passed]).toEqual([
    403,
    'true',
    undefined,
  ])
  expect(outcome.logger.records).toMatchObject([
    { level: 'warn', fields: { problem: expect.stringContaining(problem) } },
  ])
})

test.each([
  [{ rego: '' }, 'rego'],
  [{ rego: 'allow = true' }, 'rego cannot be used: line 1, column 1: package was expected'],
  [{ rego: 'package http\nallow { http.send({}) }' }, 'the function http.send is not there'],
  [{ rego: 'package http', defaultStatus: '99' }, 'defaultStatus'],
])('%j cannot be used', async (properties, message) => {
  await expect(createForTest(definition, { properties })).rejects.toThrow(message)
})
