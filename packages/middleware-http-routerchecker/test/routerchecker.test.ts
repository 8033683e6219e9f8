import { createForTest, exchange, middlewareConformance } from '@outrigger/conformance'
import { expect, test } from 'vitest'
import definition from '../src/index.ts'

const rule = '^[A-Za-z0-9/._-]+$'
const create = (pattern = rule) => createForTest(definition, { properties: { rule: pattern } })

middlewareConformance(definition, {
  properties: () => ({ rule }),
  passing: () => ({ target: '/v1.0/invoke/shop/method/a' }),
  refused: { input: () => ({ target: '/v1.0/invoke/shop/method/a b' }), status: 400 },
})

test.each([
  [rule, '/v1.0/invoke/shop.default/method/dapr-1_x', 200],
  [rule, '/v1.0/invoke/$', 400],
  [rule, '/v1.0/a?x=1', 400],
  ['x=1', '/v1.0/a?x=1', 200],
  ['^/a', '/b/a', 400],
  ['(?i)^/A$', '/a', 200],
  ['^/open/', '/open/a', 200],
  ['^/open/', '/open/a%2Fb/%2ehidden', 200],
  ['^/open/', '/open/a/%2e%2e/b', 200],
  ['^/open/', '/open/%2e%2e/secret', 400],
  ['^/open/', '/open/..;/secret', 400],
  ['^/open/', '/open/a%2F..%2f..%2Fsecret', 400],
  ['^/open/', '/open/..%5Csecret', 400],
])('%s and %s: %i', async (pattern, target, status) => {
  const outcome = await exchange(await create(pattern), { target })
  expect(outcome.status).toBe(status)
  if (status === 200) return
  expect([outcome.text, outcome.fields.get('content-type')]).toEqual([
    'invalid router',
    'text/plain; charset=utf-8',
  ])
})

test('no path makes a pattern slow', async () => {
  // A backtracking matcher would not come back from this.
  const instance = await create('^(([a-z])+.)+[A-Z]([a-z])+$')
  expect((await exchange(instance, { target: `/${'a'.repeat(8000)}` })).status).toBe(400)
})

test.each(['(', 'a(?=b)', '\\1'])('%s is no pattern', async (pattern) => {
  await expect(create(pattern)).rejects.toMatchObject({
    code: 'INVALID_METADATA',
    message: expect.stringContaining('rule is not a regular expression of RE2'),
  })
})
