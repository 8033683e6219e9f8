import { expect, test } from 'vitest'
import { invokeWith, type InvokeOptions, type InvokeRequest } from './invoke.ts'

async function requestOf(path: string, options?: InvokeOptions): Promise<InvokeRequest> {
  let request: InvokeRequest | undefined
  const invoke = invokeWith({
    async invoke(made) {
      request = made
      return new Response()
    },
  })
  await invoke('shop', path, options)
  return request!
}

test('a request is made of path, query, headers and body', async () => {
  expect(await requestOf('orders/1')).toMatchObject({
    method: 'GET',
    path: '/orders/1',
    fields: [],
    body: undefined,
  })
  expect(await requestOf('/a?b=1', { query: { c: 'x y' }, json: [1], method: 'put' })).toMatchObject({
    method: 'PUT',
    path: '/a?b=1&c=x+y',
    fields: ['content-type', 'application/json'],
    body: '[1]',
  })
  expect(await requestOf('a', { body: 'x', headers: { 'Content-Type': 'text/x' } })).toMatchObject({
    method: 'POST',
    fields: ['Content-Type', 'text/x'],
    body: 'x',
  })
  expect((await requestOf('a', { json: 1, headers: { 'Content-Type': 'text/x' } })).fields).toEqual([
    'Content-Type',
    'text/x',
  ])
})

test.each([
  '..',
  '../x',
  'a/../../secrets',
  'a/%2e%2E/b',
  '/./a',
  'a\\..\\b',
  'a b',
  'ä',
  'a#b',
  'a\r\nx: y',
])('the path %j is refused', async (path) => {
  await expect(requestOf(path)).rejects.toMatchObject({ errorCode: 'ERR_CLIENT_ARGUMENT' })
})

test('a query may hold what a path may not', async () => {
  expect((await requestOf('a?x=../..')).path).toBe('/a?x=../..')
})

test('a request has one body', async () => {
  await expect(requestOf('a', { json: 1, body: 'x' })).rejects.toMatchObject({
    errorCode: 'ERR_CLIENT_ARGUMENT',
  })
})
