import { expect, test } from 'vitest'
import { deleteArguments, scriptArguments, setArguments } from './operations.ts'

const value = { bytes: Buffer.from('1'), kind: 'json' as const }
const metadata = {}

test('a plain write has no condition and no end', () => {
  expect(setArguments({ key: 'k', value, metadata }, undefined)).toEqual([
    1,
    'k',
    's',
    1,
    '',
    value.bytes,
    '',
    '',
  ])
})

test('time to live: of the request, else of the store, never none', () => {
  const at = (ttlSeconds: number | 'never' | undefined): unknown =>
    setArguments({ key: 'k', value, metadata, ttlSeconds }, 60)[6]
  expect([at(5), at(undefined), at('never')]).toEqual([5000, 60_000, ''])
})

test('conditions and flags', () => {
  const binary = { bytes: Buffer.from('1'), kind: 'binary' as const }
  const first = setArguments({ key: 'k', value: binary, metadata, concurrency: 'first-write' }, undefined)
  expect([first[4], first[7]]).toEqual(['f', 'bw'])
  expect(
    setArguments({ key: 'k', value, metadata, concurrency: 'first-write', etag: '7' }, undefined)[4],
  ).toBe('7')
  expect(deleteArguments({ key: 'k', metadata, etag: '7' })).toEqual([1, 'k', 'd', 1, '7', '', '', ''])
})

test.each(['one', '', '-1', '1.5', '9'.repeat(20)])('%j cannot be an ETag', (etag) => {
  expect(() => setArguments({ key: 'k', value, metadata, etag }, undefined)).toThrow('whole number')
})

test('a transaction names each key once', () => {
  const set = (key: string) => ({ operation: 'upsert', request: { key, value, metadata } }) as const
  const args = scriptArguments(
    [set('a'), set('b'), { operation: 'delete', request: { key: 'a', metadata } }],
    undefined,
  )
  expect(args.slice(0, 3)).toEqual([2, 'a', 'b'])
  expect([args[3], args[4], args[9], args[10], args[15], args[16]]).toEqual(['s', 1, 's', 2, 'd', 1])
})
