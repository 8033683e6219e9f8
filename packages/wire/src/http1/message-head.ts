import { FieldSection } from './field-section.ts'
import { Refusal } from './refusal.ts'
import { CR, isWord, latin1 } from './syntax.ts'

/** A head of a request or response, with what its fields say about the layout of the message. */
export abstract class MessageHead extends FieldSection {
  /** Minor version of HTTP/1. */
  minor = 1
  /** -1 when there is none. */
  contentLength = -1
  chunked = false
  /** Whether the peer keeps the connection open after this message. */
  keepAlive = true
  private closeAsked = false
  private keepAliveAsked = false

  protected override restart(): void {
    super.restart(true)
    this.minor = 1
    this.contentLength = -1
    this.chunked = this.closeAsked = this.keepAliveAsked = false
    this.keepAlive = true
  }

  protected override seen(
    bytes: Buffer,
    name: number,
    nameEnd: number,
    value: number,
    valueEnd: number,
    _from: number,
  ): void {
    switch (nameEnd - name) {
      case 10:
        if (isWord(bytes, name, nameEnd, 'connection')) this.connection(bytes, value, valueEnd)
        break
      case 14:
        if (isWord(bytes, name, nameEnd, 'content-length')) this.length(bytes, value, valueEnd)
        break
      case 17:
        if (isWord(bytes, name, nameEnd, 'transfer-encoding')) this.coding(bytes, value, valueEnd)
    }
  }

  protected override complete(): void {
    if (this.chunked) {
      // Two answers to where the body ends are how requests are smuggled (RFC 9112, section 6.1).
      if (this.contentLength >= 0) throw new Refusal(400, 'both content-length and transfer-encoding')
      if (this.minor === 0) throw new Refusal(400, 'transfer-encoding in HTTP/1.0')
    }
    this.keepAlive = !this.closeAsked && (this.minor === 1 || this.keepAliveAsked)
  }

  /** `HTTP/1.x` and one more byte; -1 when more bytes are needed. */
  protected version(bytes: Buffer, at: number, end: number): number {
    if (end - at < 9) return -1
    if (latin1(bytes, at, at + 7) !== 'HTTP/1.') {
      const other = /^HTTP\/[0-9]\.[0-9]$/.test(latin1(bytes, at, at + 8))
      throw new Refusal(other ? 505 : 400, other ? 'not HTTP/1' : 'not HTTP')
    }
    const minor = bytes[at + 7]! - 48
    if (minor !== 0 && minor !== 1) throw new Refusal(minor > 1 && minor < 10 ? 505 : 400, 'not HTTP/1.1')
    this.minor = minor
    return at + 8
  }

  private connection(bytes: Buffer, start: number, end: number): void {
    if (isWord(bytes, start, end, 'keep-alive')) this.keepAliveAsked = true
    else if (isWord(bytes, start, end, 'close')) this.closeAsked = true
    else {
      for (const option of latin1(bytes, start, end).toLowerCase().split(',')) {
        const word = option.trim()
        if (word === 'close') this.closeAsked = true
        else if (word === 'keep-alive') this.keepAliveAsked = true
      }
    }
  }

  private length(bytes: Buffer, start: number, end: number): void {
    // Repeated, even with the same value, it is a fault of somebody on the way.
    if (this.contentLength >= 0) throw new Refusal(400, 'several content-lengths')
    if (start === end) throw new Refusal(400, 'an empty content-length')
    let length = 0
    for (let at = start; at < end; at++) {
      const digit = bytes[at]! - 48
      if (digit < 0 || digit > 9) throw new Refusal(400, 'a malformed content-length')
      length = length * 10 + digit
    }
    if (length > Number.MAX_SAFE_INTEGER) throw new Refusal(413, 'the content-length is too large')
    this.contentLength = length
  }

  private coding(bytes: Buffer, start: number, end: number): void {
    // Parsers disagree about what a blank behind it means, and so about where the body ends.
    if (bytes[end] !== CR) throw new Refusal(400, 'a blank behind the transfer-encoding')
    if (!this.chunked && isWord(bytes, start, end, 'chunked')) {
      this.chunked = true
      return
    }
    const known = /^[\w-]+([ \t]*,[ \t]*[\w-]+)*[ \t]*,[ \t]*chunked$/i.test(latin1(bytes, start, end))
    throw new Refusal(known && !this.chunked ? 501 : 400, 'a transfer-encoding other than chunked')
  }
}
