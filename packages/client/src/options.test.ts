import { expect, test } from 'vitest'
import { isOutriggerError } from './error.ts'
import { createClient as overGrpc } from './grpc/index.ts'
import { createClient as inProcess } from './in-process/index.ts'
import { createClient as overHttp } from './index.ts'

/** As a program in JavaScript calls it. */
function messageOf(create: (options: never) => unknown, options: unknown): string {
  try {
    create(options as never)
  } catch (error) {
    expect(isOutriggerError(error, 'ERR_CLIENT_ARGUMENT')).toBe(true)
    return (error as Error).message
  }
  return 'nothing'
}

test.each([
  [overHttp, 'httpEndpont', 'httpEndpoint'],
  [overHttp, 'timeout', 'timeoutMs'],
  [overHttp, 'apitoken', 'apiToken'],
  [overHttp, 'maxBodyByte', 'maxBodyBytes'],
  [overGrpc, 'grpcEndpiont', 'grpcEndpoint'],
  [inProcess, 'runtme', 'runtime'],
])('%o: %s is no option', (create, name, meant) => {
  const message = messageOf(create, { [name]: 'secret' })
  expect(message).toBe(`${name} is no option of createClient; did you mean ${meant}?`)
})

test.each([
  [overHttp, 'httpEndpoint, grpcEndpoint, apiToken, timeoutMs, maxBodyBytes, env, app'],
  [overGrpc, 'httpEndpoint, grpcEndpoint, apiToken, timeoutMs, maxBodyBytes, env, app'],
  [inProcess, 'runtime, maxBodyBytes'],
])('%o: what there is, where nothing is near', (create, names) => {
  for (const name of ['daprPort', 'constructor', 'x']) {
    expect(messageOf(create, { [name]: 1 })).toBe(`${name} is no option of createClient; there are ${names}`)
  }
})

test.each<[object, string]>([
  [
    { httpEndpoint: 3500 },
    'httpEndpoint is 3500; it must be http://host:port, https://host:port or unix:/path',
  ],
  [
    { httpEndpoint: new URL('http://me:secret@host') },
    'httpEndpoint is "(object, not shown)"; it must be http://',
  ],
  [{ apiToken: 12_345 }, 'apiToken is "(number, not shown)"; it must be a text'],
  [{ timeoutMs: '5s' }, 'timeoutMs is "5s"; it must be a number of milliseconds, or 0'],
  [{ timeoutMs: null }, 'timeoutMs is null; it must be a number of milliseconds, or 0'],
  [{ maxBodyBytes: true }, 'maxBodyBytes is true; it must be a number of bytes above 0'],
  [{ env: 'A=secret' }, 'env is "(string, not shown)"; it must be an object of texts'],
  [{ app: () => {} }, 'it must be an application, as createApp makes it'],
])('%o is refused', (options, message) => {
  expect(messageOf(overHttp, options)).toContain(message)
})

test('what is no object, or lacks its runtime', () => {
  expect(messageOf(overHttp, 'http://a')).toBe(
    'what createClient takes is "string"; it must be an object with httpEndpoint, grpcEndpoint, apiToken, timeoutMs, maxBodyBytes, env, app',
  )
  expect(messageOf(overGrpc, null)).toMatch(/^what createClient takes is/)
  expect(messageOf(inProcess, {})).toBe(
    'runtime is "missing"; it must be a runtime, as createRuntime of @outrigger/runtime makes it',
  )
})

test('the same settings serve either transport', async () => {
  const settings = {
    httpEndpoint: 'http://127.0.0.1:1',
    grpcEndpoint: '127.0.0.1:2',
    app: {} as never,
    env: {},
  }
  await overHttp(settings).close()
  await overGrpc(settings).close()
})

test('what is given as undefined is not given', async () => {
  await overHttp({ env: {}, apiToken: undefined, app: undefined, timeoutMs: undefined }).close()
})
