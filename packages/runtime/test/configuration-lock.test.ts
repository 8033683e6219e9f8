import {
  ComponentError,
  defineConfigurationStore,
  defineLockStore,
  type LockStore,
  type UnlockStatus,
} from '@outrigger/spec'
import { recordingLogger, waitFor } from '@outrigger/testkit'
import { afterEach, describe, expect, test } from 'vitest'
import { createRuntime, type CreateRuntimeOptions, type Runtime } from '../src/index.ts'
import { FakeConfiguration } from './support/fake-configuration.ts'
import { schema, yaml } from './support/loading.ts'

const running: Runtime[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((runtime) => runtime.stop()))
})

const metadata = schema({ name: 'x' })

function configurationOf(store: FakeConfiguration) {
  return defineConfigurationStore<{ v1: Record<string, string> }>({
    type: 'configuration.test',
    title: 'Test',
    versions: { v1: { metadata, capabilities: ['subscribe'], create: async () => store } },
  })
}

/** Locks that remember what they were asked for; resources named `broken` fail. */
class FakeLocks implements LockStore {
  readonly capabilities = new Set<never>()
  readonly asked: string[] = []
  readonly owners = new Map<string, string>()

  async tryLock({ resourceId, owner, expirySeconds }: Parameters<LockStore['tryLock']>[0]): Promise<boolean> {
    this.asked.push(`${resourceId} ${owner} ${expirySeconds}`)
    if (resourceId.endsWith('broken')) throw new ComponentError('UNAVAILABLE', 'no connection')
    if (this.owners.has(resourceId)) return false
    this.owners.set(resourceId, owner)
    return true
  }

  async unlock({ resourceId, owner }: Parameters<LockStore['unlock']>[0]): Promise<UnlockStatus> {
    if (resourceId.endsWith('broken')) throw new ComponentError('UNAVAILABLE', 'no connection')
    const held = this.owners.get(resourceId)
    if (held === undefined) return 'lock-does-not-exist'
    if (held !== owner) return 'lock-belongs-to-others'
    this.owners.delete(resourceId)
    return 'success'
  }

  async close(): Promise<void> {}
}

function locksOf(locks: FakeLocks) {
  return defineLockStore<{ v1: Record<string, string> }>({
    type: 'lock.test',
    title: 'Test',
    versions: { v1: { metadata, capabilities: [], create: async () => locks } },
  })
}

