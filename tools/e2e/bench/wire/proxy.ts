import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Settings } from '../harness/benchmark.ts'
import { load } from '../harness/load.ts'
import type { Contender } from '../harness/process.ts'
import { atLeast, atMost, median, type Results } from '../harness/report.ts'
import { interleaveRuns, type Run, type Sample } from '../harness/rounds.ts'
import { makeCertificates } from './certificates.ts'
import { startApplication, startHaproxies, startOurs, type Chain } from './chains.ts'
import { traceOf } from './grpc-load.ts'
import { installed } from './installed.ts'
import { percentile, steady } from './steady.ts'

const inFlight = 64
const crowded = `two hops with mTLS, ${inFlight} in flight`
const perSecond = 1000
const seconds = 3

/** Client -> first hop -> mutual TLS -> second hop -> application, against two haproxies. */
export async function proxyResults(settings: Settings): Promise<Results> {
  if (!installed('openssl', 'version'))
    return { rows: [], figures: [], targets: [], omitted: [`${crowded}: openssl is not installed`] }
  const haproxy = installed('haproxy', '-v')
  const folder = await mkdtemp(join(tmpdir(), 'outrigger-bench-'))
  const started: Contender[] = []
  const add = (chain: Chain): Chain => {
    started.push(...chain.hops)
    return chain
  }
  try {
    const files = makeCertificates(folder)
    const application = await startApplication()
    started.push(application)
    const chains = haproxy ? [add(await startHaproxies(folder, files, application.port))] : []
    for (const between of ['grpc', 'http2'] as const)
      chains.push(add(await startOurs(between, application.port, files)))
    const rows = await interleaveRuns(
      chains.map((chain): Run => {
        const name = { case: crowded, contender: chain.name }
        const reference = haproxy && chain !== chains[0] ? { reference: chains[0]!.name } : {}
        return { ...name, ...reference, measure: (requests) => measure(chain, requests) }
      }),
      settings,
    )
    const calm = await measureSteady(application.port, chains, settings, haproxy)
    const targets = rows
      .filter((row) => row.throughputRatio !== undefined)
      .map((row) =>
        atLeast(`${crowded}: ${row.contender}, requests a second over haproxy`, row.throughputRatio!, 0.5),
      )
    const omitted = haproxy ? [] : [`${crowded}, haproxy and all targets: haproxy is not installed`]
    return { rows, figures: calm.figures, targets: [...targets, ...calm.targets], omitted }
  } finally {
    for (const process of started) await process.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

let traces = 0
function request(): string {
  return `GET /v1.0/state/store/key HTTP/1.1\r\nhost: 127.0.0.1:3500\r\naccept: */*\r\nuser-agent: bench\r\ntraceparent: ${traceOf(++traces)}\r\n\r\n`
}

/** CPU is that of both hops, memory that of the larger one. */
async function measure({ port, hops }: Chain, requests: number): Promise<Sample> {
  const cpu = (): number => hops.reduce((sum, hop) => sum + hop.cpuSeconds(), 0)
  const before = cpu()
  const result = await load({ port, request, requests, connections: inFlight, expect: 200 })
  const cpuMicros = ((cpu() - before) * 1e6) / requests
  return { ...result, cpuMicros, rssMiB: Math.max(...hops.map((hop) => hop.rssMiB())) }
}

/** A steady 1,000 a second: what the hops add to the application's own time, and the slowest of a hundred. */
async function measureSteady(
  application: number,
  chains: readonly Chain[],
  settings: Settings,
  haproxy: boolean,
): Promise<Pick<Results, 'figures' | 'targets'>> {
  const samples = chains.map((chain) => ({ chain, added: [] as number[], p99: [] as number[] }))
  for (let round = 1; round <= settings.rounds; round++) {
    settings.progress(`steady round ${round} of ${settings.rounds}`)
    const direct = percentile(await steady({ port: application, perSecond, seconds, request }), 0.5)
    for (const { chain, added, p99 } of samples) {
      const latencies = await steady({ port: chain.port, perSecond, seconds, request })
      added.push((percentile(latencies, 0.5) - direct) * 1000)
      p99.push(percentile(latencies, 0.99) * 1000)
    }
  }
  const at = `at ${perSecond}/s`
  const figures = samples.flatMap(({ chain, added, p99 }) => [
    { text: `two hops with mTLS ${at}: ${chain.name}, added p50`, value: median(added), unit: 'us' },
    { text: `two hops with mTLS ${at}: ${chain.name}, total p99`, value: median(p99), unit: 'us' },
  ])
  if (!haproxy) return { figures, targets: [] }
  const [theirs, ...own] = samples
  const ratio = (mine: readonly number[], others: readonly number[]): number =>
    median(mine.map((value, round) => value / others[round]!))
  return {
    figures,
    targets: own.flatMap(({ chain, added, p99 }) => [
      atMost(`${at}: ${chain.name}, added p50 over haproxy`, ratio(added, theirs!.added), 2),
      atMost(`${at}: ${chain.name}, total p99 over haproxy`, ratio(p99, theirs!.p99), 3),
    ]),
  }
}
