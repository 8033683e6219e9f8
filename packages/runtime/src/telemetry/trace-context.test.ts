import { Fields } from '@outrigger/wire'
import { expect, test } from 'vitest'
import {
  beginTrace,
  isTraceparent,
  newTraceparent,
  toBinary,
  traced,
  traceparentOf,
} from './trace-context.ts'

let count = 0
const random = {
  next: () => 0,
  uuid: () => `${String(++count).padStart(8, 'a')}-1111-4111-8111-111111111111`,
}

test.each([
  ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', true],
  ['cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more', true],
  ['ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', false],
  ['00-00000000000000000000000000000000-b7ad6b7169203331-01', false],
  ['00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01', false],
  ['00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01', false],
  ['nonsense', false],
  [undefined, false],
])('%j', (text, expected) => expect(isTraceparent(text)).toBe(expected))

test('a trace that is begun here is valid and new each time', () => {
  const first = newTraceparent(random)
  expect(isTraceparent(first)).toBe(true)
  expect(newTraceparent(random)).not.toBe(first)
})

test("the caller's trace is kept, its tracestate goes with it", () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  expect(traced({ traceparent, tracestate: 'a=1' }, random)).toMatchObject({ traceparent, tracestate: 'a=1' })
  expect(traced({ traceparent: 'x', tracestate: 'a=1' }, random).tracestate).toBeUndefined()
})

const given = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const binary = Buffer.from('00000af7651916cd43dd8448eb211c80319c01b7ad6b71692033310201', 'hex')

test.each([
  ['kept', ['traceparent', given]],
  ['read from its binary form', ['grpc-trace-bin', binary.toString('base64')]],
])('the trace of fields is %s', (_, flat) => {
  const fields = new Fields([...flat, 'tracestate', 'a=1'])
  beginTrace(fields, random)
  expect(fields.get('traceparent')).toBe(given)
  expect(fields.get('tracestate')).toBe('a=1')
})

test.each([[[]], [['traceparent', 'x']], [['grpc-trace-bin', 'AAAA']], [['grpc-trace-bin', '']]])(
  'a trace begins where fields carry none: %j',
  (flat) => {
    const fields = new Fields([...flat, 'tracestate', 'a=1'])
    beginTrace(fields, random)
    expect(isTraceparent(fields.get('traceparent'))).toBe(true)
    expect(fields.getAll('traceparent')).toHaveLength(1)
    expect(fields.has('tracestate')).toBe(false)
  },
)

test('the binary form says the same, and comes first', () => {
  const text = toBinary(given)!
  expect(text).toBe(binary.toString('base64').replace(/=+$/, ''))
  expect(traceparentOf(new Fields(['grpc-trace-bin', text]))).toBe(given)
  const other = given.replace('0a', '0b')
  expect(traceparentOf(new Fields(['traceparent', other, 'grpc-trace-bin', text]))).toBe(given)
  expect(traceparentOf(new Fields(['traceparent', other, 'grpc-trace-bin', 'AAAA']))).toBe(other)
  expect([toBinary('nonsense'), toBinary(undefined)]).toEqual([undefined, undefined])
})
