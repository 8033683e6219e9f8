import { create, methodsOf, type DescMessage, type Method } from '@outrigger/proto'
import { Dapr } from '@outrigger/proto/runtime'
import { detailsOf } from '@outrigger/proto/status'
import { errorTable } from '@outrigger/runtime'
import { GrpcChannel, grpcStatusName, isGrpcError, type GrpcMethod } from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorld, type World } from './world.ts'

const runs = Number(process.env['OUTRIGGER_FUZZ_RUNS'] ?? 80)
const seed = Number(process.env['OUTRIGGER_SEED'] ?? 20261121)
const parameters = { numRuns: runs, seed }

let world: World
const client = createHttp2Client()
beforeAll(async () => {
  world = await startWorld()
})
afterAll(async () => {
  client.close()
  await world.runtime.stop()
})

/** A well-formed request for each method of these blocks. */
const requests: Readonly<Record<string, object>> = {
  getState: { storeName: 'store', key: 'k' },
  getBulkState: { storeName: 'store', keys: ['k'], parallelism: 2 },
  saveState: {
    storeName: 'store',
    states: [{ key: 'k', value: Buffer.from('1'), options: { concurrency: 1 } }],
  },
  queryStateAlpha1: { storeName: 'store', query: '{"filter":{}}' },
  deleteState: { storeName: 'store', key: 'k', etag: { value: '1' } },
  deleteBulkState: { storeName: 'store', states: [{ key: 'k' }] },
  executeStateTransaction: {
    storeName: 'store',
    operations: [{ operationType: 'upsert', request: { key: 'k', value: Buffer.from('1') } }],
  },
  publishEvent: {
    pubsubName: 'bus',
    topic: 'orders',
    data: Buffer.from('{}'),
    dataContentType: 'application/json',
  },
  bulkPublishEvent: {
    pubsubName: 'bus',
    topic: 'orders',
    entries: [{ entryId: '1', event: Buffer.from('{}') }],
  },
  bulkPublishEventAlpha1: { pubsubName: 'bus', topic: 'orders', entries: [{ entryId: '1' }] },
  invokeBinding: { name: 'files', operation: 'create', data: Buffer.from('x'), metadata: { fileName: 'f' } },
  getSecret: { storeName: 'vault', key: 'password' },
  getBulkSecret: { storeName: 'vault' },
  getConfiguration: { storeName: 'settings', keys: ['a'] },
  getConfigurationAlpha1: { storeName: 'settings', keys: ['a'] },
  unsubscribeConfiguration: { storeName: 'settings', id: 'x' },
  tryLockAlpha1: { storeName: 'locks', resourceId: 'r', lockOwner: 'o', expiryInSeconds: 5 },
  unlockAlpha1: { storeName: 'locks', resourceId: 'r', lockOwner: 'o' },
  subtleGetKeyAlpha1: { componentName: 'keys', name: 'aes' },
  subtleEncryptAlpha1: {
    componentName: 'keys',
    plaintext: Buffer.from('x'),
    algorithm: 'A256GCM',
    keyName: 'aes',
  },
  subtleDecryptAlpha1: {
    componentName: 'keys',
    ciphertext: Buffer.from('x'),
    algorithm: 'A256GCM',
    keyName: 'aes',
  },
  subtleWrapKeyAlpha1: {
    componentName: 'keys',
    plaintextKey: Buffer.from('x'),
    algorithm: 'A256KW',
    keyName: 'aes',
  },
  subtleUnwrapKeyAlpha1: {
    componentName: 'keys',
    wrappedKey: Buffer.from('x'),
    algorithm: 'A256KW',
    keyName: 'aes',
  },
  subtleSignAlpha1: { componentName: 'keys', digest: Buffer.from('x'), algorithm: 'RS256', keyName: 'aes' },
  subtleVerifyAlpha1: {
    componentName: 'keys',
    digest: Buffer.from('x'),
    signature: Buffer.from('y'),
    algorithm: 'RS256',
    keyName: 'aes',
  },
  setMetadata: { key: 'a', value: 'b' },
  getMetadata: {},
  encryptAlpha1: {
    options: { componentName: 'keys', keyName: 'aes', keyWrapAlgorithm: 'A256KW' },
    payload: { data: Buffer.from('x') },
  },
  decryptAlpha1: { options: { componentName: 'keys' }, payload: { data: Buffer.from('x') } },
  subscribeTopicEventsAlpha1: {
    subscribeTopicEventsRequestType: { case: 'initialRequest', value: { pubsubName: 'bus', topic: '' } },
  },
}

