import { ComponentError } from '@outrigger/spec'

/** How RediSearch keeps a field; others are passed on as they are and cannot be compared with. */
export type FieldType = 'TEXT' | 'TAG' | 'NUMERIC' | (string & {})

export interface IndexedField {
  readonly alias: string
  readonly type: FieldType
}

/** One index: the rows' fields that queries may name. */
export interface QueryIndex {
  readonly name: string
  readonly fields: ReadonlyMap<string, IndexedField>
}

/**
 * Reads `queryIndexes`: a JSON list of `{ "name": ..., "indexes": [{ "key": "person.org", "type": "TEXT" }] }`.
 * @throws ComponentError INVALID_METADATA
 */
export function parseQueryIndexes(text: string | undefined): ReadonlyMap<string, QueryIndex> {
  const found = new Map<string, QueryIndex>()
  if (text === undefined || text.trim() === '') return found
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    throw invalid(`is no JSON: ${(error as Error).message}`)
  }
  if (!Array.isArray(document)) throw invalid('must be a list')
  for (const [at, schema] of (document as unknown[]).entries()) {
    const { name, indexes } = (schema ?? {}) as { name?: unknown; indexes?: unknown }
    if (typeof name !== 'string' || name === '') throw invalid(`[${at}].name must be a text`)
    if (found.has(name)) throw invalid(`has the name ${name} twice`)
    if (!Array.isArray(indexes) || indexes.length === 0) {
      throw invalid(`[${at}].indexes must be a list of at least one field`)
    }
    const fields = new Map<string, IndexedField>()
    for (const [number, index] of (indexes as unknown[]).entries()) {
      const { key, type } = (index ?? {}) as { key?: unknown; type?: unknown }
      const where = `[${at}].indexes[${number}]`
      if (typeof key !== 'string' || key === '') throw invalid(`${where}.key must be a text`)
      if (typeof type !== 'string' || type === '') throw invalid(`${where}.type must be a text`)
      fields.set(key, { alias: `var${number}`, type: type.toUpperCase() })
    }
    found.set(name, { name, fields })
  }
  return found
}

/** The arguments of FT.CREATE. Rows are documents with the value under `data`, as Dapr writes them. */
export function createArguments({ name, fields }: QueryIndex): readonly string[] {
  const schema = [...fields].flatMap(([key, { alias, type }]) => [
    `$.data.${key}`,
    'AS',
    alias,
    type,
    'SORTABLE',
  ])
  return [name, 'ON', 'JSON', 'SCHEMA', ...schema]
}

function invalid(what: string): ComponentError {
  return new ComponentError('INVALID_METADATA', `queryIndexes ${what}`)
}
