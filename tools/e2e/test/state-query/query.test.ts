import { createRuntime, type Runtime } from '@outrigger/runtime'
import type { StateQuery } from '@outrigger/spec'
import { freePort } from '@outrigger/testkit'
import type { DaprClient } from '@dapr/dapr'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { component, modulesPath } from '../../src/index.ts'
import { clients, grpcClientOf } from '../client/clients.ts'
import { queryableState } from './queryable.ts'

const asked: StateQuery[] = []

let runtime: Runtime
let url: string
let grpcPort: number

beforeAll(async () => {
  const [httpPort, grpc] = [await freePort(), await freePort()]
  runtime = createRuntime({
    appId: 'shop',
    listen: true,
    httpPort,
    grpcPort: grpc,
    listenAddresses: ['127.0.0.1'],
    modulesPaths: [modulesPath],
    definitions: [queryableState(asked)],
    resources: [
      component('env', 'secretstores.local.env'),
      component('people', 'state.queryable'),
      component('secret', 'state.queryable', {
        metadata: { primaryEncryptionKey: { secret: 'STATE_KEY' } },
        secretStore: 'env',
      }),
      component('plain', 'state.in-memory'),
    ],
  })
  process.env['STATE_KEY'] = '00112233445566778899aabbccddeeff'
  await runtime.start()
  url = `http://127.0.0.1:${httpPort}`
  grpcPort = grpc
  const rows = [
    { key: 'a', value: { org: 'one', n: 1 } },
    { key: 'b', value: { org: 'two', n: 2 } },
    { key: 'c', value: { org: 'one', n: 3 } },
  ]
  const saved = await fetch(`${url}/v1.0/state/people`, { method: 'POST', body: JSON.stringify(rows) })
  expect(saved.status).toBe(204)
})
afterAll(async () => {
  delete process.env['STATE_KEY']
  await runtime.stop()
})

function query(store: string, body: unknown): Promise<Response> {
  return fetch(`${url}/v1.0-alpha1/state/${store}/query`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

test('over HTTP: keys without prefix, pages, nothing', async () => {
  const filter = { EQ: { org: 'one' } }
  const first = await query('people', { filter, page: { limit: 1 } })
  expect([first.status, await first.json()]).toEqual([
    200,
    { results: [{ key: 'a', data: { org: 'one', n: 1 }, etag: '1' }], token: '1' },
  ])
  const second = await query('people', { filter, page: { limit: 1, token: '1' } })
  expect(await second.json()).toEqual({ results: [{ key: 'c', data: { org: 'one', n: 3 }, etag: '1' }] })
  expect((await query('people', { filter: { EQ: { org: 'three' } } })).status).toBe(204)
})

test.each([
  ['people', '{', 400, 'ERR_STATE_QUERY'],
  ['people', { filter: { EQ: {} } }, 400, 'ERR_STATE_QUERY'],
  ['secret', {}, 500, 'ERR_STATE_QUERY'],
  ['plain', {}, 500, 'ERR_STATE_STORE_NOT_SUPPORTED'],
  ['none', {}, 400, 'ERR_STATE_STORE_NOT_FOUND'],
])('of %s, %j: %i %s', async (store, body, status, errorCode) => {
  const answer = await query(store, body)
  expect([answer.status, await answer.json()]).toMatchObject([status, { errorCode }])
})

test('a transaction of more operations than the store takes is refused', async () => {
  const operations = Array.from({ length: 4 }, (_, n) => ({
    operation: 'upsert',
    request: { key: `t${n}`, value: n },
  }))
  const answer = await fetch(`${url}/v1.0/state/people/transaction`, {
    method: 'POST',
    body: JSON.stringify({ operations }),
  })
  expect([answer.status, await answer.json()]).toMatchObject([
    400,
    {
      errorCode: 'ERR_STATE_STORE_TOO_MANY_TRANSACTIONS',
      details: [{ metadata: { currentOpsTransaction: '4', maxOpsPerTransaction: '3' } }, {}],
    },
  ])
})

describe.each(clients)('%s over gRPC', (_, sdk) => {
  let client: DaprClient
  beforeAll(async () => {
    client = grpcClientOf(sdk, { grpcPort })
    await client.start()
  })
  afterAll(() => client.stop())

  const ask = (store: string) =>
    client.state.query(store, {
      filter: { EQ: { org: 'two' } },
      sort: [{ key: 'n', order: 'DESC' }],
      page: { limit: 5 },
    } as never)

  test('the same rows', async () => {
    const found = await ask('people')
    expect(found.results.map(({ key }: { key: string }) => key)).toEqual(['b'])
    expect(asked.at(-1)).toMatchObject({ sort: [{ key: 'n', order: 'DESC' }], page: { limit: 5 } })
  })

  test.each(['secret', 'plain', 'none'])('the same refusals: %s', async (store) => {
    await expect(ask(store)).rejects.toThrow(
      {
        secret: 'state store secret query failed: cannot query encrypted store secret',
        plain: 'state store does not support querying',
        none: 'state store none is not found',
      }[store],
    )
  })
})
