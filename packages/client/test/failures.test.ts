import { createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { join } from 'node:path'
import { routesOf } from '@outrigger/proto/serve'
import { Dapr } from '@outrigger/proto/runtime'
import { createServer, type Fields, type Server, type ServerRequest } from '@outrigger/wire'
import { createGrpcHandler, GrpcError, grpcStatus } from '@outrigger/wire/grpc'
import { freePort, tempFolder } from '@outrigger/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createClient as createGrpcClient } from '../src/grpc/index.ts'
import { createClient, isOutriggerError, OutriggerError, type Client } from '../src/index.ts'

const env = {}
const large = 300_000
const requests: ServerRequest[] = []
const metadata: Fields[] = []
/** Calls that are never answered. */
const hanging: (() => void)[] = []
const hang = (): Promise<never> =>
  new Promise<never>((_, reject) => hanging.push(() => reject(new Error('over'))))

let http: Server
let grpc: Server
let breaking: TcpServer
const ports = { http: 0, grpc: 0, breaking: 0, nothing: 0 }
const clients: Client[] = []

type Settings = { readonly timeoutMs?: number; readonly maxBodyBytes?: number; readonly apiToken?: string }
type Place = 'serving' | 'breaking' | 'nothing'

const make: Readonly<Record<string, (place: Place, settings?: Settings) => Client>> = {
  http: (place, settings) =>
    remembered(
      createClient({
        env,
        httpEndpoint: `http://127.0.0.1:${place === 'serving' ? ports.http : ports[place]}`,
        ...settings,
      }),
    ),
  grpc: (place, settings) =>
    remembered(
      createGrpcClient({
        env,
        grpcEndpoint: `127.0.0.1:${place === 'serving' ? ports.grpc : ports[place]}`,
        ...settings,
      }),
    ),
}

function remembered(client: Client): Client {
  clients.push(client)
  return client
}

beforeAll(async () => {
  http = createServer({}, async (request, response) => {
    requests.push(request)
    if (request.path.endsWith('/hang')) return hang()
    if (request.path.endsWith('/large')) return response.send(200, [], Buffer.alloc(large, 0x31))
    if (request.path.endsWith('/garbage'))
      return response.send(200, ['content-type', 'application/json'], '{"a":')
    if (request.path.includes('/publish/bulk/'))
      return response.send(
        500,
        [],
        '{"failedEntries":[{"entryId":"1","error":"no"}],"errorCode":"ERR_PUBSUB_PUBLISH_MESSAGE"}',
      )
    if (request.path.includes('/encrypt')) {
      const writer = response.start(200)
      for await (const chunk of request.body) await writer.write(chunk)
      return writer.end()
    }
    if (request.path.endsWith('/trickle')) {
      const writer = response.start(200, ['content-type', 'text/event-stream'])
      void writer.write('one')
      return hang()
    }
    response.send(200, [], '1')
  })
  const handlers = routesOf(Dapr, {
    async getState({ key }, call) {
      metadata.push(call.metadata)
      if (key === 'hang') return hang()
      if (key === 'large') return { data: Buffer.alloc(large, 0x31) }
      if (key === 'bare') throw new GrpcError(grpcStatus.NOT_FOUND, 'nothing of that name')
      return { data: Buffer.from('1') }
    },
    async *encryptAlpha1(pieces) {
      for await (const { payload } of pieces) if (payload !== undefined) yield { payload }
    },
  })
  grpc = createServer(
    { protocols: ['h2c'] },
    createGrpcHandler({ routes: handlers, onError: () => undefined }),
  )
  // Whoever says anything is cut off.
  breaking = createTcpServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.destroy())
  })
  const address = { host: '127.0.0.1', port: 0 }
  ports.http = (await http.listen(address)).port!
  ports.grpc = (await grpc.listen(address)).port!
  await new Promise<void>((resolve) => breaking.listen(0, '127.0.0.1', resolve))
  ports.breaking = (breaking.address() as { port: number }).port
  ports.nothing = await freePort()
})

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  for (const end of hanging.splice(0)) end()
})

afterAll(async () => {
  await Promise.all([http.close(AbortSignal.abort()), grpc.close(AbortSignal.abort())])
  await new Promise((resolve) => breaking.close(resolve))
})

