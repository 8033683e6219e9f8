import { StateConcurrencyEnum, StateConsistencyEnum, type DaprClient } from '@dapr/dapr'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { component, endSidecars, startSidecar, type Sidecar } from '../../src/index.ts'
import { clientOf, clients, wireError } from './clients.ts'

const firstWrite = {
  concurrency: StateConcurrencyEnum.CONCURRENCY_FIRST_WRITE,
  consistency: StateConsistencyEnum.CONSISTENCY_STRONG,
}

let sidecar: Sidecar

beforeAll(async () => {
  sidecar = await startSidecar({
    resources: [
      component('store', 'state.sqlite', { metadata: { connectionString: 'state.db' } }),
      component('memory', 'state.in-memory'),
    ],
  })
})
afterAll(endSidecars)

describe.each(clients)('%s', (name, sdk) => {
  let client: DaprClient
  const key = (text: string): string => `${text}-${name.slice(-6)}`

  beforeAll(async () => {
    client = clientOf(sdk, sidecar)
    await client.start()
  })
  afterAll(() => client.stop())

  describe.each(['store', 'memory'])('%s', (store) => {
    test('saves and gets text, numbers, objects, lists and what is not there', async () => {
      const values = {
        text: 'pine "apple" ü',
        number: 12.5,
        object: { a: { b: [1, null, true] } },
        list: [1, 'two'],
        no: false,
      }
      const items = Object.entries(values).map(([name, value]) => ({ key: key(name), value }))
      expect(await client.state.save(store, items)).toEqual({})
      for (const [name, value] of Object.entries(values))
        expect(await client.state.get(store, key(name))).toEqual(value)
      expect(await client.state.get(store, key('absent'))).toBe('')
    })

    test('gets in bulk, with ETags', async () => {
      await client.state.save(store, [
        { key: key('bulk1'), value: 'one' },
        { key: key('bulk2'), value: { n: 2 } },
      ])
      const found = await client.state.getBulk(store, [key('bulk1'), key('bulk2'), key('absent')], {
        parallelism: 2,
      })
      expect(found).toEqual([
        { key: key('bulk1'), data: 'one', etag: expect.any(String) },
        { key: key('bulk2'), data: { n: 2 }, etag: expect.any(String) },
        { key: key('absent') },
      ])
    })

    test('a save with an ETag wins once, a stale one gets 409', async () => {
      await client.state.save(store, [{ key: key('etag'), value: 1 }])
      const [{ etag }] = (await client.state.getBulk(store, [key('etag')])) as unknown as [{ etag: string }]
      const next = (value: number) => [
        {
          key: key('etag'),
          value,
          etag,
          options: firstWrite,
        },
      ]
      expect(await client.state.save(store, next(2))).toEqual({})
      const { error } = await client.state.save(store, next(3))
      expect(wireError(error)).toMatchObject({ status: 409, errorCode: 'ERR_STATE_SAVE' })
      expect(await client.state.get(store, key('etag'))).toBe(2)
    })

    test('a first write of what is there already gets 409', async () => {
      const first = () => [
        {
          key: key('first'),
          value: 1,
          options: firstWrite,
        },
      ]
      expect(await client.state.save(store, first())).toEqual({})
      expect(wireError((await client.state.save(store, first())).error).status).toBe(409)
    })

    test('deletes, with an ETag only when it fits', async () => {
      await client.state.save(store, [{ key: key('gone'), value: 'x' }])
      const stale = await client.state.delete(store, key('gone'), { etag: '4711' })
      expect(wireError(stale.error)).toMatchObject({ errorCode: 'ERR_STATE_DELETE' })
      expect(wireError(stale.error).status).toBe(409)
      const [{ etag }] = (await client.state.getBulk(store, [key('gone')])) as unknown as [{ etag: string }]
      expect(await client.state.delete(store, key('gone'), { etag })).toEqual({})
      expect(await client.state.get(store, key('gone'))).toBe('')
      expect(await client.state.delete(store, key('gone'))).toEqual({})
    })

    test('a TTL goes along for one item and for a whole request, and shows when values end', async () => {
      await client.state.save(store, [{ key: key('ttl1'), value: 1, metadata: { ttlInSeconds: '1000' } }])
      await client.state.save(store, [{ key: key('ttl2'), value: 1 }], { metadata: { ttlInSeconds: '2000' } })
      await client.state.save(store, [{ key: key('ttl3'), value: 1 }])
      const found = (await client.state.getBulk(store, [
        key('ttl1'),
        key('ttl2'),
        key('ttl3'),
      ])) as unknown as {
        metadata?: { ttlExpireTime: string }
      }[]
      const inSeconds = found.map(
        ({ metadata }) => metadata && (Date.parse(metadata.ttlExpireTime) - Date.now()) / 1000,
      )
      expect(inSeconds[0]).toSatisfy((seconds: number) => seconds > 900 && seconds <= 1001)
      expect(inSeconds[1]).toSatisfy((seconds: number) => seconds > 1900 && seconds <= 2001)
      expect(inSeconds[2]).toBeUndefined()
    })

    test('a transaction does all or nothing', async () => {
      await client.state.save(store, [
        { key: key('t1'), value: 'old' },
        { key: key('t2'), value: 'old' },
      ])
      await client.state.transaction(store, [
        { operation: 'upsert', request: { key: key('t1'), value: 'new' } },
        { operation: 'delete', request: { key: key('t2') } },
        { operation: 'upsert', request: { key: key('t3'), value: { n: 1 } } },
      ])
      expect(await client.state.get(store, key('t1'))).toBe('new')
      expect(await client.state.get(store, key('t2'))).toBe('')
      expect(await client.state.get(store, key('t3'))).toEqual({ n: 1 })
      const failing = client.state.transaction(store, [
        { operation: 'upsert', request: { key: key('t1'), value: 'newer' } },
        { operation: 'delete', request: { key: key('t3'), etag: '4711' as never } },
      ])
      expect(wireError(await failing.catch((error: unknown) => error))).toMatchObject({
        status: 500,
        errorCode: 'ERR_STATE_TRANSACTION',
      })
      expect(await client.state.get(store, key('t1'))).toBe('new')
    })
  })

  test('errors name the store', async () => {
    const failed = await client.state.get('nosuch', 'k').catch((error: unknown) => error)
    expect(wireError(failed)).toMatchObject({
      status: 400,
      errorCode: 'ERR_STATE_STORE_NOT_FOUND',
      message: 'state store nosuch is not found',
    })
    const { error } = await client.state.save('store', [{ key: 'a||b', value: 1 }])
    expect(wireError(error)).toMatchObject({ status: 400, errorCode: 'ERR_MALFORMED_REQUEST' })
    const bad = await client.state.save('store', [{ key: 'a', value: 1, metadata: { ttlInSeconds: 'soon' } }])
    expect(wireError(bad.error)).toMatchObject({ status: 400 })
  })

  test('a query says that the store has none', async () => {
    const failed = await client.state
      .query('store', { filter: {}, sort: [], page: { limit: 1 } })
      .catch((error: unknown) => error)
    expect(wireError(failed)).toMatchObject({ status: 500, errorCode: 'ERR_STATE_STORE_NOT_SUPPORTED' })
  })
})
