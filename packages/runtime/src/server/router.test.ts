import { expect, test } from 'vitest'
import { Router, type HttpRoute } from './router.ts'

const route = (path: string, methods = ['GET']): HttpRoute => ({ name: path, path, methods, handle() {} })
const router = new Router()
for (const path of [
  'v1.0/state/:store/:key',
  'v1.0/secrets/:store/bulk',
  'v1.0/secrets/:store/:key',
  'v1.0/publish/:pubsub/*',
  'v1.0/healthz',
]) {
  router.add(route(path))
}
router.add(route('v1.0/state/:store', ['POST', 'PUT']))
router.add(route('v1.0/state/:store/bulk', ['POST']))

function find(method: string, path: string): [string, string[]] | undefined {
  const params: string[] = []
  const found = router.find(method, path, params)
  return found === undefined ? undefined : [found.path, params]
}

test.each([
  ['GET', '/v1.0/state/s/k', ['v1.0/state/:store/:key', ['s', 'k']]],
  ['GET', '/v1.0/state/s/bulk', ['v1.0/state/:store/:key', ['s', 'bulk']]],
  ['POST', '/v1.0/state/s/bulk', ['v1.0/state/:store/bulk', ['s']]],
  ['PUT', '/v1.0/state/s', ['v1.0/state/:store', ['s']]],
  ['GET', '/v1.0/secrets/s/bulk', ['v1.0/secrets/:store/bulk', ['s']]],
  ['GET', '/v1.0/secrets/s/x', ['v1.0/secrets/:store/:key', ['s', 'x']]],
  ['GET', '/v1.0/publish/p/a/b/c', ['v1.0/publish/:pubsub/*', ['p', 'a/b/c']]],
  ['GET', '/v1.0/publish/p/a%2Fb', ['v1.0/publish/:pubsub/*', ['p', 'a/b']]],
  ['GET', '/v1.0/state/s/a%2Fb+c%20d', ['v1.0/state/:store/:key', ['s', 'a/b c d']]],
  ['GET', '/v1.0/state/s/100%', ['v1.0/state/:store/:key', ['s', '100%']]],
  ['GET', '/v1.0/healthz', ['v1.0/healthz', []]],
] as const)('%s %s', (method, path, expected) => expect(find(method, path)).toEqual(expected))

test.each([
  ['DELETE', '/v1.0/healthz'],
  ['GET', '/v1.0/state/s'],
  ['GET', '/v1.0'],
  ['GET', '/'],
  ['GET', '/v1.0/state/s/k/more'],
  ['GET', '/v1.0/state//k'],
])('%s %s has no route', (method, path) => expect(find(method, path)).toBeUndefined())

test('two routes for one path are a mistake', () => {
  expect(() => router.add(route('v1.0/healthz'))).toThrow('two routes')
})