describe.each(['http', 'grpc'])('over %s', (name) => {
  const get = (client: Client, key: string, signal?: AbortSignal): Promise<unknown> =>
    client.state.get('store', key, signal === undefined ? {} : { signal })

  test('a sidecar that is not there', async () => {
    const failure = await get(make[name]!('nothing'), 'k').catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(OutriggerError)
    expect(failure).toMatchObject({
      errorCode: 'ERR_CLIENT_UNAVAILABLE',
      status: 503,
      grpcStatus: 'UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining(`http://127.0.0.1:${ports.nothing}`),
    })
    expect(await make[name]!('nothing').health()).toBe(false)
  })

  test('a sidecar that breaks off', async () => {
    await expect(get(make[name]!('breaking'), 'k')).rejects.toMatchObject({
      errorCode: 'ERR_CLIENT_UNAVAILABLE',
    })
  })

  test('a sidecar that does not answer in time', async () => {
    await expect(get(make[name]!('serving', { timeoutMs: 50 }), 'hang')).rejects.toMatchObject({
      errorCode: 'ERR_CLIENT_TIMEOUT',
      status: 504,
      grpcStatus: 'DEADLINE_EXCEEDED',
    })
  })

  test('a signal that aborts, before and in the middle', async () => {
    const client = make[name]!('serving')
    await expect(get(client, 'k', AbortSignal.abort())).rejects.toMatchObject({
      errorCode: 'ERR_CLIENT_CANCELLED',
    })
    const stop = new AbortController()
    const call = get(client, 'hang', stop.signal)
    stop.abort(new Error('enough'))
    await expect(call).rejects.toMatchObject({ errorCode: 'ERR_CLIENT_CANCELLED', grpcStatus: 'CANCELLED' })
    await expect(get(client, 'hang', AbortSignal.timeout(20))).rejects.toMatchObject({
      errorCode: 'ERR_CLIENT_TIMEOUT',
    })
  })

  test('an answer that is too large', async () => {
    expect(await get(make[name]!('serving', { maxBodyBytes: large + 100 }), 'large')).toBeTypeOf('number')
    await expect(get(make[name]!('serving', { maxBodyBytes: 1000 }), 'large')).rejects.toMatchObject({
      errorCode: 'ERR_CLIENT_TOO_LARGE',
      message: expect.stringContaining('maxBodyBytes'),
    })
  })

  test('a client that is closed, during a call and after', async () => {
    const client = make[name]!('serving')
    const call = get(client, 'hang')
    const closed = expect(call).rejects.toMatchObject({ errorCode: 'ERR_CLIENT_CLOSED' })
    await client.state.get('store', 'k')
    await client.close()
    await closed
    await client.close()
    await expect(get(client, 'k')).rejects.toMatchObject({ errorCode: 'ERR_CLIENT_CLOSED' })
  })

  test('a client ends with its block', async () => {
    let kept: Client
    {
      await using client = make[name]!('serving')
      kept = client
      expect(await get(client, 'k')).toBe(1)
    }
    await expect(get(kept, 'k')).rejects.toMatchObject({ errorCode: 'ERR_CLIENT_CLOSED' })
  })

  test('a stream whose source fails tells just that', async () => {
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x')
      throw new RangeError('the disk is gone')
    }
    const wrap = { keyName: 'k', keyWrapAlgorithm: 'AES' }
    const read = async (): Promise<void> => {
      for await (const _ of make[name]!('serving').crypto.encrypt('keys', source(), wrap)) continue
    }
    await expect(read()).rejects.toThrow(new RangeError('the disk is gone'))
  })

  test('token and trace go along', async () => {
    const client = make[name]!('serving', { apiToken: 'sesame' })
    const trace = {
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'a=b',
      baggage: 'c=d',
    }
    requests.length = 0
    metadata.length = 0
    await client.state.get('store', 'k', trace)
    // The request that broke off before may arrive only now.
    const sent = requests.find(({ path }) => path === '/v1.0/state/store/k')
    const fields = name === 'http' ? sent!.fields : metadata[0]!
    for (const [field, value] of Object.entries({ ...trace, 'dapr-api-token': 'sesame' }))
      expect(fields.get(field)).toBe(value)
  })
})

