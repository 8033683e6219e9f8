import { join } from 'node:path'
import type { Settings } from '../harness/benchmark.ts'
import { load } from '../harness/load.ts'
import type { Contender } from '../harness/process.ts'
import { atLeast, atMost, median, type Results } from '../harness/report.ts'
import { interleaveRuns, type Run, type Sample } from '../harness/rounds.ts'
import { makeCertificates } from '../wire/certificates.ts'
import { grpcLoad, traceOf } from '../wire/grpc-load.ts'
import { installed } from '../wire/installed.ts'
import { percentile, type Latencies } from '../wire/steady.ts'
import {
  callee,
  startApplication,
  startHaproxies,
  startSentry,
  startSidecars,
  type Chain,
  type Protocol,
} from './chains.ts'
import { steadyGrpc, steadyHttp } from './steady.ts'

const inFlight = 64
const perSecond = 1000
const seconds = 3
const shares = { p50: 0.5, p90: 0.9, p99: 0.99 } as const
const echo = '/bench.Echo/Call'
const message = Buffer.alloc(1024, '1 KB of a message ')
const metadata = ['dapr-app-id', callee]
const text = message.toString('latin1')

function request(index: number): string {
  return `POST /v1.0/invoke/${callee}/method/echo HTTP/1.1\r\nhost: bench\r\naccept: */*\r\nuser-agent: bench\r\ntraceparent: ${traceOf(index)}\r\ncontent-type: application/octet-stream\r\ncontent-length: ${text.length}\r\n\r\n${text}`
}

/** Client -> sidecar -> sidecar -> application, against two haproxies with the same between them. */
export async function invokeResults(
  settings: Settings,
  folder: string,
  protocol: Protocol,
  secure: boolean,
): Promise<Results> {
  const name = `${protocol === 'http' ? 'HTTP' : 'gRPC'}${secure ? ' with mTLS' : ''}`
  if (secure && !installed('openssl', 'version'))
    return { rows: [], figures: [], targets: [], omitted: [`${name}: openssl is not installed`] }
  const haproxy = installed('haproxy', '-v')
  const started: Contender[] = []
  const add = (chain: Chain): Chain => {
    started.push(...chain.hops)
    return chain
  }
  try {
    const application = await startApplication(protocol)
    started.push(application)
    const chains: Chain[] = []
    if (haproxy) {
      const files = secure ? makeCertificates(folder) : undefined
      chains.push(add(await startHaproxies(folder, protocol, application.port, files)))
    }
    const sentry = secure ? await startSentry(folder) : undefined
    if (sentry !== undefined) started.push(sentry.process)
    chains.push(add(await startSidecars(join(folder, 'sidecars'), protocol, application.port, sentry)))
    const crowded = `${name}, ${inFlight} in flight`
    const runs = chains.map((chain, index): Run => {
      const reference = index > 0 ? { reference: chains[0]!.name } : {}
      const measure = (requests: number): Promise<Sample> => crowd(protocol, chain, requests)
      return { case: crowded, contender: chain.name, ...reference, measure }
    })
    const rows = await interleaveRuns(runs, settings)
    const calm = await atSteadyRate(name, protocol, application.port, chains, settings)
    const ratio = rows.find((row) => row.throughputRatio !== undefined)?.throughputRatio
    const targets =
      ratio === undefined ? [] : [atLeast(`${crowded}: requests a second over haproxy`, ratio, 0.33)]
    const omitted = haproxy ? [] : [`${name}, all targets: haproxy is not installed`]
    return { rows, figures: calm.figures, targets: [...targets, ...calm.targets], omitted }
  } finally {
    for (const process of started.toReversed()) await process.stop()
  }
}

/** As many as can be, 64 at a time. CPU is that of both hops, memory that of the larger one. */
async function crowd(protocol: Protocol, { port, hops }: Chain, requests: number): Promise<Sample> {
  const before = cpuOf(hops)
  const result =
    protocol === 'http'
      ? await load({ port, request, requests, connections: inFlight, expect: 200 })
      : await grpcLoad({
          port,
          path: echo,
          message,
          calls: requests,
          connections: 16,
          streams: inFlight / 16,
          metadata,
          anyAnswer: true,
        })
  const cpuMicros = ((cpuOf(hops) - before) * 1e6) / requests
  return { ...result, cpuMicros, rssMiB: Math.max(...hops.map((hop) => hop.rssMiB())) }
}

/** 1,000 a second: what the hops add to the application's own time, and what a call costs them. */
async function atSteadyRate(
  name: string,
  protocol: Protocol,
  application: number,
  chains: readonly Chain[],
  { rounds, connections, progress }: Settings,
): Promise<Pick<Results, 'figures' | 'targets'>> {
  const steady = (port: number): Promise<Latencies> => {
    const options = { port, connections, perSecond, seconds }
    return protocol === 'http'
      ? steadyHttp(options, request)
      : steadyGrpc(options, { path: echo, message, metadata })
  }
  const samples = chains.map((chain) => ({
    chain,
    cpu: [] as number[],
    added: { p50: [] as number[], p90: [] as number[], p99: [] as number[] },
  }))
  for (let round = 1; round <= rounds; round++) {
    progress(`${name}: steady round ${round} of ${rounds}`)
    const direct = await steady(application)
    for (const { chain, cpu, added } of samples) {
      const before = cpuOf(chain.hops)
      const latencies = await steady(chain.port)
      cpu.push(((cpuOf(chain.hops) - before) * 1e6) / (perSecond * seconds))
      for (const [key, share] of entries(shares))
        added[key].push((percentile(latencies, share) - percentile(direct, share)) * 1000)
    }
  }
  const at = `${name} at ${perSecond}/s`
  const figures = samples.flatMap(({ chain, cpu, added }) => [
    ...entries(added).map(([key, values]) => ({
      text: `${at}: ${chain.name}, added ${key}`,
      value: median(values),
      unit: 'us',
    })),
    { text: `${at}: ${chain.name}, CPU of both hops for a call`, value: median(cpu), unit: 'us' },
  ])
  const [theirs, ours] = samples
  if (ours === undefined) return { figures, targets: [] }
  // In a single round next to nothing may be added; the medians are what can be divided.
  const over = (key: keyof typeof shares): number => median(ours.added[key]) / median(theirs!.added[key])
  const cpuRatio = median(ours.cpu) / median(theirs!.cpu)
  const ratios = [
    ...(['p90', 'p99'] as const).map((key) => ({
      text: `${at}: added ${key} over haproxy`,
      value: over(key),
      unit: 'x',
    })),
    { text: `${at}: CPU for a call over haproxy`, value: cpuRatio, unit: 'x' },
  ]
  return {
    figures: [...figures, ...ratios],
    targets: [atMost(`${at}: added p50 over haproxy`, over('p50'), 3)],
  }
}

function cpuOf(hops: readonly Contender[]): number {
  return hops.reduce((sum, hop) => sum + hop.cpuSeconds(), 0)
}

function entries<K extends string, V>(record: Readonly<Record<K, V>>): [K, V][] {
  return Object.entries(record) as [K, V][]
}
