import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GrpcChannel, rawCodec } from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import { deliverResults } from '../blocks/deliver.ts'
import { grpcCases, httpCases } from '../blocks/requests.ts'
import { startSidecar } from '../blocks/sidecars.ts'
import { steadyCalls } from '../blocks/steady-calls.ts'
import type { Benchmark, Settings } from '../harness/benchmark.ts'
import { Contender } from '../harness/process.ts'
import { atMost, joined, median, type Results } from '../harness/report.ts'
import { interleaveRuns, type Run, type Sample } from '../harness/rounds.ts'
import { load } from '../harness/load.ts'
import { grpcLoad, traceOf } from '../wire/grpc-load.ts'
import { percentile, steady } from '../wire/steady.ts'

const conditions = '--conditions=@outrigger/source'
const program = (name: string): string => join(import.meta.dirname, '..', name)
const bare = 'bare wire server'
const ours = 'outrigger'
const perSecond = 1000
const seconds = 2

/** The building blocks over HTTP and gRPC, against a server of the same wire that answers a constant. */
const benchmark: Benchmark = {
  parts: ['http', 'grpc', 'deliver', 'in-process'],
  defaults: { rounds: 5, requests: 20_000, connections: 16 },
  async run(settings) {
    const folder = await mkdtemp(join(tmpdir(), 'outrigger-bench-'))
    const started: Contender[] = []
    const wanted = (part: string): boolean => settings.only?.includes(part) ?? true
    try {
      const { sidecar, grpcPort } = await startSidecar(folder)
      started.push(sidecar)
      const http = await Contender.start(
        (port) => [conditions, program('servers/http1.ts'), 'wire', `${port}`],
        '/',
      )
      const grpc = await Contender.listening(process.execPath, (port) => [
        conditions,
        program('wire/servers/grpc.ts'),
        'outrigger',
        `${port}`,
      ])
      started.push(http, grpc)
      await load({ port: sidecar.port, ...settings, requests: 1, connections: 1, ...named('state set') })
      const results: Results[] = []
      if (wanted('http')) results.push(await overHttp(settings, sidecar, http))
      if (wanted('grpc')) results.push(await overGrpc(settings, sidecar, grpcPort, grpc))
      if (wanted('deliver')) results.push(await deliverResults(settings, folder))
      if (wanted('in-process')) results.push(inProcess())
      return joined(results)
    } finally {
      for (const contender of started) await contender.stop()
      await rm(folder, { recursive: true, force: true })
    }
  },
}
export default benchmark

type Name = keyof typeof httpCases
const names = Object.keys(httpCases) as Name[]

function named(name: Name): { request: (index: number) => string; expect: number } {
  const { request, status } = httpCases[name]
  return { request, expect: status }
}

async function overHttp(settings: Settings, sidecar: Contender, reference: Contender): Promise<Results> {
  const measure =
    (server: Contender, request: (index: number) => string, expect: number) =>
    (requests: number): Promise<Sample> =>
      sampled(server, requests, () =>
        load({ port: server.port, request, requests, connections: settings.connections, expect }),
      )
  const runs = names.flatMap((name): Run[] => {
    const { request, expect } = named(name)
    const text = `${name} over HTTP`
    return [
      // It answers 200 to whatever it is asked.
      { case: text, contender: bare, measure: measure(reference, request, 200) },
      { case: text, contender: ours, reference: bare, measure: measure(sidecar, request, expect) },
    ]
  })
  const rows = await interleaveRuns(runs, settings)
  const figures: Results['figures'][number][] = []
  for (const name of names) {
    const { request, expect } = named(name)
    const p99s = await ratiosOf(settings, async (server: Contender, status: number) =>
      percentile(await steady({ port: server.port, perSecond, seconds, request, expect: status }), 0.99),
    )([sidecar, expect], [reference, 200])
    figures.push(...p99Figures(`${name} over HTTP`, p99s))
  }
  return { rows, figures, targets: [] }
}

async function overGrpc(
  settings: Settings,
  sidecar: Contender,
  grpcPort: number,
  reference: Contender,
): Promise<Results> {
  const load16 = (port: number, path: string, message: Uint8Array, calls: number) =>
    grpcLoad({ port, path, message, calls, connections: settings.connections, streams: 1, anyAnswer: true })
  const echo = '/bench.Echo/Call'
  const runs = names.flatMap((name): Run[] => {
    const { path, message } = grpcCases[name]
    const text = `${name} over gRPC`
    return [
      {
        case: text,
        contender: bare,
        measure: (calls) => sampled(reference, calls, () => load16(reference.port, echo, message, calls)),
      },
      {
        case: text,
        contender: ours,
        reference: bare,
        measure: (calls) => sampled(sidecar, calls, () => load16(grpcPort, path, message, calls)),
      },
    ]
  })
  const rows = await interleaveRuns(runs, settings)
  const figures: Results['figures'][number][] = []
  const client = createHttp2Client()
  try {
    for (const name of names) {
      const { path, message } = grpcCases[name]
      const p99s = await ratiosOf(settings, async (port: number, called: string) => {
        const channel = new GrpcChannel({ origin: `http://127.0.0.1:${port}`, client })
        const method = { path: called, kind: 'unary' as const, input: rawCodec, output: rawCodec }
        const latencies = await steadyCalls(perSecond, seconds, (index) =>
          channel.call(method, message, { metadata: ['traceparent', traceOf(index)] }),
        )
        return percentile(latencies, 0.99)
      })([grpcPort, path], [reference.port, echo])
      figures.push(...p99Figures(`${name} over gRPC`, p99s))
    }
  } finally {
    client.close()
  }
  return { rows, figures, targets: [] }
}

async function sampled(
  server: Contender,
  requests: number,
  run: () => Promise<Pick<Sample, 'requestsPerSecond' | 'p50Ms' | 'p99Ms'>>,
): Promise<Sample> {
  const before = server.cpuSeconds()
  const result = await run()
  return {
    ...result,
    cpuMicros: ((server.cpuSeconds() - before) * 1e6) / requests,
    rssMiB: server.rssMiB(),
  }
}

interface P99s {
  readonly ours: number
  readonly ratio: number
}

/** Medians over interleaved rounds of one measure of ours and of the reference. */
function ratiosOf<A extends unknown[]>(settings: Settings, measure: (...args: A) => Promise<number>) {
  return async (own: A, reference: A): Promise<P99s> => {
    const pairs: [number, number][] = []
    for (let round = 0; round < settings.rounds; round++)
      pairs.push([await measure(...own), await measure(...reference)])
    return { ours: median(pairs.map(([first]) => first)), ratio: median(pairs.map(([a, b]) => a / b)) }
  }
}

function p99Figures(text: string, { ours: value, ratio }: P99s): Results['figures'] {
  return [
    { text: `${text} at ${perSecond}/s, p99`, value: value * 1000, unit: 'us' },
    { text: `${text} at ${perSecond}/s, p99 over the bare server's`, value: ratio, unit: 'x' },
  ]
}

function inProcess(): Results {
  const output = execFileSync(process.execPath, [conditions, program('blocks/direct.ts')], {
    encoding: 'utf8',
  })
  const micros = Number(output) / 1000
  return {
    rows: [],
    figures: [{ text: 'state get in-process', value: micros, unit: 'us' }],
    targets: [atMost('state get in-process, us', micros, 5)],
  }
}
