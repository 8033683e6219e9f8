import { isWireError } from '@outrigger/wire'
import { onTestFinished, test, expect } from 'vitest'
import { HttpEndpoints } from './endpoints.ts'

/** Nobody listens there: what gets so far was not refused. */
const nobody = 'http://127.0.0.1:1'

function endpoint(baseUrl: string) {
  const endpoints = new HttpEndpoints([
    { name: 'api', baseUrl, headers: ['authorization', 'secret'], tls: undefined },
  ])
  onTestFinished(() => endpoints.close())
  return endpoints.find('api')!
}

test.each([
  '/../admin',
  '/a/../../admin',
  '/%2e%2e/admin',
  '/.%2E/admin',
  '/..\\admin',
  '/a/..%2f../..',
  '/../public2/a',
  '/..',
])('%s leads out of the base of an endpoint, whose headers are for what is below it', async (path) => {
  await expect(endpoint(`${nobody}/public`).call({ method: 'GET', path })).rejects.toThrow(
    'leads out of its baseUrl',
  )
})

test.each(['/', '/a/../b', '/a?x=../..', '/a..b', '/%2ehidden', '/../public/a'])(
  '%s stays below it',
  async (path) => {
    await expect(endpoint(`${nobody}/public`).call({ method: 'GET', path })).rejects.toSatisfy((error) =>
      isWireError(error, 'CONNECT'),
    )
  },
)

test('without a path in the base there is nothing to lead out of', async () => {
  await expect(endpoint(nobody).call({ method: 'GET', path: '/../admin' })).rejects.toSatisfy((error) =>
    isWireError(error, 'CONNECT'),
  )
})
