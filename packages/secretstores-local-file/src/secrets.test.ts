import { isComponentError } from '@outrigger/spec'
import { describe, expect, test } from 'vitest'
import { readSecrets } from './secrets.ts'

const single = { nestedSeparator: ':', multiValued: false }
const multi = { nestedSeparator: ':', multiValued: true }
const read = (text: string, options = single): unknown =>
  Object.fromEntries(readSecrets('s.json', text, options))

const nested = JSON.stringify({
  redisPassword: 'p1',
  connectionStrings: { sql: 'p2', mysql: { username: 'p3', password: 'p4' } },
  list: ['p5', { deep: 'p6' }],
  none: null,
})

describe('readSecrets', () => {
  test('flattens nested objects to one value for each name', () => {
    expect(read(nested)).toEqual({
      redisPassword: { redisPassword: 'p1' },
      'connectionStrings:sql': { 'connectionStrings:sql': 'p2' },
      'connectionStrings:mysql:username': { 'connectionStrings:mysql:username': 'p3' },
      'connectionStrings:mysql:password': { 'connectionStrings:mysql:password': 'p4' },
      'list:0': { 'list:0': 'p5' },
      'list:1:deep': { 'list:1:deep': 'p6' },
    })
  })

  test('flattens below the first level where secrets have several values', () => {
    expect(read(nested, multi)).toEqual({
      redisPassword: { redisPassword: 'p1' },
      connectionStrings: { sql: 'p2', 'mysql:username': 'p3', 'mysql:password': 'p4' },
      list: { '0': 'p5', '1:deep': 'p6' },
    })
  })

  test('uses the separator that was asked for', () => {
    expect(read('{"a":{"b":"c"}}', { ...single, nestedSeparator: '.' })).toEqual({ 'a.b': { 'a.b': 'c' } })
  })

  test('turns numbers and booleans into strings', () => {
    expect(read('{"port":5432,"big":12345678901234567890,"tls":true}')).toEqual({
      port: { port: '5432' },
      big: { big: '12345678901234567890' },
      tls: { tls: 'true' },
    })
  })

  test('takes names that mean something in JavaScript, the empty name and a byte order mark', () => {
    const secrets = readSecrets('s.json', '\uFEFF{"__proto__":"a","":{"b":"c"}}', single)
    expect(Object.entries(secrets.get('__proto__')!)).toEqual([['__proto__', 'a']])
    expect(secrets.get(':b')).toEqual({ ':b': 'c' })
  })

  test.each([
    ['{"a:b":"hidden1","a":{"b":"hidden2"}}', single, 's.json has two values whose name is "a:b"'],
    ['{"a":"hidden1"\n"b":"hidden2"}', single, 's.json:2:1 is not valid JSON'],
    ['["hidden1"]', single, 's.json must hold a JSON object'],
    ['"hidden1"', multi, 's.json must hold a JSON object'],
  ])('refuses %j without showing a value', (text, options, message) => {
    let error: unknown
    try {
      readSecrets('s.json', text, options)
    } catch (caught) {
      error = caught
    }
    expect(isComponentError(error) && error.code).toBe('INVALID_METADATA')
    expect(String(error)).toContain(`secretsFile: ${message}`)
    expect(String(error)).not.toContain('hidden')
  })
})
