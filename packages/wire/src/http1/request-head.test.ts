import { describe, expect, it } from 'vitest'
import { splitFields } from './field-section.ts'
import { Refusal } from './refusal.ts'
import { RequestHead } from './request-head.ts'

const limits = { maxHeaderBytes: 1000, maxFields: 20, maxTargetBytes: 100 }
const host = 'Host: a\r\n'

function parse(text: string): RequestHead {
  const head = new RequestHead(limits)
  const bytes = Buffer.from(text, 'latin1')
  expect(head.read(bytes, 0)).toBe(bytes.length)
  return head
}

function refusal(text: string): number {
  try {
    new RequestHead(limits).read(Buffer.from(text, 'latin1'), 0)
  } catch (error) {
    if (error instanceof Refusal) return error.status
    throw error
  }
  return 0
}

describe('a request head', () => {
  it('is read with its fields as they came', () => {
    const head = parse(
      `PATCH /a%20b?c HTTP/1.1\r\n${host}X-Empty:\r\nX-Blank: \t a b\t \r\nX-Byte: \xe4\r\n\r\n`,
    )
    expect(head).toMatchObject({ method: 'PATCH', target: '/a%20b?c', authority: 'a', keepAlive: true })
    const fields = ['Host', 'a', 'X-Empty', '', 'X-Blank', 'a b', 'X-Byte', '\xe4']
    expect(splitFields(head.text, head.fieldsAt)).toEqual(fields)
  })

  it('may come in any pieces', () => {
    const text = `\r\nPOST /p HTTP/1.1\r\n${host}Content-Length: 12\r\nConnection: close\r\n\r\nrest`
    const bytes = Buffer.from(text)
    for (let first = 1; first < bytes.length; first++) {
      const head = new RequestHead(limits)
      let at = head.read(bytes.subarray(0, first), 0)
      if (at < 0) at = head.read(bytes, 0)
      expect(text.slice(at)).toBe('rest')
      expect(head).toMatchObject({ method: 'POST', target: '/p', contentLength: 12, keepAlive: false })
    }
  })

  it('leaves nothing to the next one', () => {
    const head = new RequestHead(limits)
    const first = `POST /1 HTTP/1.0\r\n${host}Content-Length: 1\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`
    const bytes = Buffer.from(`${first}GET /2 HTTP/1.1\r\nHost: b\r\n\r\n`)
    const at = head.read(bytes, 0)
    head.next()
    expect(head.read(bytes, at)).toBe(bytes.length)
    expect(head).toMatchObject({
      method: 'GET',
      target: '/2',
      authority: 'b',
      contentLength: -1,
      minor: 1,
      expectsContinue: false,
      keepAlive: true,
    })
  })

  it.each([
    ['GET / HTTP/1.1', '', true],
    ['GET / HTTP/1.1', 'Connection: close\r\n', false],
    ['GET / HTTP/1.1', 'Connection: x, Close\r\n', false],
    ['GET / HTTP/1.1', 'Connection: keep-alive\r\nConnection: close\r\n', false],
    ['GET / HTTP/1.0', '', false],
    ['GET / HTTP/1.0', 'Connection: Keep-Alive\r\n', true],
    ['GET / HTTP/1.0', 'Connection: keep-alive, close\r\n', false],
  ])('%s with %j keeps the connection: %s', (line, fields, keepAlive) => {
    expect(parse(`${line}\r\n${host}${fields}\r\n`).keepAlive).toBe(keepAlive)
  })

  it.each([
    ['GET http://b:81/p?q', '/p?q', 'b:81'],
    ['GET HTTP://b', '/', 'b'],
    ['GET http://b?q', '/?q', 'b'],
    ['GET /p', '/p', 'a'],
    ['GET //p', '//p', 'a'],
    ['OPTIONS *', '*', 'a'],
    ['GET /gr\xc3\xbc\xc3\x9f?\xff', '/gr%C3%BC%C3%9F?%FF', 'a'],
    ['GET http://b/\xc3\xbc', '/%C3%BC', 'b'],
  ])('%s is for %s of %s', (start, target, authority) => {
    expect(parse(`${start} HTTP/1.1\r\n${host}\r\n`)).toMatchObject({ target, authority })
  })

  const post = `POST / HTTP/1.1\r\n${host}`
  it.each([
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['two hosts', `GET / HTTP/1.1\r\n${host}${host}\r\n`, 400],
    ['two hosts in HTTP/1.0', `GET / HTTP/1.0\r\n${host}${host}\r\n`, 400],
    ['a host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
    ['a host with a user', 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n', 400],
    ['two hosts in one field', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
    ['a bare LF behind the request line', `GET / HTTP/1.1\n${host}\r\n`, 400],
    ['a bare LF behind a field', 'GET / HTTP/1.1\r\nHost: a\n\r\n', 400],
    ['a bare LF at the end', `GET / HTTP/1.1\r\n${host}\n`, 400],
    ['a bare CR in a value', `GET / HTTP/1.1\r\n${host}X: a\rb\r\n\r\n`, 400],
    ['NUL in a value', `GET / HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`, 400],
    ['DEL in a value', `GET / HTTP/1.1\r\n${host}X: a\x7fb\r\n\r\n`, 400],
    ['NUL in the target', `GET /\0 HTTP/1.1\r\n${host}\r\n`, 400],
    ['a folded field', `GET / HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`, 400],
    ['a folded first field', `GET / HTTP/1.1\r\n X: a\r\n${host}\r\n`, 400],
    ['a space before the colon', `GET / HTTP/1.1\r\n${host}X : a\r\n\r\n`, 400],
    ['a space in a name', `GET / HTTP/1.1\r\n${host}X Y: a\r\n\r\n`, 400],
    ['an empty name', `GET / HTTP/1.1\r\n${host}: a\r\n\r\n`, 400],
    ['a line without a colon', `GET / HTTP/1.1\r\n${host}abc\r\n\r\n`, 400],
    ['a name beyond ASCII', `GET / HTTP/1.1\r\n${host}X\xe4: a\r\n\r\n`, 400],
    ['two spaces in the request line', `GET  / HTTP/1.1\r\n${host}\r\n`, 400],
    ['a space at its begin', ` GET / HTTP/1.1\r\n${host}\r\n`, 400],
    ['a space at its end', `GET / HTTP/1.1 \r\n${host}\r\n`, 400],
    ['a tab in it', `GET\t/ HTTP/1.1\r\n${host}\r\n`, 400],
    ['no version', `GET /path\r\n${host}\r\n`, 400],
    ['a small version', `GET / http/1.1\r\n${host}\r\n`, 400],
    ['a host in the target beyond ASCII', `GET http://\xc3\xbc/ HTTP/1.1\r\n${host}\r\n`, 400],
    ['a fragment', `GET /a#b HTTP/1.1\r\n${host}\r\n`, 400],
    ['a target that is no path', `GET a HTTP/1.1\r\n${host}\r\n`, 400],
    ['* for another method', `GET * HTTP/1.1\r\n${host}\r\n`, 400],
    ['a user in the target', `GET http://u@b/ HTTP/1.1\r\n${host}\r\n`, 400],
    ['another scheme', `GET ftp://b/ HTTP/1.1\r\n${host}\r\n`, 400],
    ['HTTP/2 without its preface', `GET / HTTP/2.0\r\n${host}\r\n`, 505],
    ['HTTP/1.2', `GET / HTTP/1.2\r\n${host}\r\n`, 505],
    ['CONNECT', `CONNECT a:1 HTTP/1.1\r\n${host}\r\n`, 501],
    ['a long method', `${'A'.repeat(33)} / HTTP/1.1\r\n${host}\r\n`, 400],
    ['a long target', `GET /${'a'.repeat(100)} HTTP/1.1\r\n${host}\r\n`, 414],
    ['a target without an end', `GET /${'a'.repeat(300)}`, 414],
    ['too many fields', `GET / HTTP/1.1\r\n${host}${'x: y\r\n'.repeat(20)}\r\n`, 431],
    ['large fields', `GET / HTTP/1.1\r\n${host}X: ${'a'.repeat(1000)}\r\n\r\n`, 431],
    ['a field without an end', `GET / HTTP/1.1\r\n${host}X: ${'a'.repeat(1200)}`, 431],
    ['blanks without an end', `GET / HTTP/1.1\r\n${host}${`X:${' '.repeat(800)}\r\n`.repeat(4)}\r\n`, 431],
    ['another expectation', `${post}Expect: tea\r\n\r\n`, 417],
    ['two lengths', `${post}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400],
    ['the same length twice', `${post}Content-Length: 1\r\ncontent-length: 1\r\n\r\n`, 400],
    ['a list of lengths', `${post}Content-Length: 1, 1\r\n\r\n`, 400],
    ['a negative length', `${post}Content-Length: -1\r\n\r\n`, 400],
    ['a positive length', `${post}Content-Length: +1\r\n\r\n`, 400],
    ['an empty length', `${post}Content-Length:\r\n\r\n`, 400],
    ['a hexadecimal length', `${post}Content-Length: 0x1\r\n\r\n`, 400],
    ['a length beyond numbers', `${post}Content-Length: ${'9'.repeat(30)}\r\n\r\n`, 413],
    ['a length and chunks', `${post}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
    ['chunks and a length', `${post}Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n`, 400],
    ['chunks in HTTP/1.0', `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n`, 400],
    ['chunked twice', `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
    ['chunked twice in one field', `${post}Transfer-Encoding: chunked, identity\r\n\r\n`, 400],
    ['something before chunked', `${post}Transfer-Encoding: gzip, chunked\r\n\r\n`, 501],
    ['almost chunked', `${post}Transfer-Encoding: xchunked\r\n\r\n`, 400],
    ['chunked with a tab', `${post}Transfer-Encoding: chunked\t\r\n\r\n`, 400],
    ['chunked with a vertical tab', `${post}Transfer-Encoding: \x0bchunked\r\n\r\n`, 400],
    ['an empty coding', `${post}Transfer-Encoding:\r\n\r\n`, 400],
  ])('with %s is refused', (_, text, status) => {
    expect(refusal(text)).toBe(status)
  })
})
