import { expect, test } from 'vitest'
import { parseQuery, queryLimits } from './query.ts'

const parse = (document: unknown) => parseQuery(JSON.stringify(document))

test('a whole document is read', () => {
  const filter = {
    OR: [
      { EQ: { 'person.org': 'Dev Ops' } },
      { AND: [{ IN: { state: ['CA', 'WA'] } }, { NEQ: { a: null } }, { GTE: { n: 1.5 } }] },
      { AND: [{ GT: { a: 1 } }, { LT: { b: -2 } }, { LTE: { c: true } }] },
    ],
  }
  const sort = [{ key: 'state', order: 'DESC' }, { key: 'person.id' }]
  expect(parse({ filter, sort, page: { limit: 3, token: '3' } })).toEqual({
    filter,
    sort,
    page: { limit: 3, token: '3' },
  })
})

test('its own members may be written in upper or lower case, operators and keys may not', () => {
  const document = { Filter: { EQ: { Key: 1 } }, SORT: [{ Key: 'a', Order: 'ASC' }], Page: { LIMIT: 3 } }
  expect(parse(document)).toEqual({
    filter: { EQ: { Key: 1 } },
    sort: [{ key: 'a', order: 'ASC' }],
    page: { limit: 3, token: undefined },
  })
  expect(() => parse({ filter: { eq: { a: 1 } } })).toThrow('unsupported filter "eq"')
})

test.each([{}, { filter: {} }, { filter: null, sort: null, page: null }])(
  '%j finds everything',
  (document) => {
    expect(parse(document).filter).toBeUndefined()
  },
)

test('a limit of 0 is none', () => {
  expect(parse({ page: { limit: 0, token: '' } }).page).toEqual({ limit: undefined, token: undefined })
})

function nested(depth: number): unknown {
  let filter: unknown = { EQ: { a: 1 } }
  for (let level = 1; level < depth; level++) filter = { AND: [filter, { EQ: { b: 1 } }] }
  return { filter }
}

test('the limits are what they say', () => {
  expect(() => parse(nested(queryLimits.depth))).not.toThrow()
  expect(() => parse(nested(queryLimits.depth + 1))).toThrow(`more than ${queryLimits.depth} deep`)
  const conditions = (count: number) => ({
    filter: { OR: Array.from({ length: count - 1 }, () => ({ EQ: { a: 1 } })) },
  })
  expect(() => parse(conditions(queryLimits.conditions))).not.toThrow()
  expect(() => parse(conditions(queryLimits.conditions + 1))).toThrow('conditions')
  const values = (count: number) => ({ filter: { IN: { a: Array.from({ length: count }, () => 1) } } })
  expect(() => parse(values(queryLimits.values))).not.toThrow()
  expect(() => parse(values(queryLimits.values + 1))).toThrow('values')
  expect(() => parseQuery(`{"filter":{"EQ":{"a":"${'x'.repeat(queryLimits.bytes)}"}}}`)).toThrow('bytes')
  expect(() => parseQuery('['.repeat(50_000))).toThrow()
})

test.each([
  [[], 'must be an object'],
  [{ filter: [] }, 'filter must be an object'],
  [{ filter: { EQ: { a: 1 }, NEQ: { a: 2 } } }, 'single element'],
  [{ filter: { LIKE: { a: 1 } } }, 'unsupported filter "LIKE"'],
  [{ filter: { eq: { a: 1 } } }, 'unsupported filter "eq"'],
  [{ filter: { EQ: 'a' } }, 'filter.EQ must be an object'],
  [{ filter: { EQ: { a: 1, b: 2 } } }, 'single key/value pair'],
  [{ filter: { EQ: {} } }, 'single key/value pair'],
  [{ filter: { EQ: { '': 1 } } }, 'empty key'],
  [{ filter: { EQ: { a: { b: 1 } } } }, 'filter.EQ.a must be a string'],
  [{ filter: { IN: { a: 'b' } } }, 'must be an array'],
  [{ filter: { IN: { a: ['b', []] } } }, 'filter.IN.a[1] must be'],
  [{ filter: { AND: { EQ: { a: 1 } } } }, 'filter.AND must be an array'],
  [{ filter: { OR: [{ EQ: { a: 1 } }] } }, 'at least two'],
  [{ filter: { OR: [{ EQ: { a: 1 } }, {}] } }, 'filter.OR[1] must have a single element'],
  [{ filter: { OR: [{ EQ: { a: 1 } }, null] } }, 'filter.OR[1] must be an object'],
  [{ sort: {} }, 'sort must be'],
  [{ sort: [{}] }, 'sort[0].key'],
  [{ sort: [{ key: 'a', order: 'desc' }] }, 'sort[0].order'],
  [{ sort: Array.from({ length: 17 }, () => ({ key: 'a' })) }, 'sort has more'],
  [{ page: [] }, 'page must be'],
  [{ page: { limit: -1 } }, 'page.limit'],
  [{ page: { limit: 1.5 } }, 'page.limit'],
  [{ page: { limit: '3' } }, 'page.limit'],
  [{ page: { token: 3 } }, 'page.token'],
])('%j is refused', (document, problem) => {
  expect(() => parse(document)).toThrow(problem)
})

test.each(['', '{', 'null', '1'])('%j is refused', (text) => {
  expect(() => parseQuery(text)).toThrow()
})
