import type { MetadataItem, Source } from '../resources/model.ts'
import type { Section } from '../resources/section.ts'
import { textOf } from '../resources/yaml.ts'

/** `spec.nameResolution`: how applications are found. */
export interface NameResolutionSettings {
  /** `sqlite`, `mdns`: the component type without `nameresolution.`, lower-cased. */
  readonly component: string
  readonly version: string | undefined
  /** Values that are no text as JSON. */
  readonly configuration: readonly MetadataItem[]
  readonly source: Source
}

/** Reads the section; one without a component means the default. */
export function readNameResolution(
  spec: Section,
  file: string,
  part: { nameResolution?: NameResolutionSettings },
): void {
  const section = spec.section('nameResolution')?.known(['component', 'version', 'configuration'])
  const component = section?.text('component')?.trim().toLowerCase() || undefined
  if (section === undefined || component === undefined) return
  const configuration = section.section('configuration')
  const entries = configuration === undefined ? [] : [...configuration.tree.entries]
  part.nameResolution = {
    component: component.replace(/^nameresolution\./, ''),
    version: section.text('version')?.trim().toLowerCase() || undefined,
    configuration: entries.map(([name, { line, node }]) => ({ name, value: textOf(node), line })),
    source: { file, line: section.line },
  }
}
