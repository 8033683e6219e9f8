import type { Section } from '../resources/section.ts'

const keys = ['enabled', 'recordErrorCodes', 'http', 'latencyDistributionBuckets', 'workflow', 'rules']

/** `spec.metric` and `spec.metrics` mean the same; either can switch metrics off. */
export function readMetrics(spec: Section, part: { metricsEnabled?: boolean }): void {
  for (const name of ['metric', 'metrics']) {
    const section = spec.section(name)?.known(keys)
    if (section === undefined) continue
    const enabled = section.bool('enabled')
    if (enabled !== undefined) part.metricsEnabled = enabled && part.metricsEnabled !== false
    for (const key of keys.slice(1)) {
      if (!section.has(key)) continue
      const text = 'has no effect: metrics of requests and workflows are not built yet'
      section.report.add('warn', section.lineOf(key), `${section.path}.${key}`, text)
    }
  }
}
