import { describe, expect, test } from 'vitest'
import { grpcSettings, httpSettings } from './settings.ts'

const http = (env: Record<string, string>, httpEndpoint?: string) => httpSettings({ env, httpEndpoint })
const grpc = (env: Record<string, string>, grpcEndpoint?: string) => grpcSettings({ env, grpcEndpoint })

describe('where the HTTP API is', () => {
  test.each([
    [{}, undefined, 'http://127.0.0.1:3500', ''],
    [{ DAPR_HTTP_PORT: '3601' }, undefined, 'http://127.0.0.1:3601', ''],
    [
      { DAPR_HTTP_PORT: '3601', DAPR_HTTP_ENDPOINT: 'https://dapr.example/x/' },
      undefined,
      'https://dapr.example',
      '/x',
    ],
    [{ DAPR_HTTP_ENDPOINT: 'https://dapr.example' }, 'http://[::1]:80', 'http://[::1]', ''],
    [{}, 'unix:/run/dapr.sock', 'unix:/run/dapr.sock', ''],
  ])('%o %s', (env, endpoint, origin, basePath) => {
    expect(http(env as Record<string, string>, endpoint)).toMatchObject({ origin, basePath })
  })

  test.each([
    [{ DAPR_HTTP_PORT: '0' }, undefined, 'DAPR_HTTP_PORT is "0"'],
    [{ DAPR_HTTP_PORT: 'x' }, undefined, 'DAPR_HTTP_PORT is "x"'],
    [{ DAPR_HTTP_ENDPOINT: 'ftp://a' }, undefined, 'DAPR_HTTP_ENDPOINT is "ftp://a"'],
    [{}, 'localhost:3500', 'httpEndpoint is "localhost:3500"'],
  ])('%o %s is refused', (env, endpoint, message) => {
    expect(() => http(env as Record<string, string>, endpoint)).toThrow(message)
  })

  test('a password is not repeated in the error', () => {
    expect(() => http({}, 'http://me:secret@host')).toThrow(/^(?!.*secret)/)
  })
})

describe('where the gRPC API is', () => {
  test.each([
    [{}, undefined, 'http://127.0.0.1:50001'],
    [{ DAPR_GRPC_PORT: '50002' }, undefined, 'http://127.0.0.1:50002'],
    [{ DAPR_GRPC_ENDPOINT: 'dapr.example:4000' }, undefined, 'http://dapr.example:4000'],
    [{}, ':5000', 'http://127.0.0.1:5000'],
    [{}, 'dapr.example', 'http://dapr.example:443'],
    [{}, 'dapr.example?tls=true', 'https://dapr.example'],
    [{}, 'dns:dapr.example:4000?tls=true', 'https://dapr.example:4000'],
    [{}, 'dns://1.1.1.1/dapr.example:4000', 'http://dapr.example:4000'],
    [{}, 'https://dapr.example:4000/', 'https://dapr.example:4000'],
    [{}, 'https://dapr.example', 'https://dapr.example'],
    [{}, '[::1]:50001', 'http://[::1]:50001'],
    [{}, 'unix:///run/dapr.sock', 'unix:/run/dapr.sock'],
  ])('%o %s', (env, endpoint, origin) => {
    expect(grpc(env as Record<string, string>, endpoint).origin).toBe(origin)
  })

  test.each(['ftp://a', 'a/b', 'me:secret@host:1', ''])('%s is refused', (endpoint) => {
    expect(() => grpc({}, endpoint)).toThrow(/^grpcEndpoint is (?!.*secret)/)
  })
})

test('token, limits and time', () => {
  const settings = httpSettings({ env: { DAPR_API_TOKEN: 'a' } })
  expect(settings).toMatchObject({ apiToken: 'a', timeoutMs: 60_000, maxBodyBytes: 16 * 1024 * 1024 })
  expect(httpSettings({ env: { DAPR_API_TOKEN: 'a' }, apiToken: 'b', timeoutMs: 0 })).toMatchObject({
    apiToken: 'b',
    timeoutMs: undefined,
  })
  expect(httpSettings({ env: { DAPR_API_TOKEN: '' } }).apiToken).toBeUndefined()
  expect(() => httpSettings({ env: {}, timeoutMs: -1 })).toThrow('timeoutMs is -1')
  expect(() => httpSettings({ env: {}, maxBodyBytes: 0 })).toThrow('maxBodyBytes is 0')
})
