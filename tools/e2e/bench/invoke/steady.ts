import { GrpcChannel, rawCodec } from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import { steadyCalls } from '../blocks/steady-calls.ts'
import { Connection } from '../harness/load.ts'
import { traceOf } from '../wire/grpc-load.ts'
import type { Latencies } from '../wire/steady.ts'

export interface SteadyOptions {
  readonly port: number
  readonly connections: number
  readonly perSecond: number
  readonly seconds: number
}

/** Requests at a steady rate, whether or not answers come back in time; what finds no free connection waits for one. */
export async function steadyHttp(
  { port, connections, perSecond, seconds }: SteadyOptions,
  request: (index: number) => string,
): Promise<Latencies> {
  const all = Array.from({ length: connections }, () => new Connection(port))
  try {
    await Promise.all(all.map((connection) => connection.open()))
    const free = [...all]
    const waiting: ((connection: Connection) => void)[] = []
    return await steadyCalls(perSecond, seconds, async (index) => {
      const connection = free.pop() ?? (await new Promise<Connection>((resolve) => waiting.push(resolve)))
      const status = await connection.exchange(request(index))
      if (status !== 200) throw new Error(`answered ${status}`)
      const next = waiting.shift()
      if (next === undefined) free.push(connection)
      else next(connection)
    })
  } finally {
    for (const connection of all) connection.close()
  }
}

/** The same with unary calls, in turn on each connection. */
export async function steadyGrpc(
  { port, connections, perSecond, seconds }: SteadyOptions,
  { path, message, metadata }: { path: string; message: Uint8Array; metadata: readonly string[] },
): Promise<Latencies> {
  const clients = Array.from({ length: connections }, () => createHttp2Client({ maxConnections: 1 }))
  const origin = `http://127.0.0.1:${port}`
  const channels = clients.map((client) => new GrpcChannel({ origin, client }))
  const method = { path, kind: 'unary' as const, input: rawCodec, output: rawCodec }
  const call = async (channel: GrpcChannel, index: number): Promise<void> => {
    const answer = await channel.call(method, message, {
      metadata: [...metadata, 'traceparent', traceOf(index)],
    })
    if (answer.length !== message.length) throw new Error(`answered with ${answer.length} bytes`)
  }
  try {
    await Promise.all(channels.map(call))
    return await steadyCalls(perSecond, seconds, (index) => call(channels[index % connections]!, index))
  } finally {
    for (const client of clients) client.close()
  }
}
