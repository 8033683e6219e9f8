import type { StateFilter, StateFilterValue, StateQuery } from '@outrigger/spec'
import { membersOf, namesOf } from '../../app/members.ts'
import { isRecord } from '../json-body.ts'

/** What a query may have; stores translate it without further checks of its shape. */
export const queryLimits = {
  bytes: 64 * 1024,
  depth: 16,
  conditions: 512,
  values: 1024,
  sortKeys: 16,
} as const

const queryNames = namesOf('filter', 'sort', 'page')
const sortNames = namesOf('key', 'order')
const pageNames = namesOf('limit', 'token')
const comparisons: ReadonlySet<string> = new Set(['EQ', 'NEQ', 'GT', 'GTE', 'LT', 'LTE'])

interface Budget {
  conditions: number
  values: number
}

/**
 * Reads the document of the state query API: `{ filter, sort, page }`.
 * @throws Error that says what is wrong and where
 */
export function parseQuery(text: string): StateQuery {
  if (Buffer.byteLength(text) > queryLimits.bytes) {
    throw new Error(`the query is longer than ${queryLimits.bytes} bytes`)
  }
  const document: unknown = JSON.parse(text)
  if (!isRecord(document)) throw new Error('the query must be an object with "filter", "sort" and "page"')
  const { filter, sort, page } = membersOf(document, queryNames)
  return {
    filter: filterIn(
      filter,
      'filter',
      1,
      { conditions: queryLimits.conditions, values: queryLimits.values },
      true,
    ),
    sort: sortIn(sort),
    page: pageIn(page),
  }
}

function filterIn(
  value: unknown,
  where: string,
  depth: number,
  budget: Budget,
  top: true,
): StateFilter | undefined
function filterIn(value: unknown, where: string, depth: number, budget: Budget): StateFilter
function filterIn(
  value: unknown,
  where: string,
  depth: number,
  budget: Budget,
  top = false,
): StateFilter | undefined {
  if (top && (value === undefined || value === null)) return undefined
  if (!isRecord(value)) throw new Error(`${where} must be an object with one condition`)
  const members = Object.entries(value)
  if (top && members.length === 0) return undefined
  const [member] = members
  if (member === undefined || members.length > 1) {
    throw new Error(
      `${where} must have a single element, not ${members.length}: join conditions with AND or OR`,
    )
  }
  if (depth > queryLimits.depth) throw new Error(`${where} is nested more than ${queryLimits.depth} deep`)
  if (--budget.conditions < 0)
    throw new Error(`the filter has more than ${queryLimits.conditions} conditions`)
  const [operator, operand] = member
  const inside = `${where}.${operator}`
  if (operator === 'AND' || operator === 'OR') {
    if (!Array.isArray(operand)) throw new Error(`${inside} must be an array`)
    if (operand.length < 2) throw new Error(`${inside} must contain at least two entries`)
    const filters = operand.map((each, index) => filterIn(each, `${inside}[${index}]`, depth + 1, budget))
    return operator === 'AND' ? { AND: filters } : { OR: filters }
  }
  if (operator !== 'IN' && !comparisons.has(operator)) {
    throw new Error(`unsupported filter ${JSON.stringify(operator.slice(0, 64))} in ${where}`)
  }
  if (!isRecord(operand)) throw new Error(`${inside} must be an object with one key`)
  const pairs = Object.entries(operand)
  const [pair] = pairs
  if (pair === undefined || pairs.length > 1)
    throw new Error(`${inside} must contain a single key/value pair`)
  const [key, given] = pair
  if (key === '') throw new Error(`${inside} has an empty key`)
  if (operator !== 'IN') {
    budget.values -= 1
    return { [operator]: { [key]: valueIn(given, `${inside}.${key}`, budget) } } as unknown as StateFilter
  }
  if (!Array.isArray(given)) throw new Error(`${inside} value must be an array`)
  budget.values -= given.length
  return { IN: { [key]: given.map((each, index) => valueIn(each, `${inside}.${key}[${index}]`, budget)) } }
}

function valueIn(value: unknown, where: string, { values }: Budget): StateFilterValue {
  if (values < 0) throw new Error(`the filter has more than ${queryLimits.values} values`)
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new Error(`${where} must be a string, a number, a boolean or null`)
}

function sortIn(value: unknown): StateQuery['sort'] {
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value)) throw new Error('sort must be an array')
  if (value.length > queryLimits.sortKeys) throw new Error(`sort has more than ${queryLimits.sortKeys} keys`)
  return value.map((item: unknown, index) => {
    if (!isRecord(item)) throw new Error(`sort[${index}] must be an object with "key"`)
    const { key, order } = membersOf(item, sortNames)
    if (typeof key !== 'string' || key === '') throw new Error(`sort[${index}].key must be a text`)
    if (order === undefined || order === null || order === '') return { key }
    if (order !== 'ASC' && order !== 'DESC') throw new Error(`sort[${index}].order must be ASC or DESC`)
    return { key, order }
  })
}

function pageIn(value: unknown): StateQuery['page'] {
  if (value === undefined || value === null) return undefined
  if (!isRecord(value)) throw new Error('page must be an object with "limit" and "token"')
  const { limit = 0, token } = membersOf(value, pageNames)
  if (typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit < 0) {
    throw new Error('page.limit must be a whole number, 0 or above')
  }
  if (token !== undefined && token !== null && typeof token !== 'string') {
    throw new Error('page.token must be a string')
  }
  // As in Dapr, 0 is no limit.
  return { limit: limit === 0 ? undefined : limit, token: token || undefined }
}
