import { waitFor } from '@outrigger/testkit'
import { createServer, type Server } from '@outrigger/wire'
import {
  createGrpcHandler,
  GrpcChannel,
  grpcStatus,
  rawCodec,
  type GrpcRoute,
  type ServerCall,
} from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Sidecar } from '../../src/index.ts'
import { World } from '../invoke/world.ts'
import { extraMemory, mostExtraMiB } from './memory.ts'

const piece = Buffer.alloc(64 * 1024, 'a message of a large stream ')
const gigabyte = 1024 * 1024 * 1024
const codec = { input: rawCodec, output: rawCodec }
const down = { path: '/streaming.Test/Down', kind: 'server-stream', ...codec } as const
const up = { path: '/streaming.Test/Up', kind: 'client-stream', ...codec } as const
const small = { path: '/streaming.Test/Small', kind: 'unary', ...codec } as const

describe.each([
  { name: 'plaintext', mtls: false },
  { name: 'mutual TLS', mtls: true },
])('streams of gRPC through two sidecars, with $name', ({ mtls }) => {
  let world: World
  let app: Server
  let caller: Sidecar
  let callee: Sidecar
  const client = createHttp2Client()
  let channel: GrpcChannel
  /** Messages that the application has sent or got in the call under way, and whether it was told of its end. */
  const seen = { messages: 0, aborted: false }
  const metadata = ['dapr-app-id', 'callee']

  beforeAll(async () => {
    const routes: GrpcRoute[] = [
      { method: small, handle: (message: Uint8Array) => message },
      {
        method: down,
        async *handle(request: Uint8Array, { signal }: ServerCall) {
          signal.addEventListener('abort', () => (seen.aborted = true))
          const count = Number(Buffer.from(request).toString()) / piece.length
          for (seen.messages = 0; seen.messages < count; seen.messages++) yield piece
        },
      },
      {
        method: up,
        async handle(requests: AsyncIterable<Uint8Array>, { signal }: ServerCall) {
          signal.addEventListener('abort', () => (seen.aborted = true))
          let bytes = 0
          for await (const message of requests) {
            seen.messages++
            bytes += message.length
          }
          return Buffer.from(String(bytes))
        },
      },
    ]
    world = await World.start({ mtls })
    app = createServer({ protocols: ['h2c'] }, createGrpcHandler({ routes }))
    const { port } = await app.listen({ host: '127.0.0.1', port: 0 })
    callee = await world.sidecar({ appId: 'callee', appPort: port!, flags: ['--app-protocol=grpc'] })
    caller = await world.sidecar({ appId: 'caller' })
    channel = new GrpcChannel({ origin: `http://127.0.0.1:${caller.grpcPort}`, client })
  })
  afterAll(async () => {
    client.close()
    await world?.end()
    await app?.close(AbortSignal.abort())
  })

  const warmUp = async (): Promise<void> => void (await channel.call(small, Buffer.from('x'), { metadata }))
  const grown = (stream: () => Promise<void>): Promise<readonly number[]> =>
    extraMemory([caller.child.pid, callee.child.pid], warmUp, stream)

  it('passes 1 GB of answers on without holding it', { timeout: 40_000 }, async () => {
    const extra = await grown(async () => {
      let bytes = 0
      for await (const message of channel.stream(down, Buffer.from(String(gigabyte)), { metadata }))
        bytes += message.length
      expect(bytes).toBe(gigabyte)
    })
    for (const mebibytes of extra) expect(mebibytes).toBeLessThan(mostExtraMiB)
  })

  it('passes 1 GB of requests on without holding it', { timeout: 40_000 }, async () => {
    async function* requests(): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent < gigabyte; sent += piece.length) yield piece
    }
    const extra = await grown(async () => {
      const answer = await channel.call(up, requests(), { metadata })
      expect(Buffer.from(answer).toString()).toBe(String(gigabyte))
    })
    for (const mebibytes of extra) expect(mebibytes).toBeLessThan(mostExtraMiB)
  })

  it('tells the application when the client has enough', async () => {
    seen.aborted = false
    const answers = channel.stream(down, Buffer.from(String(gigabyte)), { metadata })
    await answers.next()
    await answers.return(undefined)
    await waitFor(() => seen.aborted, { what: 'the application knows' })
    expect(seen.messages).toBeLessThan(gigabyte / piece.length)
  })

  it('tells the application when the client gives up in the middle of its requests', async () => {
    Object.assign(seen, { aborted: false, messages: 0 })
    const giveUp = new AbortController()
    async function* requests(): AsyncGenerator<Uint8Array> {
      yield piece
      await new Promise((resolve) => giveUp.signal.addEventListener('abort', resolve))
    }
    const call = channel.call(up, requests(), { metadata, signal: giveUp.signal })
    await waitFor(() => seen.messages === 1, { what: 'the first request came' })
    giveUp.abort()
    await expect(call).rejects.toMatchObject({ code: grpcStatus.CANCELLED })
    await waitFor(() => seen.aborted, { what: 'the application knows' })
  })
})
