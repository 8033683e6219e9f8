import { describe, expect, test } from 'vitest'
import { parseBase, sameHost, targetOf } from './target.ts'

describe('parseBase', () => {
  test.each([
    '',
    'localhost:8080',
    'ftp://host/',
    'file:///etc/passwd',
    '/relative',
    'http://',
    'http://user:hidden@host:99999',
  ])('refuses %j', (url) => {
    expect(() => parseBase(url)).toThrow('url must be an http or https URL')
    expect(() => parseBase(url)).not.toThrow('hidden')
  })
})

describe('targetOf', () => {
  test.each([
    ['http://h:1/api', undefined, 'http://h:1/api'],
    ['http://h:1/api', '', 'http://h:1/api'],
    ['http://h:1/api/', '/things/7', 'http://h:1/api/things/7'],
    ['http://h:1/api', 'things/7?a=b&c=%2F', 'http://h:1/api/things/7?a=b&c=%2F'],
    ['http://h:1', '/', 'http://h:1/'],
    ['http://h:1', '//evil.example/x', 'http://h:1/evil.example/x'],
    ['http://h:1/', '@evil.example/x', 'http://h:1/@evil.example/x'],
    ['http://h:1', ':80@evil.example/', 'http://h:1/:80@evil.example/'],
    ['http://h:1', 'http://evil.example/', 'http://h:1/http://evil.example/'],
    ['http://h:1', '\\\\evil.example\\x', 'http://h:1///evil.example/x'],
    ['http://h:1', '../../x', 'http://h:1/x'],
    ['http://h:1/api', 'a/../b', 'http://h:1/api/b'],
    ['http://h:1/api', 'a b', 'http://h:1/api/a%20b'],
    ['http://u:p@h:1/api', 'x', 'http://u:p@h:1/api/x'],
    ['http://h:1/api?code=1', 'x', 'http://h:1/api?code=1/x'],
  ])('%s and %j make %s', (base, path, expected) => {
    expect(targetOf(parseBase(base), path).href.replace(/\/$/, '')).toBe(expected.replace(/\/$/, ''))
  })

  test.each([
    '..',
    '../admin',
    'a/../../admin',
    '%2e%2e/admin',
    '.%2E/admin',
    '\\..\\..\\admin',
    '../apidocs',
    '/../api2',
  ])('refuses %j, which leads out of /api', (path) => {
    expect(() => targetOf(parseBase('https://h/api'), path)).toThrow('leads out of the url')
  })
})

test.each([
  ['http://a.example/', 'http://a.example:81/x', true],
  ['http://a.example/', 'https://a.example/', true],
  ['http://a.example/', 'http://b.a.example/', true],
  ['https://a.example/', 'http://a.example/', false],
  ['http://b.a.example/', 'http://a.example/', false],
  ['http://a.example/', 'http://evila.example/', false],
  ['http://127.0.0.1/', 'http://localhost/', false],
])('sameHost(%s, %s) is %s', (from, to, expected) => {
  expect(sameHost(new URL(from), new URL(to))).toBe(expected)
})
