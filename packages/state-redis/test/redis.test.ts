import {
  describeWithService,
  say,
  startRedisCluster,
  startRedisSentinel,
  type RedisGroup,
} from '@outrigger/services'
import type { StateOperation } from '@outrigger/spec'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { json, open, plain, rejection, textOf, until } from './helpers.ts'

const metadata = {}
const upsert = (key: string, text: string): StateOperation => ({
  operation: 'upsert',
  request: { key, value: json(text), metadata },
})
const remove = (key: string): StateOperation => ({ operation: 'delete', request: { key, metadata } })

describeWithService('redis', 'rows of other writers', (service) => {
  const connect = () => open({ redisHost: `${service().host}:${service().port}` })

  test('a row written by hand in the common layout is read, changed and left readable', async () => {
    const store = await connect()
    await say(service(), 'HSET theirs data "{\\"a\\":1}" version 7')
    const item = await store.get({ key: 'theirs', metadata }, plain)
    expect([Buffer.from(item!.value.bytes).toString(), item!.value.kind, item!.etag]).toEqual([
      '{"a":1}',
      'json',
      '7',
    ])
    await store.set({ key: 'theirs', value: json('{"a":2}'), etag: '7', metadata }, plain)
    expect(await say(service(), 'HGETALL theirs')).toMatch(
      /data\r\n\$7\r\n{"a":2}\r\n\$7\r\nversion\r\n\$1\r\n8\r\n/,
    )
    await store.close()
  })

  test('a first write leaves the mark that others look for, and a last write of ours passes it', async () => {
    const store = await connect()
    await store.set({ key: 'first', value: json('1'), concurrency: 'first-write', metadata }, plain)
    expect(await say(service(), 'HGET first first-write')).toContain('$1\r\n0\r\n')
    await store.set({ key: 'first', value: json('2'), metadata }, plain)
    expect(await textOf(store, 'first')).toBe('2')
    await store.close()
  })

  test('a binary value is told from JSON until somebody else writes', async () => {
    const store = await connect()
    const kind = async () => (await store.get({ key: 'b', metadata }, plain))!.value.kind
    await store.set({ key: 'b', value: { bytes: Buffer.from('1'), kind: 'binary' }, metadata }, plain)
    expect(await kind()).toBe('binary')
    await say(service(), 'HSET b data 2')
    await say(service(), 'HINCRBY b version 1')
    expect(await kind()).toBe('json')
    await store.close()
  })

  test('a plain string is read without an ETag and replaced by a write; other types are refused', async () => {
    const store = await connect()
    await say(service(), 'SET old "text"')
    expect(await textOf(store, 'old')).toBe('text')
    expect((await store.get({ key: 'old', metadata }, plain))!.etag).toBeUndefined()
    const first = { key: 'old', value: json('1'), concurrency: 'first-write', metadata } as const
    expect((await rejection(store.set(first, plain))).code).toBe('ETAG_MISMATCH')
    await store.transact!({ operations: [upsert('old', '1'), upsert('old', '2')], metadata }, plain)
    expect([await textOf(store, 'old'), (await store.get({ key: 'old', metadata }, plain))!.etag]).toEqual([
      '2',
      '2',
    ])
    await say(service(), 'RPUSH list a')
    expect((await rejection(store.get({ key: 'list', metadata }, plain))).code).toBe('FAILED_PRECONDITION')
    await store.close()
  })

  test('the default time to live of the store, and never', async () => {
    const store = await open({ redisHost: `${service().host}:${service().port}`, ttlInSeconds: '600' })
    await store.set({ key: 'ttl', value: json('1'), metadata }, plain)
    expect((await store.get({ key: 'ttl', metadata }, plain))!.expiresAtMs).toBeGreaterThan(0)
    await store.set({ key: 'ttl', value: json('1'), ttlSeconds: 'never', metadata }, plain)
    expect((await store.get({ key: 'ttl', metadata }, plain))!.expiresAtMs).toBeUndefined()
    await store.close()
  })

  test('a full server refuses a transaction as a whole', async () => {
    const store = await connect()
    await store.set({ key: 'stays', value: json('1'), metadata }, plain)
    await say(service(), 'CONFIG SET maxmemory 1')
    try {
      for (const operations of [
        [remove('stays'), upsert('new', '1')],
        [upsert('new', '1'), remove('stays')],
      ]) {
        const error = await rejection(store.transact!({ operations, metadata }, plain))
        expect(error.code).toBe('RESOURCE_EXHAUSTED')
      }
      expect((await rejection(store.set({ key: 'new', value: json('1'), metadata }, plain))).code).toBe(
        'RESOURCE_EXHAUSTED',
      )
    } finally {
      await say(service(), 'CONFIG SET maxmemory 0')
    }
    expect([await textOf(store, 'stays'), await textOf(store, 'new')]).toEqual(['1', undefined])
    await store.close()
  })
})

