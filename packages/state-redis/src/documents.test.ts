import { expect, test } from 'vitest'
import { documentValue, isDocument } from './documents.ts'
import { deleteArguments, scriptArguments, setArguments } from './operations.ts'

const value = { bytes: Buffer.from('{"n":1.0}'), kind: 'json' as const }
const metadata = { contentType: 'application/json' }

test('the metadata of the request decides, then that of the transaction', () => {
  expect([isDocument(metadata), isDocument({}), isDocument({}, metadata)]).toEqual([true, false, true])
  expect(isDocument({ contentType: 'text/plain' }, metadata)).toBe(false)
})

test('a document is marked, and its text goes as it is', () => {
  expect(
    setArguments({ key: 'k', value, metadata, concurrency: 'first-write' }, undefined, true).slice(4),
  ).toEqual(['f', value.bytes, '', 'jw'])
  expect(deleteArguments({ key: 'k', metadata }, true).at(-1)).toBe('j')
  const operations = [
    { operation: 'upsert', request: { key: 'a', value, metadata: {} } },
    { operation: 'delete', request: { key: 'b', metadata } },
  ] as const
  const flags = (documents?: Record<string, string>) => {
    const args = scriptArguments(operations, undefined, documents)
    return [args[8], args[14]]
  }
  expect([flags(), flags({}), flags(metadata)]).toEqual([
    ['', ''],
    ['', 'j'],
    ['j', 'j'],
  ])
})

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

test.each(['', '{', '1,"version":9', '{"a":1}}', nested(121), '\u00ff\u0000'])(
  '%j is refused as a document',
  (text) => {
    expect(() =>
      documentValue({ key: 'k', value: { bytes: Buffer.from(text), kind: 'binary' }, metadata }),
    ).toThrow('the value of key k')
  },
)

test.each(['1', '"[[[["', nested(120), ' {"a":[1]} '])('%j is a document', (text) => {
  expect(
    documentValue({ key: 'k', value: { bytes: Buffer.from(text), kind: 'binary' }, metadata }).toString(),
  ).toBe(text)
})
