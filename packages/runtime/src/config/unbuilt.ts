import type { Section } from '../resources/section.ts'

/** Sections that change how much is seen or how fast, so that a start without them does no harm. */
const harmless: Readonly<Record<string, string>> = {
  tracing: 'tracing is not built yet: nothing is exported',
  metric: 'metrics are not built yet: none are offered',
  metrics: 'metrics are not built yet: none are offered',
  nameResolution: 'name resolution is not built yet: only the own application can be invoked',
  workflow: 'workflows are not built yet',
  wasm: 'WebAssembly components are not built yet',
}

/**
 * One line for each section that asks for what is not built yet. Where the section protects something the line is
 * fatal: a runtime that ignores it would be open where its owner believes it closed.
 */
export function reportUnbuilt(spec: Section): void {
  const { report } = spec
  for (const [name, text] of Object.entries(harmless)) {
    const section = spec.section(name)
    if (section === undefined || section.tree.entries.size === 0) continue
    if (section.has('enabled') && section.bool('enabled') === false) continue
    report.add('warn', spec.lineOf(name), `spec.${name}`, `has no effect: ${text}`)
  }
  const mtls = spec.section('mtls')
  if (mtls?.bool('enabled') === true) {
    const text = 'asks for mutual TLS, which is not built yet: set it to false to start without'
    report.add('fatal', mtls.lineOf('enabled'), 'spec.mtls.enabled', text)
  }
  const access = spec.section('accessControl')
  const denies = (access?.text('defaultAction') ?? '').toLowerCase() === 'deny'
  if (access !== undefined && (denies || access.list('policies').length > 0)) {
    const text = 'limits who may call the application, which is not built yet: remove it to start without'
    report.add('fatal', spec.lineOf('accessControl'), 'spec.accessControl', text)
  }
}
