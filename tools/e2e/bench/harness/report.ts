import type { Settings } from './benchmark.ts'

/** Medians of one contender over all rounds. */
export interface Row {
  readonly case: string
  readonly contender: string
  /** The contender of the same case that this one is held against; `undefined` for the reference itself. */
  readonly reference?: string
  readonly requestsPerSecond: number
  readonly cpuMicros: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly rssMiB: number
  /** CPU per request over the reference's, and its requests per second over the reference's; medians of the rounds' ratios. */
  readonly cpuRatio?: number
  readonly throughputRatio?: number
}

export interface Target {
  readonly text: string
  readonly value: number
  readonly limit: number
  readonly met: boolean
}

export interface Results {
  readonly rows: readonly Row[]
  /** Other figures, with their units. */
  readonly figures: readonly { readonly text: string; readonly value: number; readonly unit: string }[]
  readonly targets: readonly Target[]
  /** What was not measured, by name, and why. */
  readonly omitted?: readonly string[]
}

export interface Report extends Results {
  readonly benchmark: string
  readonly at: string
  readonly node: string
  readonly settings: Settings
}

/** Several results as those of one run. */
export function joined(parts: readonly Results[]): Results {
  return {
    rows: parts.flatMap((part) => part.rows),
    figures: parts.flatMap((part) => part.figures),
    targets: parts.flatMap((part) => part.targets),
    omitted: parts.flatMap((part) => part.omitted ?? []),
  }
}

/** A target that is met when the value is not above the limit. */
export function atMost(text: string, value: number, limit: number): Target {
  return { text, value, limit, met: value <= limit }
}

/** A target that is met when the value is not below the limit. */
export function atLeast(text: string, value: number, limit: number): Target {
  return { text, value, limit, met: value >= limit }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export function renderReport(report: Report): string {
  const { settings } = report
  const lines = [
    `${report.benchmark}: medians of ${settings.rounds} interleaved rounds, ${settings.requests} requests on ${settings.connections} connections each, Node.js ${report.node}`,
    '',
  ]
  const heading = [
    'case',
    'contender',
    'req/s',
    'CPU us',
    'p50 ms',
    'p99 ms',
    'RSS MiB',
    'CPU ratio',
    'req/s ratio',
  ]
  const cells = report.rows.map((row) => [
    row.case,
    row.contender,
    row.requestsPerSecond.toFixed(0),
    row.cpuMicros.toFixed(1),
    row.p50Ms.toFixed(2),
    row.p99Ms.toFixed(2),
    row.rssMiB.toFixed(0),
    row.cpuRatio === undefined ? '(reference)' : row.cpuRatio.toFixed(2),
    row.throughputRatio?.toFixed(2) ?? '',
  ])
  const widths = heading.map((_, column) =>
    Math.max(...[heading, ...cells].map((row) => row[column]!.length)),
  )
  for (const row of [heading, ...cells])
    lines.push(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
  if (report.figures.length > 0) lines.push('')
  for (const { text, value, unit } of report.figures) lines.push(`${text}: ${value.toFixed(1)} ${unit}`)
  if (report.targets.length > 0) lines.push('')
  for (const { text, value, limit, met } of report.targets) {
    lines.push(`${met ? 'met   ' : 'MISSED'}  ${text}: ${value.toFixed(2)} (${limit})`)
  }
  for (const text of report.omitted ?? []) lines.push(`LEFT OUT  ${text}`)
  return `${lines.join('\n')}\n`
}
