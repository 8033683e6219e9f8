import { expect, expectTypeOf, test } from 'vitest'
import { bool, duration, fields, int, json, list, oneOf, quantity, string } from './fields.ts'

const schema = fields(
  {
    host: string({ required: true, description: 'Where', example: 'localhost:6379', aliases: ['redisHost'] }),
    password: int({ description: 'A number that is secret', sensitive: true }),
    enableTLS: bool({ default: 'false', description: 'TLS' }),
    timeoutMs: duration({ name: 'timeout', default: '15s', description: 'Wait', bareUnit: 'ms', minimum: 0 }),
    mode: oneOf(['node', 'cluster'], { default: 'node', description: 'Kind' }),
    size: quantity({ description: 'Bytes' }),
    topics: list({ description: 'Topics' }),
    rules: json({ description: 'Rules' }),
  },
  ['header:'],
)

test('every type is read, names without regard to case', () => {
  expect(
    schema.parse({
      HOST: 'a:1',
      EnableTls: 'yes',
      timeout: '250',
      mode: 'Cluster',
      size: '4Ki',
      topics: 'a, b,,c',
      rules: '[1]',
      'header:x': 'y',
      colour: 'red',
    }),
  ).toEqual({
    value: {
      host: 'a:1',
      password: undefined,
      enableTLS: true,
      timeoutMs: 250,
      mode: 'cluster',
      size: 4096,
      topics: ['a', 'b', 'c'],
      rules: [1],
    },
    unknown: ['colour'],
  })
})

test('a field can be given by its alias, and its own name wins', () => {
  expect(schema.parse({ redisHost: 'b:2' })).toMatchObject({ value: { host: 'b:2', timeoutMs: 15_000 } })
  expect(schema.parse({ host: 'a', redisHost: 'b' })).toMatchObject({ value: { host: 'a' } })
  expect(schema.parse({ redisHost: 'b', host: 'a' })).toMatchObject({ value: { host: 'a' } })
})

test('every issue is told at once, without secrets', () => {
  expect(schema.parse({ password: 'hunter2', enableTLS: 'perhaps', timeout: '-1s', mode: 'x' })).toEqual({
    issues: [
      { field: 'host', message: 'is required, for example localhost:6379' },
      { field: 'password', message: 'must be a whole number' },
      { field: 'enableTLS', message: 'must be true or false, got "perhaps"' },
      { field: 'timeout', message: 'must be at least 0ms, got "-1s"' },
      { field: 'mode', message: 'must be one of node, cluster, got "x"' },
    ],
  })
})

test('an empty text counts as absent', () => {
  expect(schema.parse({ host: '' })).toMatchObject({ issues: [{ field: 'host' }] })
  expect(schema.parse({ host: 'a', timeout: '' })).toMatchObject({ value: { timeoutMs: 15_000 } })
})

test('types follow from the declaration', () => {
  const result = schema.parse({ host: 'a' })
  if (!('value' in result)) throw new Error('issues')
  expectTypeOf(result.value.host).toEqualTypeOf<string>()
  expectTypeOf(result.value.password).toEqualTypeOf<number | undefined>()
  expectTypeOf(result.value.enableTLS).toEqualTypeOf<boolean>()
  expectTypeOf(result.value.mode).toEqualTypeOf<'node' | 'cluster'>()
})

test('two fields of one name are a mistake of the component', () => {
  expect(() =>
    fields({ a: string({ description: 'x' }), b: string({ description: 'x', aliases: ['A'] }) }),
  ).toThrow('declared twice')
})

test('a list is written with commas or as JSON', () => {
  const schema = fields({ names: list({ description: 'x' }) })
  const read = (names: string): unknown =>
    (schema.parse({ names }) as { value: { names: unknown } }).value.names
  expect(read(' a, b,,c ')).toEqual(['a', 'b', 'c'])
  expect(read('["a, b", " c", ""]')).toEqual(['a, b', 'c'])
  expect(read('[::1]:80,b')).toEqual(['[::1]:80', 'b'])
  expect(read('[1,2]')).toEqual(['[1', '2]'])
})
