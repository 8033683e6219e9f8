import type { MetadataField, MetadataSchema } from '@outrigger/spec'
import type { Kind, LoadedComponent } from '../components/live.ts'
import { didYouMean } from '../resources/did-you-mean.ts'
import type { FieldProblem, Properties } from './properties.ts'

/** Metadata that the runtime itself reads, whatever the component. */
const ownNames: Readonly<Record<Kind, readonly string[]>> = {
  state: [
    'keyPrefix',
    'actorStateStore',
    'primaryEncryptionKey',
    'secondaryEncryptionKey',
    'outboxPublishPubsub',
    'outboxPublishTopic',
    'outboxPubsub',
    'outboxDiscardWhenMissingState',
  ],
  pubsub: ['consumerID', 'publishingScopes', 'subscriptionScopes', 'allowedTopics', 'protectedTopics'],
  bindings: ['direction', 'route'],
  secretstores: [],
  configuration: [],
  lock: ['keyPrefix'],
  crypto: [],
  middleware: [],
  nameresolution: [],
}

export type ParsedMetadata =
  | { readonly value: unknown; readonly warnings: readonly FieldProblem[] }
  | { readonly problems: readonly FieldProblem[] }

/** Reads properties by the schema of a component, and says of each problem in which line it is. */
export function parseMetadata(
  schema: MetadataSchema<unknown>,
  properties: Properties,
  kind: Kind,
  fallbackLine: number,
): ParsedMetadata {
  const lineOf = (name: string) => lineOfName(name, properties.lines) ?? fallbackLine
  const result = schema.parse(properties.values)
  if ('issues' in result) {
    const problems = result.issues.map(({ field, message }) => {
      const schemaField = fieldOf(field, schema)
      const written = writtenName(field, schemaField, properties) ?? field
      const secret = properties.referred.has(written) && properties.values[written] !== ''
      const text = secret
        ? `does not fit: it must be ${expectation(schemaField)}`
        : withoutName(message, field)
      return { line: lineOf(written), text: `spec.metadata "${written}" ${text}` }
    })
    return { problems }
  }
  const own = new Set(ownNames[kind].map((name) => name.toLowerCase()))
  const names = [...schema.fields.flatMap(({ name, aliases }) => [name, ...aliases]), ...ownNames[kind]]
  const warnings = result.unknown
    .filter((name) => !own.has(name.toLowerCase()))
    .map((name) => ({
      line: lineOf(name),
      text: `spec.metadata "${name}" is not known to this component and has no effect${didYouMean(name, names)}`,
    }))
  for (const name of properties.lines.keys()) {
    const advice = fieldOf(name, schema)?.deprecated
    if (advice !== undefined)
      warnings.push({ line: lineOf(name), text: `spec.metadata "${name}" is deprecated: ${advice}` })
  }
  return { value: result.value, warnings }
}

/** Every value that must not be shown. */
export function secretValues(schema: MetadataSchema<unknown>, properties: Properties): string[] {
  return Object.entries(properties.values)
    .filter(([name]) => properties.referred.has(name) || fieldOf(name, schema)?.sensitive === true)
    .map(([, value]) => value)
}

/** The same, of a component that is there. */
export function secretsOf({ resource, definition, version, properties }: LoadedComponent): string[] {
  const schema = definition.versions[version]?.metadata
  const referred = new Set(
    resource.metadata.filter(({ secretKeyRef, envRef }) => secretKeyRef ?? envRef).map(({ name }) => name),
  )
  return Object.entries(properties)
    .filter(
      ([name]) => referred.has(name) || (schema !== undefined && fieldOf(name, schema)?.sensitive === true),
    )
    .map(([, value]) => value)
}

function fieldOf(name: string, schema: MetadataSchema<unknown>): MetadataField | undefined {
  const wanted = name.toLowerCase()
  return schema.fields.find((field) =>
    [field.name, ...field.aliases].some((each) => each.toLowerCase() === wanted),
  )
}

/** The name under which the resource has a field: an alias, or in another case. */
function writtenName(
  name: string,
  field: MetadataField | undefined,
  properties: Properties,
): string | undefined {
  const names = new Set(
    [name, ...(field === undefined ? [] : [field.name, ...field.aliases])].map((each) => each.toLowerCase()),
  )
  return Object.keys(properties.values).find((key) => names.has(key.toLowerCase()))
}

function lineOfName(name: string, lines: ReadonlyMap<string, number>): number | undefined {
  const wanted = name.toLowerCase()
  for (const [key, line] of lines) if (key.toLowerCase() === wanted) return line
  return undefined
}

/** Messages of schemas may begin with the field themselves. */
function withoutName(message: string, field: string): string {
  return message.startsWith(`${field} `) ? message.slice(field.length + 1) : message.replace(`${field}: `, '')
}

function expectation(field: MetadataField | undefined): string {
  if (field === undefined) return 'a value that the component takes'
  const { type, values, minimum, maximum } = field
  const kinds: Readonly<Record<MetadataField['type'], string>> = {
    string: 'a text that the component takes',
    bool: 'true or false',
    int: 'a whole number',
    float: 'a number',
    duration: 'a duration such as 5s',
    quantity: 'a quantity such as 4Mi',
    enum: `one of ${values?.join(', ') ?? 'its values'}`,
    list: 'a list that the component takes',
    json: 'JSON',
  }
  const limits = [
    minimum === undefined ? '' : ` of at least ${minimum}`,
    maximum === undefined ? '' : ` of at most ${maximum}`,
  ]
  return `${kinds[type]}${limits.filter(Boolean).join(' and')}`
}
