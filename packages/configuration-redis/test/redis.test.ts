import { asText } from '@outrigger/common-redis'
import { createForTest } from '@outrigger/conformance'
import { describeWithService, say, startRedisCluster, startService, type Service } from '@outrigger/services'
import type { ConfigurationChanges, Logger } from '@outrigger/spec'
import { recordingLogger, waitFor } from '@outrigger/testkit'
import { expect, onTestFinished, test } from 'vitest'
import definition from '../src/index.ts'
import { admin } from './admin.ts'

async function open(
  { host, port }: Service,
  properties: Readonly<Record<string, string>> = {},
  logger?: Logger,
) {
  const store = await createForTest(definition, {
    properties: { redisHost: `${host}:${port}`, ...properties },
    ...(logger && { logger }),
  })
  onTestFinished(() => store.close())
  return store
}

async function watch(store: Awaited<ReturnType<typeof open>>, keys: readonly string[]) {
  const told: ConfigurationChanges[] = []
  const subscription = await store.subscribe!(
    { keys, metadata: {} },
    (changes) => {
      told.push(changes)
      return Promise.resolve()
    },
    {},
  )
  return { told, subscription }
}

const silentMs = 200
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describeWithService('redis', 'configuration.redis on its server', (get) => {
  test('values carry their version behind ||, and what is no string or empty is left out', async () => {
    const redis = await admin(get())
    for (const [key, value] of [
      ['a', 'one||v1'],
      ['b', 'two'],
      ['c', ''],
    ] as const)
      await redis.send('set', [key, value])
    await redis.send('rpush', ['list', 'x'])
    const store = await open(get())
    const wanted = { a: { value: 'one', version: 'v1' }, b: { value: 'two' } }
    expect(await store.get({ keys: ['a', 'b', 'c', 'list', 'absent'], metadata: {} }, {})).toEqual(wanted)
    expect(await store.get({ keys: [], metadata: {} }, {})).toEqual(wanted)
    await redis.send('flushdb', [])
  })

  test('each database has its own keys and changes', async () => {
    const redis = await admin(get())
    const [zero, one] = [await open(get()), await open(get(), { redisDB: '1' })]
    const [inZero, inOne] = [await watch(zero, ['k']), await watch(one, ['k'])]
    await redis.send('set', ['k', 'zero'])
    await waitFor(() => inZero.told.length > 0, { what: 'the change' })
    await pause(silentMs)
    expect(inOne.told).toEqual([])
    expect(await one.get({ keys: ['k'], metadata: {} }, {})).toEqual({})
  })

  test('expiry is told as a deletion, and a value with a time to live once', async () => {
    const redis = await admin(get())
    const { told } = await watch(await open(get()), ['short'])
    await redis.send('set', ['short', 'x', 'PX', 300])
    await waitFor(() => told.length >= 2, { what: 'value and end' })
    expect(told).toEqual([{ short: { value: 'x' } }, { short: undefined }])
  })

  test('a subscription to all keys and one to a key are told once each', async () => {
    const redis = await admin(get())
    const store = await open(get())
    const [all, named] = [await watch(store, []), await watch(store, ['both'])]
    await redis.send('set', ['both', 'x'])
    await waitFor(() => all.told.length > 0 && named.told.length > 0, { what: 'both' })
    await pause(silentMs)
    expect([all.told.length, named.told.length]).toEqual([1, 1])
  })

  test('the setting of the server keeps what it has, and gets what is missing', async () => {
    const redis = await admin(get())
    await redis.send('config', ['set', 'notify-keyspace-events', 'El'])
    await watch(await open(get()), ['k'])
    const [, flags] = (await redis.send('config', ['get', 'notify-keyspace-events'])) as Buffer[]
    expect(asText(flags).split('').toSorted()).toEqual('EKlg$xe'.split('').toSorted())
  })

  test('a user who may not look at the setting is warned, and works on a server that has it', async () => {
    const redis = await admin(get())
    await redis.send('config', ['set', 'notify-keyspace-events', 'KA'])
    await redis.send('acl', ['setuser', 'reader', 'on', '>pw', '~*', '&*', '+@all', '-config'])
    const logger = recordingLogger()
    const store = await open(get(), { redisUsername: 'reader', redisPassword: 'pw' }, logger)
    const { told } = await watch(store, ['k'])
    expect(logger.messages('warn').join()).toContain('notify-keyspace-events')
    await redis.send('set', ['k', 'x'])
    await waitFor(() => told.length > 0, { what: 'the change' })
  })

  test('a user who may not listen is refused, and it can be tried again', async () => {
    const redis = await admin(get())
    await redis.send('acl', ['setuser', 'deaf', 'reset', 'on', '>pw', '~*', '+@all'])
    const store = await open(get(), { redisUsername: 'deaf', redisPassword: 'pw' })
    await expect(watch(store, ['k'])).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    await redis.send('acl', ['setuser', 'deaf', '&*'])
    const { told } = await watch(store, ['k'])
    await redis.send('set', ['k', 'heard'])
    await waitFor(() => told.length > 0, { what: 'the change' })
  })

  test('when the connection is cut, what changed meanwhile is told afterwards, and no more', async () => {
    const redis = await admin(get())
    for (const key of ['same', 'changed', 'deleted']) await redis.send('set', [key, '1'])
    const { told } = await watch(await open(get()), ['same', 'changed', 'deleted', 'fresh'])
    await redis.send('multi', [])
    await redis.send('client', ['kill', 'type', 'pubsub'])
    await redis.send('set', ['changed', '2'])
    await redis.send('del', ['deleted'])
    await redis.send('set', ['fresh', '1'])
    await redis.send('exec', [])
    await waitFor(() => told.length > 0, { what: 'the changes' })
    expect(Object.assign({}, ...told)).toEqual({
      changed: { value: '2' },
      deleted: undefined,
      fresh: { value: '1' },
    })
    told.length = 0
    await redis.send('set', ['same', '3'])
    await waitFor(() => told.length > 0, { what: 'a change after it' })
    expect(told).toEqual([{ same: { value: '3' } }])
  })

  test('a server that was started anew is told again to tell of changes', async () => {
    const server = await startService('redis')
    onTestFinished(() => server.stop())
    const store = await open(server)
    const { told } = await watch(store, [])
    await (await admin(server)).send('set', ['before', '1'])
    await waitFor(() => told.length > 0, { what: 'a change before' })
    await server.kill()
    await expect(store.get({ keys: ['before'], metadata: {} }, {})).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    })
    await server.restart()
    const redis = await admin(server)
    const last = (): unknown => Object.assign({}, ...told).after
    let count = 0
    await waitFor(
      async () => {
        await redis.send('set', ['after', `${++count}`])
        return last() !== undefined
      },
      { what: 'a change after', everyMs: 50 },
    )
    expect(last()).toHaveProperty('value')
  })

  test('in a cluster items are read from every node, and there are no subscriptions', async () => {
    const cluster = await startRedisCluster()
    onTestFinished(() => cluster.stop())
    const store = await createForTest(definition, {
      properties: { redisHost: cluster.address, redisType: 'cluster' },
    })
    onTestFinished(() => store.close())
    expect([...store.capabilities, store.subscribe]).toEqual([undefined])
    const keys = Array.from({ length: 20 }, (_, n) => `k${n}`)
    // Each node takes the keys of its own slots and points to another for the rest.
    for (const key of keys) {
      for (const node of cluster.nodes) await say(node, `SET ${key} ${key}`).catch(() => undefined)
    }
    const items = await store.get({ keys: [], metadata: {} }, {})
    expect(Object.keys(items).toSorted()).toEqual(keys.toSorted())
    expect(await store.get({ keys, metadata: {} }, {})).toEqual(items)
  })

  test('close ends every connection, also while subscriptions begin', async () => {
    const redis = await admin(get())
    const before = Number(asText(await redis.send('info', ['clients'])).match(/connected_clients:(\d+)/)?.[1])
    const store = await open(get())
    const pending = [1, 2, 3].map((n) => watch(store, [`k${n}`]).catch((error: unknown) => error))
    await store.close()
    for (const outcome of await Promise.all(pending)) {
      if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'CLOSED' })
      else
        expect(await (outcome as { subscription: { ended: Promise<unknown> } }).subscription.ended).toBe(
          undefined,
        )
    }
    await waitFor(
      async () =>
        Number(asText(await redis.send('info', ['clients'])).match(/connected_clients:(\d+)/)?.[1]) <= before,
      { what: 'the connections are gone' },
    )
  })
})
