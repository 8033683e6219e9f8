// A gRPC client in a process of its own: `outrigger PORT CONNECTIONS STREAMS` or `grpc-js ...`.
// Told a number of calls over IPC, makes them and answers with what it took.
import type { Sample } from '../harness/rounds.ts'
import { traceOf } from './grpc-load.ts'

const [, , kind, port, connections, streams] = process.argv
const path = '/bench.Echo/Call'
const message = Buffer.alloc(64, 'message ')
/** One call on connection `index`, with a `traceparent` of its own. */
type Call = (index: number, traceparent: string) => Promise<Uint8Array>
const call = kind === 'outrigger' ? await ours() : await grpcJs()

async function ours(): Promise<Call> {
  const { createHttp2Client } = await import('@outrigger/wire/http2')
  const { GrpcChannel, rawCodec } = await import('@outrigger/wire/grpc')
  const method = { path, kind: 'unary' as const, input: rawCodec, output: rawCodec }
  const channels = Array.from(
    { length: Number(connections) },
    () => new GrpcChannel({ origin: `http://127.0.0.1:${port}`, client: createHttp2Client() }),
  )
  return (index, traceparent) =>
    channels[index]!.call(method, message, { metadata: ['traceparent', traceparent] })
}

async function grpcJs(): Promise<Call> {
  const { Client, Metadata, credentials } = await import('@grpc/grpc-js')
  const same = (bytes: Buffer): Buffer => bytes
  const clients = Array.from(
    { length: Number(connections) },
    () =>
      new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 }),
  )
  return (index, traceparent) =>
    new Promise((resolve, reject) => {
      const metadata = new Metadata()
      metadata.set('traceparent', traceparent)
      clients[index]!.makeUnaryRequest(path, same, same, message, metadata, (error, answer) =>
        error === null ? resolve(answer!) : reject(error),
      )
    })
}

async function measure(calls: number): Promise<Sample> {
  const latencies = new Float64Array(calls)
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  let next = 0
  const caller = async (index: number): Promise<void> => {
    while (next < calls) {
      const own = next++
      const sentAt = performance.now()
      const answer = await call(index, traceOf(own))
      if (answer.length !== message.length) throw new Error('not the echo')
      latencies[own] = performance.now() - sentAt
    }
  }
  await Promise.all(
    Array.from({ length: Number(connections) * Number(streams) }, (_, index) =>
      caller(index % Number(connections)),
    ),
  )
  const elapsed = performance.now() - startedAt
  const { user, system } = process.cpuUsage(cpu)
  latencies.sort()
  return {
    requestsPerSecond: (calls / elapsed) * 1000,
    cpuMicros: (user + system) / calls,
    p50Ms: latencies[Math.floor(calls * 0.5)]!,
    p99Ms: latencies[Math.floor(calls * 0.99)]!,
    rssMiB: process.memoryUsage.rss() / 1024 / 1024,
  }
}

process.on('message', (calls: number) => {
  measure(calls).then(
    (sample) => process.send!(sample),
    (error: unknown) => {
      throw error
    },
  )
})
