import { describe, expect, it } from 'vitest'
import { BodyReader } from './body-reader.ts'
import { Refusal } from './refusal.ts'

const limits = { maxHeaderBytes: 200, maxFields: 3, maxTargetBytes: 0 }

function read(reader: BodyReader, pieces: readonly string[]): { body: string; rest: string } {
  let body = ''
  let rest = ''
  const sink = { push: (chunk: Uint8Array) => (body += Buffer.from(chunk).toString('latin1')) }
  for (const piece of pieces) {
    const bytes = Buffer.from(rest + piece, 'latin1')
    rest = bytes.toString('latin1', reader.read(bytes, 0, sink))
  }
  return { body, rest }
}

function chunked(text: string): number {
  const reader = new BodyReader(limits)
  reader.beginChunked()
  try {
    read(reader, [text])
  } catch (error) {
    if (error instanceof Refusal) return error.status
    throw error
  }
  return 0
}

describe('a body', () => {
  it('with a length ends there', () => {
    const reader = new BodyReader(limits)
    reader.beginSized(5)
    expect(read(reader, ['he', 'llo', 'next'])).toEqual({ body: 'hello', rest: 'next' })
    expect(reader.done).toBe(true)
    reader.beginSized(0)
    expect(reader.done).toBe(true)
  })

  it('without either goes on to the end of the connection', () => {
    const reader = new BodyReader(limits)
    reader.beginUntilClose()
    expect(read(reader, ['all', ' of it'])).toEqual({ body: 'all of it', rest: '' })
    expect(reader.done).toBe(false)
    expect(reader.close()).toBe(true)
  })

  it('cut short is not complete', () => {
    const reader = new BodyReader(limits)
    reader.beginSized(5)
    read(reader, ['he'])
    expect(reader.close()).toBe(false)
    expect(reader.remaining).toBe(3)
  })

  it('in chunks may come in any pieces, with extensions and trailers', () => {
    const text = '5;a=b;c="d"\r\nhello\r\n0A\r\n0123456789\r\n000;x\r\nX-Sum: 1\r\nX-Two:  2 \r\n\r\nnext'
    for (let first = 0; first <= text.length; first++) {
      for (const second of [first, Math.min(text.length, first + 3)]) {
        const reader = new BodyReader(limits)
        reader.beginChunked()
        const pieces = [text.slice(0, first), text.slice(first, second), text.slice(second)]
        const result = read(reader, pieces)
        expect(result).toEqual({ body: 'hello0123456789', rest: 'next' })
        expect(reader.trailers).toEqual(['X-Sum', '1', 'X-Two', '2'])
      }
    }
  })

  it('does not inherit trailers', () => {
    const reader = new BodyReader(limits)
    reader.beginChunked()
    read(reader, ['0\r\nX: 1\r\n\r\n'])
    reader.beginChunked()
    read(reader, ['0\r\n\r\n'])
    expect(reader.trailers).toBeUndefined()
  })

  it.each([
    ['no size', '\r\nhello', 400],
    ['a size that is no number', 'g\r\n', 400],
    ['a prefix', '0x5\r\nhello\r\n', 400],
    ['a sign', '+5\r\nhello\r\n', 400],
    ['a space before the size', ' 5\r\nhello\r\n', 400],
    ['a space behind the size', '5 \r\nhello\r\n', 400],
    ['a size beyond numbers', '00000000000005\r\nhello\r\n', 413],
    ['the largest size and one digit', 'ffffffffffffffff\r\n', 413],
    ['a bare LF behind the size', '5\nhello\r\n', 400],
    ['a bare CR behind the size', '5\rhello\r\n', 400],
    ['a bare LF in an extension', '5;a\nhello\r\n', 400],
    ['NUL in an extension', '5;a\0b\r\nhello\r\n', 400],
    ['large extensions', `5;${'a'.repeat(5000)}\r\nhello\r\n`, 413],
    ['many extensions', '1;aaaaaaaaaaaaaaaaaaa\r\nx\r\n'.repeat(300), 413],
    ['more than its size', '5\r\nhellox\r\n', 400],
    ['a bare LF behind the data', '5\r\nhello\n', 400],
    ['a bare LF at the end', '0\r\n\n', 400],
    ['a folded trailer', '0\r\nX: a\r\n b\r\n\r\n', 400],
    ['a space in a trailer', '0\r\nX Y: a\r\n\r\n', 400],
    ['many trailers', `0\r\n${'x: y\r\n'.repeat(4)}\r\n`, 431],
    ['large trailers', `0\r\nx: ${'y'.repeat(300)}\r\n\r\n`, 431],
  ])('with %s is refused', (_, text, status) => {
    expect(chunked(text)).toBe(status)
  })
})
