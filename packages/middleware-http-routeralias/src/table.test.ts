import { expect, test } from 'vitest'
import { readRoutes } from './routes.ts'
import { findRoute, routeTable } from './table.ts'

const tableOf = (routes: Readonly<Record<string, string>>) =>
  routeTable(readRoutes(JSON.stringify(routes), {}))
const look = (routes: Readonly<Record<string, string>>, path: string) => {
  const found = findRoute(tableOf(routes), path)
  return found && [found.target, Object.fromEntries(found.parameters)]
}

test.each([
  ['/a', '/a', {}],
  ['/a', '/b', undefined],
  ['/a', '/a/', undefined],
  ['/a b', '/a%20b', {}],
  ['/a/{id}', '/a/1', { id: '1' }],
  ['/a/{id}', '/a/', undefined],
  ['/a/{id}', '/a/1/2', undefined],
  ['/a/{id}', '/a/x%2Fy%20z', { id: 'x/y z' }],
  ['/a/{id}', '/a/%zz', { id: '%zz' }],
  ['/a/{id}/b/{x}', '/a/1/b/2', { id: '1', x: '2' }],
  ['/a/{id}/b', '/a/1/c', undefined],
  ['/v{v}.json', '/v1.2.json', { v: '1.2' }],
  ['/v{v}.json', '/v.json', undefined],
  ['/{a}-{b}-{c}', '/1-2-3-4', { a: '1-2', b: '3', c: '4' }],
  ['/{a}-{b}', '/-1', undefined],
  ['/{a}-{b}', '/1-', undefined],
  ['/{a}-{b}', '/1--', { a: '1', b: '-' }],
  ['/x{a}-{b}', '/x-1', undefined],
  ['/{id:[0-9]+}', '/12', { id: '12' }],
  ['/{id:[0-9]+}', '/12a', undefined],
  ['/{id:[0-9]{2}}', '/12', { id: '12' }],
  ['/{t:a:b}', '/a:b', { t: 'a:b' }],
])('%s and %s', (from, path, parameters) => {
  expect(look({ [from]: '/t' }, path)).toEqual(parameters && ['/t', parameters])
})

test('fixed routes come first, the others in their order', () => {
  const routes = { '/a/{x}': '/first', '/a/{y}': '/second', '/a/b': '/fixed' }
  expect(look(routes, '/a/b')).toEqual(['/fixed', {}])
  expect(look(routes, '/a/c')).toEqual(['/first', { x: 'c' }])
})

test('a long path is looked at once, not in every way', () => {
  // Whoever tries every way does not come back within the time of a test.
  expect(look({ '/{a}-{b}-{c}-{d}-{e}x': '/t' }, `/${'-'.repeat(8000)}`)).toBeUndefined()
})

test('YAML, and routes as items of their own', () => {
  expect([...readRoutes('/a: /b\n"/c/{d}": /e\n', {})]).toEqual([
    ['/a', '/b'],
    ['/c/{d}', '/e'],
  ])
  expect([...readRoutes(undefined, { '/a': '/b', other: 'x' })]).toEqual([['/a', '/b']])
  expect(readRoutes('', {}).size).toBe(0)
})

test.each([
  ['{', 'neither JSON nor YAML'],
  ['[a]', 'must be a map'],
  ['a: /b', 'the route "a" must begin with a slash'],
  ['/a: b', 'the route "/a" must lead to a path'],
  ['/a: 1', 'the route "/a" must lead to a path'],
  ['/a: /b?c', 'without query'],
  ['"/{a": /b', 'has a { without its }'],
  ['"/a}": /b', 'has a } without its {'],
  ['"/{}": /b', 'has a parameter without a name'],
  ['"/{a}{b}": /b', 'two parameters with nothing between'],
  ['"/{a}/{a}": /b', 'has the parameter a twice'],
  ['"/{a:(}": /b', 'has the pattern "("'],
])('%s: %s', (text, message) => {
  const read = () => routeTable(readRoutes(text, {}))
  expect(read).toThrow(message)
  expect(read).toThrow(expect.objectContaining({ code: 'INVALID_METADATA' }))
})
