import type { Settings } from './benchmark.ts'
import { load } from './load.ts'
import type { Contender } from './process.ts'
import { median, type Row } from './report.ts'

/** One contender in one case. */
export interface Entry {
  readonly case: string
  readonly contender: string
  readonly reference?: string
  readonly server: Contender
  readonly request: (index: number) => string
  readonly expect: number
}

/** What one run of a contender showed. */
export interface Sample {
  readonly requestsPerSecond: number
  readonly cpuMicros: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly rssMiB: number
}

/** A contender that brings its own way to be measured. */
export interface Run {
  readonly case: string
  readonly contender: string
  readonly reference?: string
  readonly measure: (requests: number) => Promise<Sample>
}

/** Warms every entry up, then runs all of them in turn in every round. */
export function interleave(entries: readonly Entry[], settings: Settings): Promise<Row[]> {
  const runs = entries.map((entry) => ({
    ...entry,
    measure: (requests: number) => measure(entry, settings, requests),
  }))
  return interleaveRuns(runs, settings)
}

export async function interleaveRuns(runs: readonly Run[], settings: Settings): Promise<Row[]> {
  const samples = new Map<Run, Sample[]>(runs.map((run) => [run, []]))
  for (const run of runs) await run.measure(Math.ceil(settings.requests / 2))
  for (let round = 1; round <= settings.rounds; round++) {
    settings.progress(`round ${round} of ${settings.rounds}`)
    for (const run of runs) samples.get(run)!.push(await run.measure(settings.requests))
  }
  return runs.map((run) => {
    const own = samples.get(run)!
    const reference = runs.find((other) => other.case === run.case && other.contender === run.reference)
    const theirs = reference === undefined ? undefined : samples.get(reference)!
    const middle = (pick: (sample: Sample) => number): number => median(own.map(pick))
    const ratio = (pick: (sample: Sample) => number): number =>
      median(own.map((sample, round) => pick(sample) / pick(theirs![round]!)))
    return {
      case: run.case,
      contender: run.contender,
      requestsPerSecond: middle((sample) => sample.requestsPerSecond),
      cpuMicros: middle((sample) => sample.cpuMicros),
      p50Ms: middle((sample) => sample.p50Ms),
      p99Ms: middle((sample) => sample.p99Ms),
      rssMiB: middle((sample) => sample.rssMiB),
      ...(run.reference !== undefined && {
        reference: run.reference,
        cpuRatio: ratio((sample) => sample.cpuMicros),
        throughputRatio: ratio((sample) => sample.requestsPerSecond),
      }),
    }
  })
}

async function measure(entry: Entry, settings: Settings, requests: number): Promise<Sample> {
  const { server, request, expect } = entry
  const before = server.cpuSeconds()
  const result = await load({
    port: server.port,
    request,
    requests,
    connections: settings.connections,
    expect,
  })
  const cpuMicros = ((server.cpuSeconds() - before) * 1e6) / requests
  return { ...result, cpuMicros, rssMiB: server.rssMiB() }
}
