import { expect, test } from 'vitest'
import { unescapedPath, withoutDotSegments, withoutPathParameters } from './path.ts'

test.each([
  ['/a/b', '/a/b'],
  ['/', '/'],
  ['', ''],
  ['/a/../b', '/b'],
  ['/a/%2e%2E/b', '/b'],
  ['/a/.%2e/b', '/b'],
  ['/a/..;x=1/b', '/b'],
  ['/a/..%3Bx=1/b', '/b'],
  ['/a%2F..%2fb', '/b'],
  ['/a/..%5Cb', '/b'],
  ['/a/..\\b', '/b'],
  ['/a/%2e/b', '/a/b'],
  ['/..', '/'],
  ['/../../a', '/a'],
  ['/a/%2e%2e', '/'],
  // Nothing is resolved, and so nothing changes.
  ['/a%2Fb%5Cc/%2ed', '/a%2Fb%5Cc/%2ed'],
  ['/a;b=../c', '/a;b=../c'],
  ['/a/...', '/a/...'],
  ['/a%252e%252e/b', '/a%252e%252e/b'],
])('%s without dot segments is %s', (path, expected) => {
  expect(withoutDotSegments(path)).toBe(expected)
})

test.each([
  ['/a;b=c/d', '/a/d'],
  ['/;/a;', '//a'],
  ['/a%3Bb%2Fc', '/a%2Fc'],
  ['/a/b', '/a/b'],
])('%s without parameters is %s', (path, expected) => {
  expect(withoutPathParameters(path)).toBe(expected)
})

test.each([
  ['/a%20b', '/a b'],
  ['/%C3%BC', '/ü'],
  ['/%FF', '/%FF'],
  ['/100%', '/100%'],
])('%s unescaped is %s', (path, expected) => {
  expect(unescapedPath(path)).toBe(expected)
})
