import { AppCallback } from '@outrigger/proto/appcallback'
import { routesOf, type HandlersOf } from '@outrigger/proto/serve'
import { freePort } from '@outrigger/testkit'
import { createServer } from '@outrigger/wire'
import { createGrpcHandler, GrpcError, grpcStatus } from '@outrigger/wire/grpc'
import { afterEach, expect, it } from 'vitest'
import { callbacks } from '../src/app/callbacks.ts'
import { AppBusyError, neverReached, type GrpcAppChannel } from '../src/app/channel.ts'
import { createGrpcAppChannel, type GrpcChannelOptions } from '../src/app/grpc-channel.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function serve(handlers: HandlersOf<typeof AppCallback>, port = 0): Promise<number> {
  const handler = createGrpcHandler({ routes: routesOf(AppCallback, handlers) })
  const server = createServer({ protocols: ['h2c'] }, handler)
  const bound = await server.listen({ host: '127.0.0.1', port })
  closing.push(() => server.close(AbortSignal.abort()))
  return bound.port!
}

function connect(port: number, options: Partial<GrpcChannelOptions> = {}): GrpcAppChannel {
  const channel = createGrpcAppChannel({ host: '127.0.0.1', port, secure: false, ...options })
  closing.push(() => channel.close())
  return channel
}

const invoke = { method: 'go', contentType: 'text/plain' }

it('calls with metadata, the token and the deadline, and hands back what came along', async () => {
  const port = await serve({
    onInvoke({ method }, call) {
      call.setMetadata(['x-head', '1'])
      call.setTrailers(['x-tail', '2'])
      const seen = ['dapr-api-token', 'x-a'].map((name) => call.metadata.get(name))
      return { contentType: JSON.stringify([method, ...seen, (call.timeoutMs ?? 0) > 0]) }
    },
  })
  const channel = connect(port, { appApiToken: 'secret' })
  const seen: unknown[] = []
  const answer = await channel.call(callbacks.onInvoke, invoke, {
    metadata: ['x-a', 'b', 'dapr-api-token', 'forged'],
    timeoutMs: 60_000,
    onMetadata: (fields) => seen.push(fields.get('x-head')),
    onTrailers: (fields) => seen.push(fields.get('x-tail')),
  })
  expect([answer.contentType, seen]).toEqual(['["go","secret","b",true]', ['1', '2']])
  const plain = await connect(port).call(callbacks.onInvoke, invoke, { metadata: ['dapr-api-token', 'x'] })
  expect(plain.contentType).toBe('["go",null,null,false]')
})

it('tells an application that is not there from one that failed, and finds it when it comes', async () => {
  const port = await freePort()
  const channel = connect(port)
  const missing = await channel.call(callbacks.onInvoke, invoke).catch((error: unknown) => error)
  expect([missing, neverReached(missing)]).toEqual([
    expect.objectContaining({ name: 'GrpcError', code: grpcStatus.UNAVAILABLE }),
    true,
  ])
  await serve(
    {
      onInvoke() {
        throw new GrpcError(grpcStatus.UNAVAILABLE, 'not today')
      },
    },
    port,
  )
  const failed = await channel.call(callbacks.onInvoke, invoke).catch((error: unknown) => error)
  expect([(failed as Error).message, neverReached(failed)]).toEqual(['not today', false])
})

it('lets so many calls under way and so many wait; those that are given up free their place', async () => {
  const open: (() => void)[] = []
  const port = await serve({
    async onInvoke() {
      await new Promise<void>((resolve) => open.push(resolve))
      return {}
    },
    listInputBindings: () => ({}),
  })
  const channel = connect(port, { maxConcurrency: 1, maxWaiting: 1 })
  const life = new AbortController()
  const first = channel.call(callbacks.onInvoke, invoke, { signal: life.signal })
  await expect.poll(() => open.length).toBe(1)
  const waiting = new AbortController()
  const second = channel.call(callbacks.onInvoke, invoke, { signal: waiting.signal })
  await expect(channel.call(callbacks.onInvoke, invoke)).rejects.toBeInstanceOf(AppBusyError)
  await channel.call(callbacks.listInputBindings, {}, { unlimited: true })
  waiting.abort()
  await expect(second).rejects.toMatchObject({ code: grpcStatus.CANCELLED })
  const third = channel.call(callbacks.listInputBindings, {})
  life.abort()
  await expect(first).rejects.toMatchObject({ code: grpcStatus.CANCELLED })
  await third
})

it('takes no larger answer than it may', async () => {
  const port = await serve({ onInvoke: () => ({ data: { typeUrl: '', value: Buffer.alloc(5000) } }) })
  const answer = connect(port, { maxMessageBytes: 1000 }).call(callbacks.onInvoke, invoke)
  await expect(answer).rejects.toMatchObject({ code: grpcStatus.RESOURCE_EXHAUSTED })
})
