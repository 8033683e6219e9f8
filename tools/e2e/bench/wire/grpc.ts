import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Settings } from '../harness/benchmark.ts'
import { Contender } from '../harness/process.ts'
import { atLeast, type Results } from '../harness/report.ts'
import { interleaveRuns, type Run, type Sample } from '../harness/rounds.ts'
import { grpcLoad } from './grpc-load.ts'

const flags = ['--conditions=@outrigger/source']
const program = join(import.meta.dirname, 'servers/grpc.ts')
const caller = join(import.meta.dirname, 'grpc-caller.ts')
const kinds = ['grpc-js', 'outrigger'] as const
const connections = 16
const target = 4
/** The case that has the target; with one stream there is little to batch. */
const crowded = '16 connections x 16 calls'
const shapes = { [crowded]: 16, '16 connections x 1 call': 1 }

/** Unary echo calls: the server and the client of each library. */
export async function grpcResults(settings: Settings): Promise<Results> {
  const servers: Contender[] = []
  const callers: ChildProcess[] = []
  try {
    for (const kind of kinds)
      servers.push(
        await Contender.listening(process.execPath, (port) => [...flags, program, kind, `${port}`]),
      )
    const fast = servers[kinds.indexOf('outrigger')]!
    const runs: Run[] = []
    for (const [shape, streams] of Object.entries(shapes)) {
      for (const [index, kind] of kinds.entries()) {
        const server = servers[index]!
        runs.push({
          ...named('server', shape, kind),
          measure: (calls) => callServer(server, streams, calls),
        })
      }
      for (const kind of kinds) {
        const argv = [kind, `${fast.port}`, `${connections}`, `${streams}`]
        const child = fork(caller, argv, { execArgv: flags })
        callers.push(child)
        runs.push({ ...named('client', shape, kind), measure: (calls) => callFrom(child, calls) })
      }
    }
    const rows = await interleaveRuns(runs, settings)
    const targets = rows
      .filter((row) => row.reference !== undefined && row.case.endsWith(crowded))
      .map((row) => atLeast(`${row.case}: calls a second over grpc-js`, row.throughputRatio!, target))
    return { rows, figures: [], targets }
  } finally {
    for (const child of callers) child.kill()
    for (const server of servers) await server.stop()
  }
}

function named(side: string, shape: string, kind: (typeof kinds)[number]): Omit<Run, 'measure'> {
  const name = { case: `gRPC ${side}, ${shape}`, contender: kind }
  return kind === 'grpc-js' ? name : { ...name, reference: 'grpc-js' }
}

async function callServer(server: Contender, streams: number, calls: number): Promise<Sample> {
  const before = server.cpuSeconds()
  const message = Buffer.alloc(64, 'message ')
  const result = await grpcLoad({
    port: server.port,
    path: '/bench.Echo/Call',
    message,
    calls,
    connections,
    streams,
  })
  return { ...result, cpuMicros: ((server.cpuSeconds() - before) * 1e6) / calls, rssMiB: server.rssMiB() }
}

async function callFrom(child: ChildProcess, calls: number): Promise<Sample> {
  const answered = new AbortController()
  const { signal } = answered
  child.send(calls)
  const first = Promise.race([once(child, 'message', { signal }), once(child, 'exit', { signal })])
  const [answer] = (await first.finally(() => answered.abort())) as [Sample | number | null]
  if (typeof answer !== 'object' || answer === null) throw new Error(`a gRPC client ended with ${answer}`)
  return answer
}
