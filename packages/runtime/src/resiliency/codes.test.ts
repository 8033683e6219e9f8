import { expect, test } from 'vitest'
import { grpcCodes, httpCodes, readCodes } from './codes.ts'

test.each([
  ['429', [[429, 429]]],
  ['500-599', [[500, 599]]],
  [
    '429, 501-503',
    [
      [429, 429],
      [501, 503],
    ],
  ],
  ['429,,', [[429, 429]]],
  [',', []],
  ['100-599', [[100, 599]]],
])('%j', (text, ranges) => {
  expect(readCodes(text, httpCodes)).toEqual(ranges.map(([first, last]) => ({ first, last })))
})

test('an empty text stands for all codes', () => expect(readCodes('', httpCodes)).toBeUndefined())

test('codes of gRPC', () => {
  expect(readCodes('0,14-16', grpcCodes)).toEqual([
    { first: 0, last: 0 },
    { first: 14, last: 16 },
  ])
})

test.each([
  ['5xx', '"5xx" is neither a code nor a range such as 500-599'],
  ['500-', '"500-" is neither a code nor a range such as 500-599'],
  ['500-501-502', '"500-501-502" is neither a code nor a range such as 500-599'],
  ['-1', '"-1" is neither a code nor a range such as 500-599'],
  ['99', '99 is not a code from 100 to 599'],
  ['500-600', '600 is not a code from 100 to 599'],
  ['503-500', '"503-500" ends before it begins'],
])('%j is refused', (text, message) => {
  expect(() => readCodes(text, httpCodes)).toThrow(message)
})

test('17 is no code of gRPC', () => {
  expect(() => readCodes('17', grpcCodes)).toThrow('17 is not a code from 0 to 16')
})
