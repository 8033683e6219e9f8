import type { StateFilter, StateQuery } from '@outrigger/spec'
import { expect, test } from 'vitest'
import { createArguments, parseQueryIndexes } from './indexes.ts'
import { resultOf, searchOf } from './query.ts'

const indexes = parseQueryIndexes(
  JSON.stringify([
    {
      name: 'people',
      indexes: [
        { key: 'person.org', type: 'TEXT' },
        { key: 'person.id', type: 'NUMERIC' },
        { key: 'city', type: 'tag' },
        { key: 'place', type: 'GEO' },
      ],
    },
    { name: 'other', indexes: [{ key: 'a', type: 'TEXT' }] },
  ]),
)
const index = indexes.get('people')!
const filtered = (filter: StateFilter): string => searchOf(index, { filter }).args[1]!
const usual = ['LIMIT', '0', '1000', 'RETURN', '2', '$.data', '$.version']

test('an index is made of the fields of the values', () => {
  expect([...indexes.keys()]).toEqual(['people', 'other'])
  expect(createArguments(index)).toEqual([
    ...['people', 'ON', 'JSON', 'SCHEMA'],
    ...['$.data.person.org', 'AS', 'var0', 'TEXT', 'SORTABLE'],
    ...['$.data.person.id', 'AS', 'var1', 'NUMERIC', 'SORTABLE'],
    ...['$.data.city', 'AS', 'var2', 'TAG', 'SORTABLE'],
    ...['$.data.place', 'AS', 'var3', 'GEO', 'SORTABLE'],
  ])
  expect(parseQueryIndexes(undefined).size + parseQueryIndexes(' ').size).toBe(0)
})

test.each([
  ['{', 'is no JSON'],
  ['{}', 'must be a list'],
  ['[null]', '[0].name'],
  ['[{"name":"","indexes":[]}]', '[0].name'],
  ['[{"name":"a","indexes":[]}]', '[0].indexes must be a list'],
  ['[{"name":"a","indexes":[{"key":"","type":"TEXT"}]}]', '[0].indexes[0].key'],
  ['[{"name":"a","indexes":[{"key":"k"}]}]', '[0].indexes[0].type'],
  [
    '[{"name":"a","indexes":[{"key":"k","type":"TEXT"}]},{"name":"a","indexes":[{"key":"k","type":"TEXT"}]}]',
    'twice',
  ],
])('the indexes %s are refused', (text, problem) => {
  expect(() => parseQueryIndexes(text)).toThrow(problem)
})

test('without anything all rows are found, as many as are usual', () => {
  expect(searchOf(index, {})).toEqual({ args: ['people', '*', ...usual], offset: 0, limit: 1000 })
})

test.each<[StateFilter, string]>([
  [{ EQ: { 'person.org': 'Dev Ops' } }, '(@var0:("Dev Ops"))'],
  [{ EQ: { 'person.id': 1036 } }, '(@var1:[1036 1036])'],
  [{ EQ: { 'person.id': 0.0000001 } }, '(@var1:[1e-7 1e-7])'],
  [{ EQ: { city: 'São Paulo, SP' } }, '(@var2:{São\\ Paulo\\,\\ SP})'],
  [{ EQ: { city: true } }, '(@var2:{true})'],
  [{ NEQ: { 'person.org': 'Hardware' } }, '-(@var0:("Hardware"))'],
  [{ NEQ: { 'person.id': 1 } }, '-(@var1:[1 1])'],
  [{ GT: { 'person.id': 1 } }, '(@var1:[(1 +inf])'],
  [{ GTE: { 'person.id': 1.5 } }, '(@var1:[1.5 +inf])'],
  [{ LT: { 'person.id': -1 } }, '(@var1:[-inf (-1])'],
  [{ LTE: { 'person.id': 1 } }, '(@var1:[-inf 1])'],
  [{ IN: { 'person.org': ['A', 'B'] } }, '(@var0:("A")|@var0:("B"))'],
  [{ IN: { 'person.id': [1] } }, '(@var1:[1 1])'],
  [
    { AND: [{ EQ: { city: 'a' } }, { OR: [{ NEQ: { city: 'b' } }, { GT: { 'person.id': 1 } }] }] },
    '((@var2:{a}) (-(@var2:{b})|(@var1:[(1 +inf])))',
  ],
])('%j', (filter, text) => {
  expect(filtered(filter)).toBe(text)
})

