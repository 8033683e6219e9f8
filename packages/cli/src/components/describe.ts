import { describeComponent } from '@outrigger/runtime'
import type { ComponentDefinition, MetadataField } from '@outrigger/spec'
import { CliFailure } from '../failure.ts'
import { table } from '../table.ts'

/** What a component is and what its metadata may say, from its own definition. */
export async function describe(
  type: string,
  searchFrom: readonly string[],
  asJson: boolean,
): Promise<string> {
  let definition: ComponentDefinition
  try {
    definition = await describeComponent(type, { searchFrom })
  } catch (error) {
    throw new CliFailure((error as Error).message, { cause: error })
  }
  return asJson ? JSON.stringify(plain(definition), null, 2) : text(definition)
}

function plain(definition: ComponentDefinition): object {
  const { type, title, description, aliases, deviations, contract } = definition
  const versions = Object.entries(definition.versions).map(([version, { metadata, capabilities }]) => ({
    version,
    capabilities,
    metadata: metadata.fields,
  }))
  return { type, title, description, aliases, contract, versions, deviations }
}

function text(definition: ComponentDefinition): string {
  const lines = [`${definition.type}  ${definition.title}`]
  if (definition.description !== undefined) lines.push(definition.description)
  if (definition.aliases !== undefined && definition.aliases.length > 0)
    lines.push(`Also: ${definition.aliases.join(', ')}`)
  for (const [version, { metadata, capabilities }] of Object.entries(definition.versions)) {
    lines.push('', `Version ${version}`)
    lines.push(`Capabilities: ${capabilities.length === 0 ? 'none' : capabilities.join(', ')}`)
    if (metadata.fields.length === 0) {
      lines.push('Metadata: none')
      continue
    }
    lines.push('', table(['FIELD', 'TYPE', 'REQUIRED', 'DEFAULT', 'DESCRIPTION'], metadata.fields.map(row)))
    if (metadata.openPrefixes.length > 0)
      lines.push(`And fields that begin with ${metadata.openPrefixes.join(', ')}`)
  }
  for (const { capability, reason } of definition.deviations ?? [])
    lines.push('', `Not here: ${capability}. ${reason}`)
  return lines.join('\n')
}

function row(field: MetadataField): string[] {
  const notes = [field.description]
  if (field.values !== undefined) notes.push(`One of ${field.values.join(', ')}.`)
  if (field.aliases.length > 0) notes.push(`Also: ${field.aliases.join(', ')}.`)
  if (field.example !== undefined) notes.push(`Example: ${field.example}`)
  if (field.sensitive) notes.push('Secret: use secretKeyRef.')
  if (field.deprecated !== undefined) notes.push(`Deprecated: ${field.deprecated}`)
  return [field.name, field.type, field.required ? 'yes' : '', field.default ?? '', notes.join(' ')]
}
