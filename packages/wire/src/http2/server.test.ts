import { describe, expect, it } from 'vitest'
import { looksLikePreface } from './server.ts'

describe('the preface of HTTP/2', () => {
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

  it('is known as soon as it can be nothing else', () => {
    const answers = Array.from({ length: 25 }, (_, length) => looksLikePreface(preface.subarray(0, length)))
    expect(answers.indexOf(true)).toBe(14)
    expect(answers.slice(0, 14).every((answer) => answer === undefined)).toBe(true)
    expect(looksLikePreface(Buffer.concat([preface, Buffer.from('more')]))).toBe(true)
  })

  it.each(['GET / HTTP/1.1\r\n', 'P', 'PO', 'PRI * HTTP/1.1\r\n', 'PRI * HTTP/2.0 \n', '\x16\x03\x01'])(
    'is not %j',
    (text) => expect(looksLikePreface(Buffer.from(text))).toBe(text === 'P' ? undefined : false),
  )
})