describeWithService(
  'redis',
  'a restart in the middle of the work',
  (service) => {
    test('loses nothing that was confirmed and does nothing twice', async () => {
      const store = await open({
        redisHost: `${service().host}:${service().port}`,
        redisMaxRetryInterval: '5s',
      })
      const confirmed = new Map<string, number>()
      const unknown = new Set<string>()
      let stop = false
      const writers = Array.from({ length: 20 }, async (_, writer) => {
        for (let n = 0; !stop; n++) {
          const key = `w${writer}-${n % 5}`
          try {
            await store.set({ key, value: json(`${n}`), metadata }, plain)
            confirmed.set(key, (confirmed.get(key) ?? 0) + 1)
          } catch (error) {
            expect(error).toMatchObject({ code: 'UNAVAILABLE' })
            unknown.add(key)
          }
        }
      })
      const some = (count: number) => () =>
        Promise.resolve([...confirmed.values()].reduce((a, b) => a + b, 0) > count)
      await until('the first writes', some(200))
      await service().kill()
      await service().restart()
      const before = [...confirmed.values()].reduce((a, b) => a + b, 0)
      await until('writes after the restart', some(before + 200))
      stop = true
      await Promise.all(writers)
      for (const [key, count] of confirmed) {
        const version = Number((await store.get({ key, metadata }, plain))!.etag)
        if (unknown.has(key)) expect(version).toBeGreaterThanOrEqual(count)
        else expect(version).toBe(count)
      }
      await store.close()
    })
  },
  { args: ['--appendonly', 'yes', '--appendfsync', 'always'] },
)

describeWithService('redis', 'a cluster', () => {
  let cluster: RedisGroup
  beforeAll(async () => {
    cluster = await startRedisCluster()
  }, 120_000)
  afterAll(() => cluster?.stop(), 60_000)

  test('serves keys of every node, lists and deletes them, and changes what is in one slot as a whole', async () => {
    const store = await open({ redisHost: cluster.address, redisType: 'cluster' })
    expect(store.capabilities.has('actor')).toBe(false)
    const keys = Array.from({ length: 60 }, (_, n) => `key-${n}`).toSorted()
    const requests = keys.map((key) => ({
      key,
      value: json(`"${key}"`),
      metadata,
      consistency: 'strong' as const,
    }))
    expect(await store.bulkSet!(requests, plain)).toEqual([])
    const found = await store.bulkGet!(
      keys.map((key) => ({ key, metadata })),
      plain,
    )
    expect(found.map(({ item }) => Buffer.from(item!.value.bytes).toString())).toEqual(
      keys.map((key) => `"${key}"`),
    )
    for (const node of cluster.nodes) expect(await say(node, 'DBSIZE')).not.toMatch(/^:0\r/)
    expect((await store.keysLike!({ pattern: 'key-%' }, plain)).keys).toEqual(keys)

    const apart = { operations: [upsert('key-1', '1'), upsert('key-2', '1')], metadata }
    const error = await rejection(store.transact!(apart, plain))
    expect([error.code, error.message]).toEqual(['UNSUPPORTED', expect.stringContaining('braces')])
    await store.transact!({ operations: [upsert('{a}1', '1'), upsert('{a}2', '2')], metadata }, plain)
    expect([await textOf(store, '{a}1'), await textOf(store, '{a}2')]).toEqual(['1', '2'])

    expect(await store.deleteWithPrefix!('key-', plain)).toBe(60)
    await store.close()
    const error2 = await rejection(store.get({ key: 'k', metadata }, plain))
    expect(error2.code).toBe('CLOSED')
  })

  test('seeds that are not there are named', async () => {
    const error = await rejection(
      open({ redisHost: '127.0.0.1:1', redisType: 'cluster', redisMaxRetries: '0' }),
    )
    expect([error.code, error.message]).toEqual(['UNAVAILABLE', expect.stringContaining('127.0.0.1:1')])
  })
})

describeWithService('redis', 'sentinels', () => {
  let group: RedisGroup
  beforeAll(async () => {
    group = await startRedisSentinel()
  }, 120_000)
  afterAll(() => group?.stop(), 60_000)

  test('lead to the master, strong writes reach the replica, and another master takes over', async () => {
    const store = await open({ redisHost: group.address, failover: 'true', sentinelMasterName: 'mymaster' })
    await store.set({ key: 'k', value: json('1'), consistency: 'strong', metadata }, plain)
    const [master, replica] = group.nodes
    expect(await say(replica!, 'HGET k data')).toContain('$1\r\n1\r\n')
    await master!.kill()
    await until('the replica to become the master', () =>
      store.set({ key: 'k', value: json('2'), metadata }, plain).then(
        () => true,
        () => false,
      ),
    )
    expect(await say(replica!, 'HGET k data')).toContain('$1\r\n2\r\n')
    await store.close()
  })

  test('an unknown master is an error that names the sentinel', async () => {
    const properties = {
      redisHost: group.address,
      failover: 'true',
      sentinelMasterName: 'nosuch',
      redisMaxRetries: '0',
    }
    const error = await rejection(open(properties))
    expect([error.code, error.message]).toEqual(['UNAVAILABLE', expect.stringContaining(group.address)])
  })
})
