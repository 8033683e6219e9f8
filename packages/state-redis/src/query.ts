import {
  ComponentError,
  type StateFilter,
  type StateFilterValue,
  type StateQuery,
  type StateQueryResult,
} from '@outrigger/spec'
import type { IndexedField, QueryIndex } from './indexes.ts'

/** The most rows that one answer has, and as many as it has where the query does not say. */
const mostRows = 10_000
const usualRows = 1000
const lastOffset = 1_000_000

export interface Search {
  /** Of FT.SEARCH. */
  readonly args: readonly string[]
  readonly offset: number
  readonly limit: number
}

/**
 * A query in RediSearch's language. Values are quoted or escaped: none can become part of the query.
 * @throws ComponentError INVALID_ARGUMENT for what the index cannot answer
 */
export function searchOf(index: QueryIndex, { filter, sort = [], page = {} }: StateQuery): Search {
  const limit = page.limit ?? usualRows
  if (limit > mostRows) throw refused(`page.limit is ${limit}; at most ${mostRows} rows come at once`)
  const offset = Number(page.token ?? 0)
  if (page.token !== undefined && (!/^\d{1,7}$/.test(page.token) || offset > lastOffset)) {
    throw refused('page.token is none of this store')
  }
  const args = [index.name, filter === undefined ? '*' : condition(index, filter)]
  const [first, second] = sort
  if (second !== undefined) throw refused('sorting by more than one key is not supported by this store')
  if (first !== undefined) {
    args.push('SORTBY', fieldOf(index, first.key).alias)
    if (first.order === 'DESC') args.push('DESC')
  }
  args.push('LIMIT', String(offset), String(limit), 'RETURN', '2', '$.data', '$.version')
  return { args, offset, limit }
}

/** Reads the reply of FT.SEARCH: the number of all that match, then a key and a list of names and values for each row. */
export function resultOf(reply: unknown, { offset, limit }: Search): StateQueryResult {
  if (!Array.isArray(reply))
    throw new ComponentError('INTERNAL', 'the reply to FT.SEARCH has an unknown shape')
  const rows = reply as readonly unknown[]
  const results: { key: string; item: StateQueryResult['results'][number]['item'] }[] = []
  for (let at = 1; at + 1 < rows.length; at += 2) {
    const fields = new Map<string, unknown>()
    const list = rows[at + 1]
    if (Array.isArray(list)) {
      for (let pair = 0; pair + 1 < list.length; pair += 2) fields.set(String(list[pair]), list[pair + 1])
    }
    const data = fields.get('$.data')
    const version = fields.get('$.version')
    // A row that expired while it was looked for has no fields.
    if (data === undefined || data === null) continue
    results.push({
      key: String(rows[at]),
      item: {
        value: { bytes: typeof data === 'string' ? Buffer.from(data) : (data as Buffer), kind: 'json' },
        etag: version === undefined || version === null ? undefined : String(version),
      },
    })
  }
  const total = Number(rows[0])
  const next = offset + limit
  return total > next && next <= lastOffset ? { results, token: String(next) } : { results }
}

function condition(index: QueryIndex, filter: StateFilter): string {
  const [operator, operand] = Object.entries(filter)[0] as [string, unknown]
  if (operator === 'AND' || operator === 'OR') {
    const parts = (operand as readonly StateFilter[]).map((each) => condition(index, each))
    return `(${parts.join(operator === 'AND' ? ' ' : '|')})`
  }
  const [key, value] = Object.entries(operand as Readonly<Record<string, unknown>>)[0]!
  const field = fieldOf(index, key)
  if (operator === 'IN') {
    const values = value as readonly StateFilterValue[]
    if (values.length === 0) throw refused(`IN of key ${key} has no values`)
    return `(${values.map((each) => equal(key, field, each)).join('|')})`
  }
  const single = value as StateFilterValue
  if (operator === 'EQ') return `(${equal(key, field, single)})`
  if (operator === 'NEQ') return `-(${equal(key, field, single)})`
  return `(${range(operator, key, field, single)})`
}

function range(
  operator: string,
  key: string,
  { alias, type }: IndexedField,
  value: StateFilterValue,
): string {
  if (typeof value !== 'number' || type !== 'NUMERIC') {
    throw refused(`${operator} of key ${key} needs a number and an index of type NUMERIC`)
  }
  switch (operator) {
    case 'GT':
      return `@${alias}:[(${value} +inf]`
    case 'GTE':
      return `@${alias}:[${value} +inf]`
    case 'LT':
      return `@${alias}:[-inf (${value}]`
    default:
      return `@${alias}:[-inf ${value}]`
  }
}

function equal(key: string, { alias, type }: IndexedField, value: StateFilterValue): string {
  if (typeof value === 'number' && type === 'NUMERIC') return `@${alias}:[${value} ${value}]`
  if (type === 'TAG' && typeof value !== 'number' && value !== null)
    return `@${alias}:{${tag(String(value))}}`
  if (type === 'TEXT' && typeof value === 'string') return `@${alias}:(${phrase(key, value)})`
  throw refused(
    `key ${key} has an index of type ${type}, which holds no ${value === null ? 'null' : typeof value}`,
  )
}

/** Words as RediSearch splits them, in this order: what stands between them does not count. */
function phrase(key: string, text: string): string {
  const words = text.split(/[^\p{L}\p{N}\p{M}_]+/u).filter((word) => word !== '')
  if (words.length === 0) throw refused(`key ${key}: a text without letters or digits cannot be searched for`)
  return `"${words.join(' ')}"`
}

function tag(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}\p{M}_]/gu, (character) => `\\${character}`)
}

function fieldOf({ name, fields }: QueryIndex, key: string): IndexedField {
  const field = fields.get(key)
  if (field !== undefined) return field
  throw refused(`key ${key} is not in the index ${name}: add it to queryIndexes`)
}

function refused(message: string): ComponentError {
  return new ComponentError('INVALID_ARGUMENT', message)
}
