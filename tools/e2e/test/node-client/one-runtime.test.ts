import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient, type Client } from '@outrigger/client'
import { createClient as createGrpcClient } from '@outrigger/client/grpc'
import { createClient as createInProcessClient } from '@outrigger/client/in-process'
import { createRuntime, type Runtime } from '@outrigger/runtime'
import { freePort, recordingLogger, tempFolder } from '@outrigger/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { component, modulesPath } from '../../src/index.ts'
import { queryableState } from '../state-query/queryable.ts'
import { much } from './rows.ts'

const clients: Record<string, Client> = {}
let runtime: Runtime

let removeKeys: () => Promise<void>

beforeAll(async () => {
  const { path: keys, remove } = await tempFolder()
  removeKeys = remove
  await writeFile(join(keys, 'aes.key'), Buffer.alloc(32, 7).toString('base64'))
  const ports = { http: await freePort(), grpc: await freePort() }
  runtime = createRuntime({
    appId: 'shop',
    listen: true,
    listenAddresses: ['127.0.0.1'],
    httpPort: ports.http,
    grpcPort: ports.grpc,
    apiToken: 'open sesame',
    logger: recordingLogger(),
    maxBodyBytes: 64 * 1024 * 1024,
    resources: [
      component('store', 'state.queryable'),
      component('keys', 'crypto.dapr.localstorage', { metadata: { path: keys } }),
    ],
    modulesPaths: [modulesPath],
    definitions: [queryableState()],
  })
  await runtime.start()
  const places = {
    httpEndpoint: `http://127.0.0.1:${ports.http}`,
    grpcEndpoint: `127.0.0.1:${ports.grpc}`,
    env: { DAPR_API_TOKEN: 'open sesame' },
  }
  clients['http'] = createClient(places)
  clients['grpc'] = createGrpcClient(places)
  clients['in-process'] = createInProcessClient({ runtime })
  const wrong = { ...places, apiToken: 'open barley' }
  clients['http, wrong token'] = createClient(wrong)
  clients['grpc, wrong token'] = createGrpcClient(wrong)
})

afterAll(async () => {
  await Promise.all(Object.values(clients).map((client) => client.close()))
  await runtime.stop()
  await removeKeys()
})

describe.each(['http', 'grpc', 'in-process'])('%s', (name) => {
  test('queries come in pages', async () => {
    const { state } = clients[name]!
    const rows = Array.from({ length: 3 }, (_, index) => ({
      key: `${name}${index}`,
      value: { by: name, index },
    }))
    await state.saveBulk('store', rows)
    const filter = { EQ: { by: name } }
    const first = await state.query('store', { filter, page: { limit: 2 } })
    expect(first.results.map((item) => [item.key, item.json()])).toEqual([
      [`${name}0`, { by: name, index: 0 }],
      [`${name}1`, { by: name, index: 1 }],
    ])
    expect(first.token).toBe('2')
    const last = await state.query('store', { filter, page: { limit: 2, token: first.token! } })
    expect(last.results.map(({ key }) => key)).toEqual([`${name}2`])
    expect(last.token).toBeUndefined()
    expect(await state.query('store', { filter: { EQ: { by: 'nobody' } } })).toEqual({
      results: [],
      token: undefined,
    })
  })

  test('a transaction has a largest size', async () => {
    const operations = Array.from({ length: 4 }, (_, index) => ({
      operation: 'upsert' as const,
      key: String(index),
      value: 1,
    }))
    await expect(clients[name]!.state.transaction('store', operations)).rejects.toMatchObject({
      errorCode: 'ERR_STATE_STORE_TOO_MANY_TRANSACTIONS',
      reason: 'DAPR_STATE_TOO_MANY_TRANSACTIONS',
      details: { metadata: { currentOpsTransaction: '4', maxOpsPerTransaction: '3' } },
    })
  })
})

describe.each(['http', 'grpc', 'in-process'])('%s', (name) => {
  test('a long stream goes in both directions at once', async () => {
    const { crypto } = clients[name]!
    const length = 20_000_000
    let read = 0
    let ahead = 0
    async function* counted(): AsyncGenerator<Uint8Array> {
      let sent = 0
      for await (const piece of much(length)) {
        sent += piece.length
        ahead = Math.max(ahead, sent - read)
        yield piece
      }
    }
    const sealed = crypto.encrypt('keys', counted(), { keyName: 'aes.key', keyWrapAlgorithm: 'A256KW' })
    const [opened, expected] = [createHash('sha256'), createHash('sha256')]
    for await (const piece of crypto.decrypt('keys', sealed)) {
      read += piece.length
      opened.update(piece)
    }
    for await (const piece of much(length)) expected.update(piece)
    expect(opened.digest('hex')).toBe(expected.digest('hex'))
    // Neither side holds it whole: a sidecar gathers 4 MiB for an answer over HTTP, the rest is on its way.
    expect(ahead).toBeLessThan(length)
  })
})

test('bytes that are no JSON go over gRPC and in-process, and are refused for HTTP', async () => {
  const bytes = Buffer.from([0, 255, 1])
  for (const name of ['grpc', 'in-process']) {
    await clients[name]!.state.save('store', 'bytes', bytes)
    for (const reader of ['http', 'grpc', 'in-process']) {
      expect(Buffer.from((await clients[reader]!.state.getItem('store', 'bytes'))!.bytes)).toEqual(bytes)
    }
  }
  await expect(clients['http']!.state.save('store', 'bytes', bytes)).rejects.toMatchObject({
    errorCode: 'ERR_CLIENT_UNSUPPORTED',
  })
})

test('a token that is wrong is the same error over HTTP and gRPC', async () => {
  for (const name of ['http', 'grpc']) {
    await expect(clients[`${name}, wrong token`]!.state.get('store', 'k')).rejects.toMatchObject({
      status: 401,
      grpcStatus: 'UNAUTHENTICATED',
      message: 'invalid api token',
      errorCode: undefined,
    })
  }
})
