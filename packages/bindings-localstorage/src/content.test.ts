import { fromUtf8, utf8 } from '@outrigger/kit'
import { describe, expect, test } from 'vitest'
import { contentOf } from './content.ts'

describe('contentOf', () => {
  test.each([
    ['Hello World', 'Hello World'],
    ['"Hello World"', 'Hello World'],
    ['"line\\nend \\u003c \\"x\\""', 'line\nend < "x"'],
    ['{"a":"b"}', '{"a":"b"}'],
    ['"a" and "b"', '"a" and "b"'],
    ['"', '"'],
    ['', ''],
    ['""', ''],
    ['SGVsbG8gV29ybGQ=', 'Hello World'],
    ['"SGVsbG8gV29ybGQ="', 'Hello World'],
    ['SGVs\r\nbG8g\nV29ybGQ=\n', 'Hello World'],
    ['SGVsbG8gV29ybGQ', 'SGVsbG8gV29ybGQ'],
    ['SGVs=bG8', 'SGVs=bG8'],
    ['====', '===='],
    ['SGVsbG8gV29yb===', 'SGVsbG8gV29yb==='],
    ['SGVs bG8g', 'SGVs bG8g'],
    ['-_-_', '-_-_'],
  ])('%j is stored as %j', (data, stored) => {
    expect(fromUtf8(contentOf(utf8(data)))).toBe(stored)
  })

  test('leaves bytes that are no text as they are', () => {
    for (const bytes of [[0x22, 0xff, 0x22], [0xff, 0xfe, 0, 1], [0x00], [0x80, 0x41, 0x42, 0x43]]) {
      expect(contentOf(Uint8Array.from(bytes))).toEqual(Uint8Array.from(bytes))
    }
  })

  test('decodes Base64 to any bytes', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
    expect(new Uint8Array(contentOf(utf8(JSON.stringify(Buffer.from(bytes).toString('base64')))))).toEqual(
      bytes,
    )
  })
})
