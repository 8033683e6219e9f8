import { describe, expect, it } from 'vitest'
import { splitFields } from './field-section.ts'
import { Refusal } from './refusal.ts'
import { ResponseHead } from './response-head.ts'

const limits = { maxHeaderBytes: 100, maxFields: 3, maxTargetBytes: 50 }

function refusal(text: string): number {
  try {
    new ResponseHead(limits).read(Buffer.from(text, 'latin1'), 0)
  } catch (error) {
    if (error instanceof Refusal) return error.status
    throw error
  }
  return 0
}

describe('a response head', () => {
  it.each([
    ['HTTP/1.1 200 OK', 200, true],
    ['HTTP/1.1 404 Not \xe4 Found', 404, true],
    ['HTTP/1.1 299 ', 299, true],
    ['HTTP/1.1 299', 299, true],
    ['HTTP/1.0 500 Oh', 500, false],
  ])('%s has status %i, keeps the connection: %s', (line, status, keepAlive) => {
    const text = `${line}\r\nContent-Length: 3\r\nKeep-Alive: max=9, timeout=5\r\n\r\n`
    for (let first = 1; first <= text.length; first++) {
      const head = new ResponseHead(limits)
      let at = head.read(Buffer.from(text.slice(0, first), 'latin1'), 0)
      if (at < 0) at = head.read(Buffer.from(text, 'latin1'), 0)
      expect(at).toBe(text.length)
      expect(head).toMatchObject({ status, keepAlive, contentLength: 3, keepAliveSeconds: 5 })
      expect(splitFields(head.text, head.fieldsAt)).toHaveLength(4)
    }
  })

  it.each([
    ['another protocol', '220 mail.example ESMTP\r\n', 400],
    ['HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n', 505],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n', 400],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', 400],
    ['two spaces', 'HTTP/1.1  200 OK\r\n\r\n', 400],
    ['a bare LF', 'HTTP/1.1 200 OK\nX: y\r\n\r\n', 400],
    ['NUL in its reason', 'HTTP/1.1 200 O\0K\r\n\r\n', 400],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', 400],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['a folded field', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n', 400],
    ['many fields', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(4)}\r\n`, 431],
    ['large fields', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(101)}\r\n\r\n`, 431],
    ['a reason without end', `HTTP/1.1 200 ${'y'.repeat(300)}`, 414],
  ])('with %s is refused', (_, text, status) => {
    expect(refusal(text)).toBe(status)
  })
})