describe('over HTTP', () => {
  test('an answer that nobody understands', async () => {
    await expect(make['http']!('serving').state.get('store', 'garbage')).rejects.toMatchObject({
      errorCode: 'ERR_CLIENT_ANSWER',
    })
    await expect(make['http']!('serving').secrets.get('store', 'garbage')).rejects.toMatchObject({
      errorCode: 'ERR_CLIENT_ANSWER',
    })
  })

  test('who is cut off in the middle of a stream hears of the limit that it may have met', async () => {
    const wrap = { keyName: 'k', keyWrapAlgorithm: 'AES' }
    const stream = make['http']!('breaking').crypto.encrypt('keys', Buffer.alloc(1000), wrap)
    await expect(stream.next()).rejects.toMatchObject({
      errorCode: 'ERR_CLIENT_UNAVAILABLE',
      message: expect.stringContaining('--max-body-size'),
    })
  })

  test('some entries of many fail', async () => {
    const result = await make['http']!('serving').pubsub.publishBulk('bus', 'orders', [
      { data: 1 },
      { data: 2 },
    ])
    expect(result).toEqual({ failed: [{ entryId: '1', error: 'no' }] })
  })

  test('an endpoint may have a path, and a Unix socket', async () => {
    const { path, remove } = await tempFolder()
    onTestFinished(remove)
    const socket = join(path, 'sidecar.sock')
    await http.listen({ path: socket })
    requests.length = 0
    await remembered(createClient({ env, httpEndpoint: `http://127.0.0.1:${ports.http}/dapr/` })).state.get(
      'store',
      'k',
    )
    await remembered(createClient({ env, httpEndpoint: `unix:${socket}` })).state.get('store', 'k')
    expect(requests.map((request) => request.path)).toEqual([
      '/dapr/v1.0/state/store/k',
      '/v1.0/state/store/k',
    ])
  })

  test('names cannot lead elsewhere', async () => {
    requests.length = 0
    const client = make['http']!('serving')
    await client.state.get('..', '../a?b#c')
    await client.state.get('a', '.')
    expect(requests.map(({ path, query }) => [path, query])).toEqual([
      ['/v1.0/state/%2E%2E/..%2Fa%3Fb%23c', ''],
      ['/v1.0/state/a/%2E', ''],
    ])
    await expect(client.state.get('a', '\ud800')).rejects.toMatchObject({ errorCode: 'ERR_CLIENT_ARGUMENT' })
  })

  test("what cannot be sent is the caller's mistake", async () => {
    const { state, invoke } = make['http']!('serving')
    const wrong = { errorCode: 'ERR_CLIENT_ARGUMENT', status: 400 }
    await expect(state.get('store', 'k', { traceparent: 'a\r\nx: y' })).rejects.toMatchObject(wrong)
    await expect(invoke('shop', 'echo', { headers: { 'a b': 'c' } })).rejects.toMatchObject(wrong)
    await expect(invoke('shop', 'echo', { headers: { a: '€' } })).rejects.toMatchObject(wrong)
  })

  test('an answer may come for ever, until its reader has enough or the time is over', async () => {
    const client = make['http']!('serving', { timeoutMs: 50 })
    const response = await client.invoke('shop', 'trickle')
    const reader = response.body!.getReader()
    expect(Buffer.from((await reader.read()).value!).toString()).toBe('one')
    await reader.cancel()
    const stop = new AbortController()
    const other = await client.invoke('shop', 'trickle', { signal: stop.signal })
    const text = other.text()
    stop.abort()
    await expect(text).rejects.toMatchObject({ errorCode: 'ERR_CLIENT_CANCELLED' })
  })

  test('changes of configuration need an app', async () => {
    await expect(make['http']!('serving').configuration.subscribe('settings')).rejects.toMatchObject({
      errorCode: 'ERR_CLIENT_UNSUPPORTED',
    })
  })
})

test('a status of gRPC that says nothing more', async () => {
  const failure: unknown = await make['grpc']!('serving')
    .state.get('store', 'bare')
    .catch((error: unknown) => error)
  expect(isOutriggerError(failure)).toBe(true)
  expect(failure).toMatchObject({
    status: 404,
    grpcStatus: 'NOT_FOUND',
    errorCode: undefined,
    reason: undefined,
    message: 'nothing of that name',
    details: {},
  })
  expect(isOutriggerError(failure, 'ERR_STATE_GET')).toBe(false)
  expect(isOutriggerError(new Error('x'))).toBe(false)
})
