import { expect } from 'vitest'
import { failureOf, type Calls } from './world.ts'

export const stateCalls: Calls = {
  async 'state.save'({ client, key }) {
    const saved = await client.state.save('store', [
      { key: key('a'), value: { n: 1 } },
      { key: key('b'), value: 'text', metadata: { ttlInSeconds: '1000' } },
    ])
    expect(saved).toEqual({})
    expect(await client.state.get('store', key('a'))).toEqual({ n: 1 })
    expect(await failureOf(client.state.save('nosuch', [{ key: 'a', value: 1 }]))).toContain('nosuch')
  },

  async 'state.get'({ client, key, sdk }) {
    await client.state.save('store', [{ key: key('get'), value: [1, 'two'] }])
    const options = { consistency: sdk.StateConsistencyEnum.CONSISTENCY_STRONG, metadata: { a: 'b' } }
    expect(await client.state.get('store', key('get'), options)).toEqual([1, 'two'])
    expect(await client.state.get('store', key('absent'))).toBe('')
    await expect(client.state.get('nosuch', 'k')).rejects.toThrow('state store nosuch is not found')
  },

  async 'state.getBulk'({ client, key }) {
    await client.state.save('store', [
      { key: key('m1'), value: 1 },
      { key: key('m2'), value: { two: 2 } },
    ])
    const found = await client.state.getBulk('store', [key('m1'), key('m2')], { parallelism: 1 })
    expect(found.map(({ key: name, data }) => [name, data])).toEqual([
      [key('m1'), 1],
      [key('m2'), { two: 2 }],
    ])
  },

  async 'state.delete'({ client, key, sdk }) {
    await client.state.save('store', [{ key: key('gone'), value: 1 }])
    const stale = client.state.delete('store', key('gone'), {
      etag: '4711',
      concurrency: sdk.StateConcurrencyEnum.CONCURRENCY_FIRST_WRITE,
    })
    expect(await failureOf(stale)).toMatch(/etag/i)
    expect(await client.state.get('store', key('gone'))).toBe(1)
    expect(await client.state.delete('store', key('gone'))).toEqual({})
    expect(await client.state.get('store', key('gone'))).toBe('')
  },

  async 'state.transaction'({ client, key }) {
    await client.state.save('store', [{ key: key('t1'), value: 'old' }])
    await client.state.transaction(
      'store',
      [
        { operation: 'upsert', request: { key: key('t2'), value: 'new' } },
        { operation: 'delete', request: { key: key('t1') } },
      ],
      { a: 'b' } as never,
    )
    expect(await client.state.get('store', key('t1'))).toBe('')
    expect(await client.state.get('store', key('t2'))).toBe('new')
    await expect(
      client.state.transaction('nosuch', [{ operation: 'delete', request: { key: 'k' } }]),
    ).rejects.toThrow('nosuch')
  },

  async 'state.query'({ client, key }) {
    const org = key('org')
    await client.state.save('people', [
      { key: key('q1'), value: { org, n: 1 } },
      { key: key('q2'), value: { org: 'another', n: 2 } },
    ])
    const query = { filter: { EQ: { org } }, sort: [], page: { limit: 10 } }
    const { results } = await client.state.query('people', query)
    // Over gRPC the data is bytes.
    const rows = results.map(({ key: name, data }: { key: string; data: unknown }) => [
      name,
      data instanceof Uint8Array ? JSON.parse(Buffer.from(data).toString()) : data,
    ])
    expect(rows).toEqual([[key('q1'), { org, n: 1 }]])
    await expect(client.state.query('store', query)).rejects.toThrow('does not support querying')
  },
}
