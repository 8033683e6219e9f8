import type { Metadata } from './operation.ts'

/**
 * - `string`, `bool`, `int`, `float`: as named
 * - `duration`: Go syntax (`5s`, `1m30s`); a bare number counts in `bareUnit`
 * - `quantity`: a number of bytes or items with a Kubernetes suffix (`4Mi`, `1G`)
 * - `enum`: one of `values`, upper and lower case alike
 * - `list`: strings between commas
 * - `json`: any JSON text
 */
export type MetadataFieldType =
  | 'string'
  | 'bool'
  | 'int'
  | 'float'
  | 'duration'
  | 'quantity'
  | 'enum'
  | 'list'
  | 'json'

/** One field of a component's metadata, as plain data: loader, CLI, documentation and JSON Schema all read this. */
export interface MetadataField {
  /** As it is written in YAML. Names are compared without regard to case. */
  readonly name: string
  readonly aliases: readonly string[]
  readonly type: MetadataFieldType
  readonly description: string
  readonly required: boolean
  /** The default, as one would write it in YAML. */
  readonly default?: string | undefined
  readonly example?: string | undefined
  /** The allowed values of an `enum`. */
  readonly values?: readonly string[] | undefined
  readonly minimum?: number | undefined
  readonly maximum?: number | undefined
  /** Unit of a `duration` that is written as a bare number. */
  readonly bareUnit?: 'ms' | 's' | 'm' | 'h' | undefined
  /** A secret: never logged, never in an error; the documentation advises `secretKeyRef`. */
  readonly sensitive: boolean
  /** What to use instead. */
  readonly deprecated?: string | undefined
}

/** One thing that is wrong with a component's metadata. */
export interface MetadataIssue {
  readonly field: string
  /** Says what is wrong and what would be right, with the value unless the field is sensitive. */
  readonly message: string
}

export type MetadataResult<M> =
  | { readonly value: M; readonly unknown: readonly string[] }
  | { readonly issues: readonly MetadataIssue[] }

/** The metadata of one version of a component: its fields as data, and the function that reads them. `@outrigger/kit` makes these. */
export interface MetadataSchema<M> {
  readonly fields: readonly MetadataField[]
  /** Fields whose names begin with one of these are accepted without being listed (`header:`). */
  readonly openPrefixes: readonly string[]
  /** Reads every field, and reports every issue at once. Unknown names are no issue; the caller may warn of them. */
  parse(properties: Metadata): MetadataResult<M>
}
