import { kindOf, type Definition, type DefinitionVersion, type Field } from '../definitions.ts'
import type { Package, Workspace } from '../workspace.ts'
import { exists, marked, replaceMarked, table, type Output } from './output.ts'

const code = (text: string | undefined) => (text === undefined || text === '' ? '' : `\`${text}\``)
const codes = (texts: readonly string[]) => texts.map(code).join(', ')

/** The reference part of a component's README: everything that its definition says. */
export function reference(definition: Definition): string {
  const parts = [
    `Type ${code(definition.type)}${definition.aliases?.length ? `, also ${codes(definition.aliases)}` : ''}.`,
  ]
  for (const [version, { metadata, capabilities }] of Object.entries(definition.versions)) {
    parts.push(`### Metadata of ${version}`)
    parts.push(metadata.fields.length === 0 ? 'It takes no metadata.' : fieldTable(metadata.fields))
    if (metadata.openPrefixes.length > 0) {
      parts.push(`Names that begin with ${codes(metadata.openPrefixes)} are free.`)
    }
    parts.push(`Capabilities: ${codes(capabilities) || 'none that are optional'}.`)
  }
  if (definition.deviations?.length) {
    parts.push('### What differs from Dapr')
    parts.push(
      table(
        ['Capability', 'Why it is absent'],
        definition.deviations.map((d) => [code(d.capability), d.reason]),
      ),
    )
  }
  return parts.join('\n\n')
}

function fieldTable(fields: readonly Field[]): string {
  return table(
    ['Field', 'Type', 'Required', 'Default', 'Description', 'Example', 'Sensitive'],
    fields.map((field) => [
      [field.name, ...field.aliases].map(code).join(' or '),
      field.values ? field.values.map(code).join(' or ') : field.type,
      field.required ? 'yes' : '',
      code(field.default),
      field.deprecated === undefined
        ? field.description
        : `${field.description} Deprecated: ${field.deprecated}`,
      code(field.example),
      field.sensitive ? 'yes' : '',
    ]),
  )
}

/** README.md, written whole if there is none. */
export function readme(workspace: Workspace, pack: Package, definition: Definition): Output {
  const file = `${pack.folder}/README.md`
  const content = reference(definition)
  if (exists(workspace, file)) {
    return replaceMarked(workspace, { file, name: 'metadata', content, heading: '## Reference' })
  }
  const [version, first] = Object.entries(definition.versions)[0] ?? ['v1', undefined]
  return {
    file,
    content: `# ${pack.manifest.name}

${definition.description ?? pack.manifest.description ?? definition.title}

\`\`\`sh
npm install ${pack.manifest.name}
\`\`\`

\`\`\`yaml
${resource(definition, version, first)}
\`\`\`

## Reference

${marked('metadata', content)}
`,
  }
}

/** An example resource with the fields that are required, or have an example. */
function resource(definition: Definition, version: string, described: DefinitionVersion | undefined): string {
  const fields = described?.metadata.fields.filter(({ required, sensitive }) => required && !sensitive) ?? []
  const metadata = fields.map(({ name, example, default: fallback }) => {
    return `    - name: ${name}\n      value: ${JSON.stringify(example ?? fallback ?? '')}`
  })
  return [
    'apiVersion: dapr.io/v1alpha1',
    'kind: Component',
    'metadata:',
    `  name: my-${kindOf(definition)}`,
    'spec:',
    `  type: ${definition.type}`,
    `  version: ${version}`,
    metadata.length > 0 ? `  metadata:\n${metadata.join('\n')}` : '  metadata: []',
  ].join('\n')
}

/** metadata.schema.json: lets an editor complete and check the resource of this component. */
export function schema(pack: Package, definition: Definition): Output {
  const versions = Object.entries(definition.versions)
  const spec = versions.map(([version, { metadata }]) => {
    const required = metadata.fields.filter((field) => field.required)
    return {
      properties: {
        type: { enum: [definition.type, ...(definition.aliases ?? [])] },
        version: { const: version },
        metadata: {
          type: 'array',
          items: itemsSchema(metadata),
          ...(required.length > 0 && {
            allOf: required.map((field) => ({
              contains: {
                properties: { name: { enum: [field.name, ...field.aliases] } },
                required: ['name'],
              },
            })),
          }),
        },
        ignoreErrors: { type: 'boolean' },
        initTimeout: { type: 'string' },
      },
      required: ['type', 'version', ...(required.length > 0 ? ['metadata'] : [])],
    }
  })
  const content = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `${definition.title} (${definition.type})`,
    description: definition.description,
    type: 'object',
    properties: {
      apiVersion: { const: 'dapr.io/v1alpha1' },
      kind: { const: 'Component' },
      metadata: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
      spec: { type: 'object', ...(spec.length === 1 ? spec[0] : { anyOf: spec }) },
      auth: { type: 'object', properties: { secretStore: { type: 'string' } } },
      scopes: { type: 'array', items: { type: 'string' } },
    },
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
  }
  return { file: `${pack.folder}/metadata.schema.json`, content: `${JSON.stringify(content, null, 2)}\n` }
}

function itemsSchema({ fields, openPrefixes }: DefinitionVersion['metadata']): object {
  const named = fields.map((field) => ({
    description: field.description,
    properties: {
      name: { enum: [field.name, ...field.aliases] },
      value: { ...valueSchema(field), ...(field.example !== undefined && { examples: [field.example] }) },
    },
    ...(field.deprecated !== undefined && { deprecated: true }),
  }))
  const open = openPrefixes.map((prefix) => ({
    properties: { name: { type: 'string', pattern: `^${prefix.replace(/[^\w:-]/g, '\\$&')}` } },
  }))
  const text = { type: 'string' }
  return {
    type: 'object',
    properties: {
      secretKeyRef: { type: 'object', properties: { name: text, key: text }, required: ['name'] },
      envRef: text,
    },
    required: ['name'],
    ...(fields.length + openPrefixes.length > 0 && { anyOf: [...named, ...open] }),
  }
}

/** Lenient as the runtime is: numbers and booleans may also be written as strings. */
function valueSchema(field: Field): object {
  const { minimum, maximum } = field
  switch (field.type) {
    case 'bool':
      return { type: ['boolean', 'string'] }
    case 'int':
    case 'float':
      return {
        type: [field.type === 'int' ? 'integer' : 'number', 'string'],
        ...(minimum !== undefined && { minimum }),
        ...(maximum !== undefined && { maximum }),
      }
    case 'enum':
      return { type: 'string', examples: field.values }
    default:
      return { type: ['string', 'number', 'boolean'] }
  }
}
