import type { Metadata, MetadataField, MetadataIssue, MetadataResult, MetadataSchema } from '@outrigger/spec'
import { parseBool, parseDuration, parseQuantity } from './parse.ts'

/** A field that is being declared; `T` is what it parses to. */
export interface Field<T> {
  readonly definition: Omit<MetadataField, 'name'> & { readonly name?: string | undefined }
  read(text: string): { readonly value: T } | { readonly problem: string }
}

/** What every field can say of itself. */
export interface FieldOptions {
  readonly description: string
  /** Name in YAML; without it, the property's own name. */
  readonly name?: string
  readonly aliases?: readonly string[]
  readonly example?: string
  readonly sensitive?: boolean
  readonly deprecated?: string
}

/** Either required, or with a default (as written in YAML), or neither: then absent is `undefined`. */
type Presence = { readonly required: true } | { readonly default: string } | object
type Present<T, O> = O extends { readonly required: true }
  ? T
  : O extends { readonly default: string }
    ? T
    : T | undefined

interface Extra {
  readonly values?: readonly string[]
  readonly minimum?: number | undefined
  readonly maximum?: number | undefined
  readonly bareUnit?: 'ms' | 's' | 'm' | 'h'
}

function field<T>(
  type: MetadataField['type'],
  options: FieldOptions & { readonly required?: boolean; readonly default?: string },
  read: Field<T>['read'],
  extra: Extra = {},
): Field<T> {
  return {
    definition: {
      name: options.name,
      aliases: options.aliases ?? [],
      type,
      description: options.description,
      required: options.required ?? false,
      default: options.default,
      example: options.example,
      sensitive: options.sensitive ?? false,
      deprecated: options.deprecated,
      ...extra,
    },
    read,
  }
}

interface Range {
  readonly minimum?: number
  readonly maximum?: number
}

function inRange(
  value: number,
  range: Range,
  show: (n: number) => string = String,
): { value: number } | { problem: string } {
  if (range.minimum !== undefined && value < range.minimum)
    return { problem: `must be at least ${show(range.minimum)}` }
  if (range.maximum !== undefined && value > range.maximum)
    return { problem: `must be at most ${show(range.maximum)}` }
  return { value }
}

export function string<const O extends FieldOptions & Presence>(options: O): Field<Present<string, O>> {
  return field('string', options, (value) => ({ value })) as Field<Present<string, O>>
}

export function bool<const O extends FieldOptions & Presence>(options: O): Field<Present<boolean, O>> {
  return field('bool', options, (text) => {
    const value = parseBool(text)
    return value === undefined ? { problem: 'must be true or false' } : { value }
  }) as Field<Present<boolean, O>>
}

export function int<const O extends FieldOptions & Presence & Range>(options: O): Field<Present<number, O>> {
  const { minimum, maximum } = options
  return field(
    'int',
    options,
    (text) => {
      const value = Number(text.trim())
      if (text.trim() === '' || !Number.isSafeInteger(value)) return { problem: 'must be a whole number' }
      return inRange(value, options)
    },
    { minimum, maximum },
  ) as Field<Present<number, O>>
}

export function float<const O extends FieldOptions & Presence & Range>(
  options: O,
): Field<Present<number, O>> {
  const { minimum, maximum } = options
  return field(
    'float',
    options,
    (text) => {
      const value = Number(text.trim())
      if (text.trim() === '' || !Number.isFinite(value)) return { problem: 'must be a number' }
      return inRange(value, options)
    },
    { minimum, maximum },
  ) as Field<Present<number, O>>
}

/** Parses to milliseconds: name the property `...Ms` and give the name in YAML with `name`. Limits are in milliseconds. */
export function duration<
  const O extends FieldOptions & Presence & Range & { readonly bareUnit?: 'ms' | 's' | 'm' | 'h' },
>(options: O): Field<Present<number, O>> {
  const { minimum, maximum } = options
  const bareUnit = options.bareUnit ?? 's'
  return field(
    'duration',
    options,
    (text) => {
      const value = parseDuration(text, bareUnit)
      if (value === undefined) return { problem: `must be a duration such as 500ms, 5s or 1m30s` }
      return inRange(value, options, (n) => `${n}ms`)
    },
    { bareUnit, minimum, maximum },
  ) as Field<Present<number, O>>
}