async function start(options: Partial<CreateRuntimeOptions>) {
  const runtime = createRuntime({
    appId: 'orders',
    listen: true,
    listenAddresses: ['127.0.0.1'],
    httpPort: 0,
    grpcPort: 0,
    logger: recordingLogger(),
    ...options,
  })
  running.push(runtime)
  await runtime.start()
  const { port } = runtime.addresses.http[0] as { port: number }
  const call = async (method: string, path: string, body?: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/${path}`, {
      method,
      ...(body !== undefined && { body }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  return { runtime, call }
}

describe('configuration over HTTP', () => {
  async function setUp(options: Partial<CreateRuntimeOptions> = {}) {
    const store = new FakeConfiguration()
    const posts: { readonly path: string; readonly body: unknown }[] = []
    const started = await start({
      definitions: [configurationOf(store)],
      resources: [yaml('store', 'configuration.test')],
      app: ({ method, path, body }) => {
        if (method === 'POST') posts.push({ path, body: JSON.parse(Buffer.from(body).toString()) })
        return {}
      },
      ...options,
    })
    return { store, posts, ...started }
  }

  test.each(['v1.0', 'v1.0-alpha1'])('%s: get, subscribe, be told, unsubscribe', async (version) => {
    const { store, posts, call } = await setUp()
    store.items.set('a', { value: '1', version: '7', metadata: { unit: 'kg' } })
    store.items.set('b', { value: '2' })
    const path = `${version}/configuration/store`
    expect(await call('GET', `${path}?key=a&key=nosuch&metadata.label=x`)).toEqual({
      status: 200,
      body: { a: { value: '1', version: '7', metadata: { unit: 'kg' } } },
    })
    expect(store.requests.at(-1)).toEqual({ keys: ['a', 'nosuch'], metadata: { label: 'x' } })
    expect((await call('GET', path)).body).toEqual({
      a: { value: '1', version: '7', metadata: { unit: 'kg' } },
      b: { value: '2' },
    })
    expect(await call('GET', `${path}?key=nosuch`)).toEqual({ status: 204, body: undefined })

    const subscribed = await call('GET', `${path}/subscribe?key=a&key=b&metadata.m=1`)
    expect(subscribed).toEqual({ status: 200, body: { id: expect.stringMatching(/^[0-9a-f-]{36}$/) } })
    expect(store.watching[0]!.request).toEqual({ keys: ['a', 'b'], metadata: { m: '1' } })
    await store.watching[0]!.onChange({ a: { value: '2', version: '8' }, b: undefined })
    const { id } = subscribed.body
    const body = { id, items: { a: { value: '2', version: '8' }, b: {} } }
    expect(posts).toEqual([
      { path: '/configuration/store/a', body },
      { path: '/configuration/store/b', body },
    ])

    expect(await call('GET', `${path}/${id}/unsubscribe`)).toEqual({ status: 200, body: { ok: true } })
    await waitFor(() => store.watching[0]!.closed)
    expect(await call('GET', `${path}/${id}/unsubscribe`)).toEqual({
      status: 500,
      body: {
        ok: false,
        message: `failed to unsubscribe to configuration request ${id}: subscription with id ${id} does not exist`,
      },
    })
  })

  test.each([
    [
      'GET',
      'v1.0/configuration/other?key=a',
      400,
      'ERR_CONFIGURATION_STORE_NOT_FOUND',
      'configuration store other not found',
    ],
    [
      'GET',
      'v1.0/configuration/other/subscribe',
      400,
      'ERR_CONFIGURATION_STORE_NOT_FOUND',
      'configuration store other not found',
    ],
    [
      'GET',
      'v1.0/configuration/other/id/unsubscribe',
      400,
      'ERR_CONFIGURATION_STORE_NOT_FOUND',
      'configuration store other not found',
    ],
    [
      'GET',
      'v1.0/configuration/store?key=a&key=b',
      500,
      'ERR_CONFIGURATION_GET',
      'failed to get [a b] from Configuration store store: away',
    ],
    [
      'GET',
      'v1.0/configuration/store/subscribe?key=a',
      500,
      'ERR_CONFIGURATION_SUBSCRIBE',
      'failed to subscribe [a] from Configuration store store: the store is away',
    ],
    ['POST', 'v1.0/configuration/store', 404, 'ERR_DIRECT_INVOKE', expect.any(String)],
    ['GET', 'v1.0-beta1/configuration/store', 404, 'ERR_DIRECT_INVOKE', expect.any(String)],
  ])('%s %s: %i %s', async (method, path, status, errorCode, message) => {
    const { store, call } = await setUp()
    store.failGet = new ComponentError('UNAVAILABLE', 'away')
    store.failSubscribe = 1
    expect(await call(method, path)).toEqual({ status, body: { errorCode, message } })
  })

  test('without an application: 500 ERR_APP_CHANNEL_NIL, and reading works', async () => {
    const store = new FakeConfiguration()
    store.items.set('a', { value: '1' })
    const { call } = await start({
      definitions: [configurationOf(store)],
      resources: [yaml('store', 'configuration.test')],
    })
    expect(await call('GET', 'v1.0/configuration/store/subscribe')).toEqual({
      status: 500,
      body: {
        errorCode: 'ERR_APP_CHANNEL_NIL',
        message: 'app channel is not initialized. cannot subscribe to configuration updates',
      },
    })
    expect((await call('GET', 'v1.0/configuration/store')).status).toBe(200)
  })

  test.each(['', '/subscribe', '/id/unsubscribe'])('without any store: 500 (%s)', async (path) => {
    const { call } = await start({})
    expect(await call('GET', `v1.0/configuration/store${path}`)).toEqual({
      status: 500,
      body: {
        errorCode: 'ERR_CONFIGURATION_STORE_NOT_CONFIGURED',
        message: 'configuration stores not configured',
      },
    })
  })

  test('subscriptions end with the runtime, those in this process too', async () => {
    const { store, runtime, call } = await setUp()
    await call('GET', 'v1.0/configuration/store/subscribe')
    const heard: unknown[] = []
    const own = await runtime.api.configuration.subscribe('store', ['a'], {}, (id) => void heard.push(id), {})
    await store.watching[1]!.onChange({ a: undefined })
    expect(heard).toEqual([own.id])
    await runtime.stop()
    await own.ended
    expect(store.watching.map(({ closed }) => closed)).toEqual([true, true])
  })

  test('the component is in the metadata', async () => {
    const { call } = await setUp()
    expect((await call('GET', 'v1.0/metadata')).body.components).toEqual([
      { name: 'store', type: 'configuration.test', version: 'v1', capabilities: ['SUBSCRIBE'] },
    ])
  })
})

describe('lock over HTTP', () => {
  async function setUp(rest = '') {
    const locks = new FakeLocks()
    const started = await start({
      definitions: [locksOf(locks)],
      resources: [yaml('store', 'lock.test', rest)],
    })
    const post = (path: string, body: object | string = '') =>
      started.call('POST', `v1.0-alpha1/${path}`, typeof body === 'string' ? body : JSON.stringify(body))
    return { locks, post, ...started }
  }
  const mine = { resourceId: 'r', lockOwner: 'me' }

  test('locks and unlocks; the status is a number', async () => {
    const { locks, post } = await setUp()
    const lock = { ...mine, expiryInSeconds: 30 }
    expect(await post('unlock/store', mine)).toEqual({ status: 200, body: { status: 1 } })
    expect(await post('lock/store', lock)).toEqual({ status: 200, body: { success: true } })
    expect(await post('lock/store', lock)).toEqual({ status: 200, body: { success: false } })
    expect(await post('unlock/store', { ...mine, lockOwner: 'another' })).toMatchObject({
      body: { status: 2 },
    })
    expect(await post('unlock/store', mine)).toEqual({ status: 200, body: { status: 0 } })
    expect(locks.asked[0]).toBe('lock||orders||r me 30')
  })

  test.each([
    ['', 'lock||orders||r'],
    ['name', 'lock||store||r'],
    ['none', 'lock||r'],
    ['Shared', 'lock||shared||r'],
  ])('keyPrefix %j makes %s', async (prefix, key) => {
    const { locks, post } = await setUp(
      prefix === '' ? '' : `  metadata:\n  - {name: keyPrefix, value: ${prefix}}\n`,
    )
    await post('lock/store', { ...mine, expiryInSeconds: 1 })
    expect(locks.asked).toEqual([`${key} me 1`])
  })

  test('a keyPrefix with || stops the start', async () => {
    await expect(setUp('  metadata:\n  - {name: keyPrefix, value: "a||b"}\n')).rejects.toThrow(/keyPrefix/)
  })

  test.each([
    '{"resourceId":"r","lockOwner":"me","expiryInSeconds":"30"}',
    '{"resource_id":"r","lock_owner":"me","expiry_in_seconds":30}',
    '{"resourceId":"r","lockOwner":"me","expiryInSeconds":3e1,"unknown":{"x":[1]}}',
    '{"storeName":"another","resourceId":"r","lockOwner":"me","expiryInSeconds":30}',
  ])('the JSON form of the message: %s', async (body) => {
    const { locks, post } = await setUp()
    expect(await post('lock/store', body)).toEqual({ status: 200, body: { success: true } })
    expect(locks.asked).toEqual(['lock||orders||r me 30'])
  })

  const malformed = (message: unknown = expect.stringContaining('failed deserializing HTTP body')) =>
    [400, 'ERR_MALFORMED_REQUEST', message] as const
  test.each([
    ['lock/store', '', ...malformed('ExpiryInSeconds is not positive in lock store store')],
    ['lock/store', '{}', ...malformed('ExpiryInSeconds is not positive in lock store store')],
    [
      'lock/store',
      { ...mine, expiryInSeconds: -1 },
      ...malformed('ExpiryInSeconds is not positive in lock store store'),
    ],
    [
      'lock/store',
      { lockOwner: 'me', expiryInSeconds: 1 },
      ...malformed('ResourceId is empty in lock store store'),
    ],
    [
      'lock/store',
      { resourceId: 'r', expiryInSeconds: 1 },
      ...malformed('LockOwner is empty in lock store store'),
    ],
    ['unlock/store', { lockOwner: 'me' }, ...malformed('ResourceId is empty in lock store store')],
    ['unlock/store', { resourceId: 'r' }, ...malformed('LockOwner is empty in lock store store')],
    ['unlock/store', '', ...malformed('ResourceId is empty in lock store store')],
    ['lock/store', '{', ...malformed()],
    ['lock/store', '[]', ...malformed()],
    ['lock/store', 'null', ...malformed()],
    ['lock/store', { ...mine, expiryInSeconds: 1.5 }, ...malformed()],
    ['lock/store', { ...mine, expiryInSeconds: 2 ** 31 }, ...malformed()],
    ['lock/store', { ...mine, expiryInSeconds: true }, ...malformed()],
    ['lock/store', { ...mine, expiryInSeconds: '' }, ...malformed()],
    ['lock/store', { ...mine, expiryInSeconds: ' 1' }, ...malformed()],
    ['lock/store', { ...mine, resourceId: 5, expiryInSeconds: 1 }, ...malformed()],
    ['unlock/store', { ...mine, lockOwner: ['me'] }, ...malformed()],
    [
      'lock/other',
      { ...mine, expiryInSeconds: 1 },
      400,
      'ERR_LOCK_STORE_NOT_FOUND',
      'lock store other not found',
    ],
    ['unlock/other', mine, 400, 'ERR_LOCK_STORE_NOT_FOUND', 'lock store other not found'],
    [
      'lock/store',
      { ...mine, resourceId: 'broken', expiryInSeconds: 1 },
      500,
      'ERR_TRY_LOCK',
      'failed to try acquiring lock: no connection',
    ],
    [
      'unlock/store',
      { ...mine, resourceId: 'broken' },
      500,
      'ERR_UNLOCK',
      'failed to release lock: no connection',
    ],
    [
      'lock/store',
      { ...mine, resourceId: 'a||b', expiryInSeconds: 1 },
      500,
      'ERR_TRY_LOCK',
      "failed to try acquiring lock: input key/keyPrefix 'a||b' can't contain '||'",
    ],
  ])('%s %j: %i %s', async (path, body, status, errorCode, message) => {
    const { locks, post } = await setUp()
    expect(await post(path, body as object | string)).toEqual({ status, body: { errorCode, message } })
    expect(locks.owners.size).toBe(0)
  })

  test('text that is no UTF-8 is refused', async () => {
    const { runtime, locks } = await setUp()
    const { port } = runtime.addresses.http[0] as { port: number }
    const body = Buffer.concat([
      Buffer.from('{"resourceId":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('","lockOwner":"me","expiryInSeconds":1}'),
    ])
    const response = await fetch(`http://127.0.0.1:${port}/v1.0-alpha1/lock/store`, { method: 'POST', body })
    expect([response.status, locks.asked]).toEqual([400, []])
  })

  test.each(['lock', 'unlock'])('without any store: 500 (%s)', async (path) => {
    const { call } = await start({})
    const body = JSON.stringify({ ...mine, expiryInSeconds: 1 })
    expect(await call('POST', `v1.0-alpha1/${path}/store`, body)).toEqual({
      status: 500,
      body: { errorCode: 'ERR_LOCK_STORE_NOT_CONFIGURED', message: 'lock store is not configured' },
    })
  })

  test('in this process', async () => {
    const { runtime } = await setUp()
    const lock = { storeName: 'store', resourceId: 'r', lockOwner: 'me' }
    expect(await runtime.api.lock.tryLock({ ...lock, expiryInSeconds: 1 }, {})).toBe(true)
    expect(await runtime.api.lock.unlock(lock, {})).toBe('success')
  })
})
