import type { SectionLimits } from './field-section.ts'
import { MessageHead } from './message-head.ts'
import { escapeTarget } from '../escape-target.ts'
import { Refusal } from './refusal.ts'
import { CR, hostBytes, isWord, latin1, LF, SP, targetBytes, tokenBytes } from './syntax.ts'

/** Longer ones exist nowhere. */
const maxMethod = 32
const SLASH = 47

/** Reads the heads of requests, one after the other. */
export class RequestHead extends MessageHead {
  method = ''
  target = ''
  /** `Expect: 100-continue`. */
  expectsContinue = false
  private hostAt = -1
  private hostEnd = -1
  private methodAt = 0
  private methodEnd = 0
  private targetEnd = 0
  private beyondAscii = false

  constructor(limits: SectionLimits) {
    super(limits, true)
  }

  get authority(): string {
    return this.hostAt < 0 ? '' : this.text.slice(this.hostAt, this.hostEnd)
  }

  /** Ready for the next request. */
  next(): void {
    this.restart()
    this.method = this.target = ''
    this.expectsContinue = this.beyondAscii = false
    this.hostAt = this.hostEnd = -1
  }

  /** `METHOD SP target SP HTTP/1.x CRLF` (RFC 9112, section 3). */
  protected override firstLine(bytes: Buffer, start: number, end: number, from: number): number {
    let at = start
    // Some clients send an empty line too much after a body (section 2.2).
    if (bytes[at] === CR) {
      if (at + 1 === end) return -1
      if (bytes[at + 1] !== LF) throw new Refusal(400, 'a CR without LF')
      at += 2
    }
    this.methodAt = at - from
    while (at < end && tokenBytes[bytes[at]!] === 1) at++
    const length = at - from - this.methodAt
    if (length > maxMethod) throw new Refusal(400, 'a malformed request line')
    if (at === end) return -1
    if (bytes[at] !== SP || length === 0) throw new Refusal(400, 'a malformed request line')
    this.methodEnd = at - from
    const target = ++at
    for (; at < end; at++) {
      const byte = bytes[at]!
      if (targetBytes[byte] === 1) continue
      if (byte < 0x80) break
      this.beyondAscii = true
    }
    if (at - target > this.limits.maxTargetBytes) throw new Refusal(414, 'the request target is too long')
    if (at === end) return -1
    if (bytes[at] !== SP || at === target) throw new Refusal(400, 'a malformed request target')
    this.targetEnd = at - from
    at = this.version(bytes, at + 1, end)
    if (at < 0 || at + 1 >= end) return -1
    if (bytes[at] !== CR || bytes[at + 1] !== LF) throw new Refusal(400, 'a malformed request line')
    return at + 2
  }

  protected override seen(
    bytes: Buffer,
    name: number,
    nameEnd: number,
    value: number,
    valueEnd: number,
    from: number,
  ): void {
    const length = nameEnd - name
    if (length === 4 && isWord(bytes, name, nameEnd, 'host')) this.host(bytes, value, valueEnd, from)
    else if (length === 6 && isWord(bytes, name, nameEnd, 'expect')) this.expect(bytes, value, valueEnd)
    else super.seen(bytes, name, nameEnd, value, valueEnd, from)
  }

  protected override complete(): void {
    super.complete()
    const { text } = this
    this.method = knownMethod(text, this.methodAt, this.methodEnd)
    this.target = text.slice(this.methodEnd + 1, this.targetEnd)
    // RFC 9112, section 3.2.
    if (this.hostAt < 0 && this.minor === 1) throw new Refusal(400, 'no host')
    if (this.method === 'CONNECT') throw new Refusal(501, 'CONNECT is not supported')
    if (this.target.charCodeAt(0) !== SLASH) this.otherForm()
    if (this.beyondAscii) this.target = escapeTarget(this.target)
    if (this.minor === 0) this.expectsContinue = false
  }

  private host(bytes: Buffer, start: number, end: number, from: number): void {
    if (this.hostAt >= 0) throw new Refusal(400, 'several hosts')
    for (let at = start; at < end; at++) {
      if (hostBytes[bytes[at]!] !== 1) throw new Refusal(400, 'a malformed host')
    }
    this.hostAt = start - from
    this.hostEnd = end - from
  }

  private expect(bytes: Buffer, start: number, end: number): void {
    if (latin1(bytes, start, end).toLowerCase() !== '100-continue')
      throw new Refusal(417, 'an unknown expectation')
    this.expectsContinue = true
  }

  /** `http://host/path`, as to a proxy, and `*` (sections 3.2.2 and 3.2.4). */
  private otherForm(): void {
    const { target } = this
    if (target === '*') {
      if (this.method !== 'OPTIONS') throw new Refusal(400, 'a malformed request target')
      return
    }
    const parts = /^https?:\/\/([^/?@]+)((?:[/?].*)?)$/i.exec(target)
    if (parts === null || !isHost(parts[1]!)) throw new Refusal(400, 'a malformed request target')
    // The target's authority counts, not the field's.
    this.hostAt = this.methodEnd + 1 + target.indexOf('//') + 2
    this.hostEnd = this.hostAt + parts[1]!.length
    this.target = parts[2]!.startsWith('/') ? parts[2]! : `/${parts[2]}`
  }
}

function isHost(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (hostBytes[text.charCodeAt(index)] !== 1) return false
  return true
}

/** The usual ones as constants: comparing them costs nothing. */
function knownMethod(text: string, start: number, end: number): string {
  switch (end - start) {
    case 3:
      if (text.startsWith('GET', start)) return 'GET'
      if (text.startsWith('PUT', start)) return 'PUT'
      break
    case 4:
      if (text.startsWith('POST', start)) return 'POST'
      if (text.startsWith('HEAD', start)) return 'HEAD'
      break
    case 6:
      if (text.startsWith('DELETE', start)) return 'DELETE'
  }
  return text.slice(start, end)
}