test.each([
  '") | @var1:[-inf +inf] ("',
  'a) | (b',
  'a\\"b',
  "it's",
  'a-b',
  'a}|{b',
  '*',
  '@var1',
  'a\u0000b',
])('the value %j stays a value', (value) => {
  expect(filtered({ EQ: { city: value } })).toMatch(/^\(@var2:\{(?:[\p{L}\p{N}_]|\\[^\p{L}\p{N}_])+\}\)$/u)
  if (/[a-z]/.test(value)) {
    expect(filtered({ EQ: { 'person.org': value } })).toMatch(/^\(@var0:\("[\p{L}\p{N}_ ]+"\)\)$/u)
  }
})

test.each<[StateQuery, string]>([
  [{ filter: { EQ: { age: 1 } } }, 'key age is not in the index people'],
  [{ filter: { EQ: { 'person.id': '1' } } }, 'type NUMERIC, which holds no string'],
  [{ filter: { EQ: { 'person.org': 1 } } }, 'type TEXT, which holds no number'],
  [{ filter: { EQ: { city: null } } }, 'holds no null'],
  [{ filter: { EQ: { place: 'x' } } }, 'type GEO'],
  [{ filter: { GT: { city: 1 } } }, 'needs a number'],
  [{ filter: { LT: { 'person.id': 'a' } } }, 'needs a number'],
  [{ filter: { IN: { city: [] } } }, 'has no values'],
  [{ filter: { EQ: { 'person.org': '--' } } }, 'without letters or digits'],
  [{ sort: [{ key: 'age' }] }, 'key age is not in the index'],
  [{ sort: [{ key: 'city' }, { key: 'person.id' }] }, 'more than one key'],
  [{ page: { limit: 10_001 } }, 'at most 10000'],
  [{ page: { token: '-1' } }, 'page.token'],
  [{ page: { token: '1 2' } }, 'page.token'],
  [{ page: { token: '9999999' } }, 'page.token'],
])('%j is refused', (query, problem) => {
  expect(() => searchOf(index, query)).toThrow(problem)
})

test('sorting and pages', () => {
  const sort = [{ key: 'person.id', order: 'DESC' }] as const
  expect(searchOf(index, { sort, page: { limit: 2, token: '4' } }).args.slice(2, 8)).toEqual([
    'SORTBY',
    'var1',
    'DESC',
    'LIMIT',
    '4',
    '2',
  ])
  expect(searchOf(index, { sort: [{ key: 'city', order: 'ASC' }] }).args.slice(2, 5)).toEqual([
    'SORTBY',
    'var2',
    'LIMIT',
  ])
})

const page = { args: [], offset: 0, limit: 2 }
const row = (data: string, version: string) => [
  '$.data',
  Buffer.from(data),
  '$.version',
  Buffer.from(version),
]

test('a reply is read, with a token while there is more', () => {
  const reply = [3, Buffer.from('app||a'), row('{"n":1.0}', '7'), Buffer.from('app||b'), row('2', '1')]
  const found = resultOf(reply, page)
  expect(
    found.results.map(({ key, item }) => [key, Buffer.from(item.value.bytes).toString(), item.etag]),
  ).toEqual([
    ['app||a', '{"n":1.0}', '7'],
    ['app||b', '2', '1'],
  ])
  expect(found.token).toBe('2')
  expect(resultOf([3, 'c', row('3', '1')], { ...page, offset: 2 }).token).toBeUndefined()
  expect(resultOf([0], page)).toEqual({ results: [] })
})

test('a row that is gone is left out; another shape is an error', () => {
  expect(resultOf([2, 'a', null, 'b', []], page).results).toEqual([])
  expect(() => resultOf({ results: [] }, page)).toThrow('unknown shape')
})