const methods = methodsOf(Dapr) as unknown as Readonly<Record<string, Method>>
const reasons = new Set(
  Object.values(errorTable).flatMap((row) => ['reason' in row ? row.reason : row.code, row.code] as string[]),
)

/** Sends these bytes as the request and reads the answer to its end. */
async function send(
  name: string,
  bytes: Uint8Array,
): Promise<{ code: string; reason: string | undefined; message: string; wrote: boolean }> {
  const { path, kind } = methods[name]!
  const raw: GrpcMethod<Uint8Array, Uint8Array> = {
    path,
    kind,
    input: { encode: (given: Uint8Array) => given, decode: (given: Uint8Array) => given },
    output: { encode: (given: Uint8Array) => given, decode: (given: Uint8Array) => given },
  } as never
  const channel = new GrpcChannel({ origin: `http://127.0.0.1:${world.grpcPort}`, client })
  const before = world.writes()
  const streams = kind === 'bidi' || kind === 'client-stream'
  const stop = new AbortController()
  try {
    for await (const _ of channel.stream(raw, (streams ? one(bytes) : bytes) as never, {
      signal: stop.signal,
      timeoutMs: 20_000,
    }))
      void _
    return { code: 'OK', reason: undefined, message: '', wrote: false }
  } catch (error) {
    if (!isGrpcError(error)) throw error
    return {
      code: grpcStatusName(error.code),
      reason: detailsOf(error).reason,
      message: error.message,
      wrote: world.writes() > before,
    }
  } finally {
    stop.abort()
  }
}

async function* one<T>(value: T): AsyncGenerator<T> {
  yield value
}

/** Served; or refused with a reason of the catalogue, or because it is no such message. */
function judge({ code, reason, message, wrote }: Awaited<ReturnType<typeof send>>): void {
  if (code === 'OK') return
  const told = `${code} ${reason} ${message}`
  if (reason === undefined) {
    expect(told).toMatch(/cannot be decoded|initial request is required|INVALID_ARGUMENT|deadline/)
    expect(wrote, told).toBe(false)
    return
  }
  expect(reasons, told).toContain(reason)
  expect(message).not.toBe('')
  if (code === 'INVALID_ARGUMENT' && reason !== 'ERR_STATE_SAVE') expect(wrote, told).toBe(false)
}

describe.each(Object.keys(requests))('%s', (name) => {
  const method = methods[name]!
  const good = method.input.encode(
    create(
      (Dapr.method as never as Record<string, { input: DescMessage }>)[name]!.input,
      requests[name] as never,
    ) as never,
  )

  test('any bytes', { timeout: 60_000 }, () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (bytes) => judge(await send(name, bytes))),
      parameters,
    ),
  )

  test('a message with some bytes changed', { timeout: 60_000 }, () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        async (changes) => {
          const bytes = Uint8Array.from(good.length === 0 ? [8, 1] : good)
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte
          judge(await send(name, bytes))
        },
      ),
      parameters,
    ),
  )

  test('a message that is cut off', { timeout: 60_000 }, async () => {
    for (let length = 0; length < good.length; length++) judge(await send(name, good.subarray(0, length)))
  })
})

test('the runtime is unharmed, and nothing was unforeseen', async () => {
  expect((await fetch(`${world.url}/v1.0/healthz`)).status).toBe(204)
  const errors = world.logger.records.filter(({ level }) => level === 'error').map(({ message }) => message)
  expect(errors.filter((message) => /foresaw|unexpected/.test(message))).toEqual([])
})
