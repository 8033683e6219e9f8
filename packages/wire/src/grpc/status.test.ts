import { expect, test } from 'vitest'
import {
  decodeMessage,
  encodeMessage,
  GrpcError,
  grpcStatusName,
  isGrpcError,
  statusOfHttp,
  statusOfReset,
} from './status.ts'

test.each([
  ['plain text', 'plain text'],
  ['100%', '100%25'],
  ['line\nbreak', 'line%0Abreak'],
  ['héllo 😀', 'h%C3%A9llo %F0%9F%98%80'],
  ['', ''],
  [' two  words ', '%20two  words%20'],
  [' ', '%20'],
])('%j travels as %j', (message, encoded) => {
  expect(encodeMessage(message)).toBe(encoded)
  expect(decodeMessage(encoded)).toBe(message)
})

test('a message that is not well formed is shown as it came', () => {
  expect(decodeMessage('%zz')).toBe('%zz')
})

test('names of codes, known and unknown', () => {
  expect(grpcStatusName(5)).toBe('NOT_FOUND')
  expect(grpcStatusName(77)).toBe('UNKNOWN')
})

test('an error of another copy of the package is recognised', () => {
  expect(isGrpcError(new GrpcError(5, 'x'))).toBe(true)
  expect(isGrpcError({ [Symbol.for('outrigger.wire.grpc-error')]: true })).toBe(true)
  expect(isGrpcError(new Error('x'))).toBe(false)
})

test.each([
  [401, 16],
  [404, 12],
  [503, 14],
  [418, 2],
])('HTTP %i stands for %i', (http, code) => expect(statusOfHttp(http)).toBe(code))

test.each([
  [0, 13],
  [2, 13],
  [7, 14],
  [8, 1],
  [11, 8],
  [12, 7],
  [99, 2],
])('RST_STREAM with %i stands for %i', (reset, code) => expect(statusOfReset(reset)).toBe(code))