/** Parses to a number: `4Mi` is 4194304. */
export function quantity<const O extends FieldOptions & Presence & Range>(
  options: O,
): Field<Present<number, O>> {
  const { minimum, maximum } = options
  return field(
    'quantity',
    options,
    (text) => {
      const value = parseQuantity(text)
      return value === undefined
        ? { problem: 'must be a quantity such as 512, 64Ki or 4Mi' }
        : inRange(value, options)
    },
    { minimum, maximum },
  ) as Field<Present<number, O>>
}

/** One of some words, upper and lower case alike; parses to the word as listed. */
export function oneOf<const W extends string, const O extends FieldOptions & Presence>(
  values: readonly W[],
  options: O,
): Field<Present<W, O>> {
  return field(
    'enum',
    options,
    (text) => {
      const wanted = text.trim().toLowerCase()
      const value = values.find((candidate) => candidate.toLowerCase() === wanted)
      return value === undefined ? { problem: `must be one of ${values.join(', ')}` } : { value }
    },
    { values },
  ) as Field<Present<W, O>>
}

/** Strings between commas, trimmed, or a JSON list of them; empty ones are left out. */
export function list<const O extends FieldOptions & Presence>(
  options: O,
): Field<Present<readonly string[], O>> {
  return field<readonly string[]>('list', options, (text) => ({
    value: (parseStrings(text) ?? text.split(',')).map((item) => item.trim()).filter((item) => item !== ''),
  })) as unknown as Field<Present<readonly string[], O>>
}

/** A list as it is written in YAML comes as JSON. */
function parseStrings(text: string): string[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined
  try {
    const value = JSON.parse(text) as unknown
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined
  } catch {
    return undefined
  }
}

/** JSON text, parsed. What its shape must be is the component's to check. */
export function json<const O extends FieldOptions & Presence>(options: O): Field<Present<unknown, O>> {
  return field('json', options, (text) => {
    try {
      return { value: JSON.parse(text) as unknown }
    } catch {
      return { problem: 'must be valid JSON' }
    }
  }) as Field<Present<unknown, O>>
}

/** What a record of fields parses to. */
export type Parsed<F extends Readonly<Record<string, Field<unknown>>>> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never
}

/**
 * Makes the metadata schema of one version of a component.
 * @param openPrefixes prefixes of names that are accepted without being listed; read them from `context.properties`
 */
export function fields<const F extends Readonly<Record<string, Field<unknown>>>>(
  declared: F,
  openPrefixes: readonly string[] = [],
): MetadataSchema<Parsed<F>> {
  const entries = Object.entries(declared).map(([property, { definition, read }]) => {
    const described: MetadataField = { ...definition, name: definition.name ?? property }
    return { property, described, read }
  })
  const byName = new Map<string, (typeof entries)[number]>()
  for (const entry of entries) {
    for (const name of [entry.described.name, ...entry.described.aliases]) {
      const key = name.toLowerCase()
      if (byName.has(key)) throw new Error(`metadata field ${name} is declared twice`)
      byName.set(key, entry)
    }
  }
  const prefixes = openPrefixes.map((prefix) => prefix.toLowerCase())

  function parse(properties: Metadata): MetadataResult<Parsed<F>> {
    const given = new Map<(typeof entries)[number], string>()
    const unknown: string[] = []
    for (const [name, text] of Object.entries(properties)) {
      const entry = byName.get(name.toLowerCase())
      if (entry === undefined) {
        if (!prefixes.some((prefix) => name.toLowerCase().startsWith(prefix))) unknown.push(name)
        continue
      }
      // The field's own name wins over an alias, whatever their order.
      if (!given.has(entry) || name.toLowerCase() === entry.described.name.toLowerCase())
        given.set(entry, text)
    }
    const issues: MetadataIssue[] = []
    const value: Record<string, unknown> = {}
    for (const entry of entries) {
      const { described } = entry
      const text = given.get(entry)
      // An empty text counts as absent: that is what an unset variable in a template leaves.
      const source = text === undefined || text === '' ? described.default : text
      if (source === undefined) {
        value[entry.property] = undefined
        if (described.required) {
          const hint =
            described.example === undefined || described.sensitive ? '' : `, for example ${described.example}`
          issues.push({ field: described.name, message: `is required${hint}` })
        }
        continue
      }
      const result = entry.read(source)
      if ('problem' in result) {
        const shown = described.sensitive ? '' : `, got ${JSON.stringify(source)}`
        issues.push({ field: described.name, message: `${result.problem}${shown}` })
      } else {
        value[entry.property] = result.value
      }
    }
    return issues.length > 0 ? { issues } : { value: value as Parsed<F>, unknown }
  }

  return { fields: entries.map((entry) => entry.described), openPrefixes, parse }
}
