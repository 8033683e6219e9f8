import type { Section } from '../resources/section.ts'

/** Sections that change how much is seen or how fast, so that a start without them does no harm. */
const harmless: Readonly<Record<string, string>> = {
  tracing: 'tracing is not built yet: nothing is exported',
  workflow: 'workflows are not built yet',
}

/** One line for each section that asks for what is not built yet. */
export function reportUnbuilt(spec: Section): void {
  const { report } = spec
  for (const [name, text] of Object.entries(harmless)) {
    const section = spec.section(name)
    if (section === undefined || section.tree.entries.size === 0) continue
    if (section.has('enabled') && section.bool('enabled') === false) continue
    report.add('warn', spec.lineOf(name), `spec.${name}`, `has no effect: ${text}`)
  }
}
