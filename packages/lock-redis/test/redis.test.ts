import { asText } from '@outrigger/common-redis'
import { createForTest } from '@outrigger/conformance'
import { describeWithService, startService } from '@outrigger/services'
import { recordingLogger, waitFor } from '@outrigger/testkit'
import { expect, onTestFinished, test } from 'vitest'
import definition from '../src/index.ts'
import { admin } from './admin.ts'

const lock = (resourceId: string, owner: string, expirySeconds = 60) => ({ resourceId, owner, expirySeconds })

describeWithService('redis', 'lock.redis on its server', (get) => {
  const address = (): string => `${get().host}:${get().port}`
  const open = async (properties: Readonly<Record<string, string>> = {}) => {
    const store = await createForTest(definition, { properties: { redisHost: address(), ...properties } })
    onTestFinished(() => store.close())
    return store
  }

  test('a lock is a key with the owner as its value and a time to live', async () => {
    const store = await open()
    expect(await store.tryLock(lock('lock||app||r', 'me', 30), {})).toBe(true)
    const redis = await admin(get())
    expect(asText(await redis.send('get', ['lock||app||r']))).toBe('me')
    const left = Number(await redis.send('pttl', ['lock||app||r']))
    expect(left).toBeGreaterThan(20_000)
    expect(left).toBeLessThanOrEqual(30_000)
    expect(await store.unlock({ resourceId: 'lock||app||r', owner: 'me' }, {})).toBe('success')
    expect(await redis.send('exists', ['lock||app||r'])).toBe(0)
  })

  test('the longest time that a request can name is taken', async () => {
    const store = await open()
    expect(await store.tryLock(lock('long', 'me', 2 ** 31 - 1), {})).toBe(true)
    expect(Number(await (await admin(get())).send('ttl', ['long']))).toBeGreaterThan(2 ** 31 - 100)
  })

  test('names of keys that hold something else cannot be locked', async () => {
    const store = await open()
    await (await admin(get())).send('rpush', ['a-list', 'x'])
    expect(await store.tryLock(lock('a-list', 'me'), {})).toBe(false)
    await expect(store.unlock({ resourceId: 'a-list', owner: 'me' }, {})).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
    })
  })

  test('a cluster is refused before anything is connected', async () => {
    await expect(open({ redisType: 'cluster' })).rejects.toMatchObject({
      code: 'INVALID_METADATA',
      message: expect.stringContaining('redisType'),
    })
  })

  test('a server with replicas is refused', async () => {
    const master = await startService('redis')
    onTestFinished(() => master.stop())
    const replica = await startService('redis', {
      args: ['--replicaof', master.host, String(master.port)],
    })
    onTestFinished(() => replica.stop())
    const redis = await admin(master)
    await waitFor(
      async () => asText(await redis.send('info', ['replication'])).includes('connected_slaves:1'),
      { what: 'the replica is connected' },
    )
    await expect(open({ redisHost: `${master.host}:${master.port}` })).rejects.toMatchObject({
      code: 'INVALID_METADATA',
      message: expect.stringContaining('replicas'),
    })
  })

  test('a user that may not ask for replicas is warned', async () => {
    const redis = await admin(get())
    await redis.send('acl', ['setuser', 'locker', 'on', '>pw', '~*', '+@all', '-info'])
    const logger = recordingLogger()
    const store = await createForTest(definition, {
      properties: { redisHost: address(), redisUsername: 'locker', redisPassword: 'pw' },
      logger,
    })
    onTestFinished(() => store.close())
    expect(await store.tryLock(lock('by-user', 'me'), {})).toBe(true)
    expect(JSON.stringify(logger.records)).toContain('replicas')
  })

  test('an outage is UNAVAILABLE, and afterwards it works again', async () => {
    const server = await startService('redis')
    onTestFinished(() => server.stop())
    const store = await open({
      redisHost: `${server.host}:${server.port}`,
      redisMaxRetries: '1',
      redisMaxRetryInterval: '50ms',
    })
    await server.kill()
    await expect(store.tryLock(lock('r', 'me'), {})).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await server.restart()
    expect(await waitFor(() => store.tryLock(lock('r', 'me'), {}), { what: 'the lock' })).toBe(true)
  })
})
