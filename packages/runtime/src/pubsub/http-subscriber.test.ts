import { expect, it } from 'vitest'
import { requestPath } from './http-subscriber.ts'

it.each([
  ['/orders', '/orders'],
  ['orders', '/orders'],
  ['//orders', '/orders'],
  [' /orders/new ', '/orders/new'],
  ['', '/'],
  ['/', '/'],
  ['/a//b', '/a//b'],
])('makes one path of %j: %s', (written, path) => expect(requestPath(written)).toBe(path))
