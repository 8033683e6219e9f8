/** A metric with its samples, as a scrape sees it. */
export interface MetricFamily {
  /** `dapr_resiliency_count`. */
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

/** The content type of what `renderMetrics` writes. */
export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8'

/** Metrics in the text format of Prometheus (version 0.0.4). Families without samples are left out. */
export function renderMetrics(families: Iterable<MetricFamily>): string {
  let text = ''
  for (const { name, type, help, samples } of families) {
    if (samples.length === 0) continue
    text += `# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}\n# TYPE ${name} ${type}\n`
    for (const { labels, value } of samples) text += `${name}${labelsText(labels)} ${value}\n`
  }
  return text
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')
}
