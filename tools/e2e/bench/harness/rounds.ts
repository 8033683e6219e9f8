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

interface Sample {
  readonly requestsPerSecond: number
  readonly cpuMicros: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly rssMiB: number
}

/** Warms every entry up, then runs all of them in turn in every round. */
export async function interleave(entries: readonly Entry[], settings: Settings): Promise<Row[]> {
  const samples = new Map<Entry, Sample[]>(entries.map((entry) => [entry, []]))
  for (const entry of entries) await measure(entry, settings, Math.ceil(settings.requests / 2))
  for (let round = 1; round <= settings.rounds; round++) {
    settings.progress(`round ${round} of ${settings.rounds}`)
    for (const entry of entries) samples.get(entry)!.push(await measure(entry, settings, settings.requests))
  }
  return entries.map((entry) => {
    const own = samples.get(entry)!
    const reference = entries.find(
      (other) => other.case === entry.case && other.contender === entry.reference,
    )
    const theirs = reference === undefined ? undefined : samples.get(reference)!
    const middle = (pick: (sample: Sample) => number): number => median(own.map(pick))
    const ratio = (pick: (sample: Sample) => number): number =>
      median(own.map((sample, round) => pick(sample) / pick(theirs![round]!)))
    return {
      case: entry.case,
      contender: entry.contender,
      requestsPerSecond: middle((sample) => sample.requestsPerSecond),
      cpuMicros: middle((sample) => sample.cpuMicros),
      p50Ms: middle((sample) => sample.p50Ms),
      p99Ms: middle((sample) => sample.p99Ms),
      rssMiB: middle((sample) => sample.rssMiB),
      ...(entry.reference !== undefined && {
        reference: entry.reference,
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
