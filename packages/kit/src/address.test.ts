import { expect, test } from 'vitest'
import { formatHostPort, parseHostPort } from './address.ts'

test.each([
  ['localhost', { host: 'localhost', port: undefined }],
  ['a-dapr.ns.svc.cluster.local:50002', { host: 'a-dapr.ns.svc.cluster.local', port: 50_002 }],
  ['my_app.internal.:80', { host: 'my_app.internal.', port: 80 }],
  ['10.0.0.1:1', { host: '10.0.0.1', port: 1 }],
  ['[::1]', { host: '::1', port: undefined }],
  ['[fe80::1%eth0]:65535', { host: 'fe80::1%eth0', port: 65_535 }],
])('%s is a host', (text, expected) => {
  expect(parseHostPort(text)).toEqual(expected)
})

test.each([
  '',
  ':80',
  'a:',
  'a:0',
  'a:65536',
  'a:1x',
  '::1',
  '[::1',
  '[a]:1',
  '[]:1',
  'a b',
  'a/b',
  'a..b',
  '-a',
  'a-',
  'a@b:1',
  `${'a'.repeat(64)}.b`,
  `${'a.'.repeat(127)}a`,
  'a:1:2',
  'a\0b',
  'é',
])('%j is none', (text) => {
  expect(parseHostPort(text)).toBeUndefined()
})

test('what is written can be read', () => {
  expect(formatHostPort('::1', 80)).toBe('[::1]:80')
  expect(formatHostPort('10.0.0.1', 80)).toBe('10.0.0.1:80')
  expect(parseHostPort(formatHostPort('2001:db8::1', 443))).toEqual({ host: '2001:db8::1', port: 443 })
})
