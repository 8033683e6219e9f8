import { expect, test } from 'vitest'
import { decodeRow, encodeValue, fromTimestamp, toTimestamp } from './row.ts'

test('timestamps are UTC text and come back to the millisecond', () => {
  const ms = Date.UTC(2026, 0, 31, 12, 5, 9, 42)
  expect(toTimestamp(ms)).toBe('2026-01-31 12:05:09.042')
  expect(fromTimestamp('2026-01-31 12:05:09.042')).toBe(ms)
})

test('whole seconds, as others write them, are read and compare as text', () => {
  expect(fromTimestamp('2026-01-31 12:05:09')).toBe(Date.UTC(2026, 0, 31, 12, 5, 9))
  expect('2026-01-31 12:05:09' < toTimestamp(Date.UTC(2026, 0, 31, 12, 5, 9, 1))).toBe(true)
  expect('2026-01-31 12:05:10' > toTimestamp(Date.UTC(2026, 0, 31, 12, 5, 9, 999))).toBe(true)
})

test('what is beyond the calendar is its end', () => {
  expect(toTimestamp(Number.MAX_SAFE_INTEGER)).toBe('9999-12-31 23:59:59.999')
})

test('what is no timestamp is no expiry', () => {
  expect(fromTimestamp('soon')).toBeUndefined()
})

test('JSON is stored as its bytes, binary as base64', () => {
  const json = Buffer.from('{"n":12345678901234567890.10}')
  expect(encodeValue({ kind: 'json', bytes: json })).toEqual({ value: json, isBinary: 0 })
  const bytes = new Uint8Array([9, 0, 255, 128, 9]).subarray(1, 4)
  const encoded = encodeValue({ kind: 'binary', bytes })
  expect(Buffer.from(encoded.value).toString()).toBe('AP+A')
  const row = {
    key: 'k',
    value: encoded.value,
    is_binary: encoded.isBinary,
    etag: 'e',
    expiration_time: null,
  }
  expect([...decodeRow(row).value.bytes]).toEqual([0, 255, 128])
})
