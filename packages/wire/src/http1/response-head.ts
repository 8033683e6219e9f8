import type { SectionLimits } from './field-section.ts'
import { MessageHead } from './message-head.ts'
import { Refusal } from './refusal.ts'
import { CR, isWord, latin1, LF, SP, valueBytes } from './syntax.ts'

/** Reads the heads of responses, one after the other. */
export class ResponseHead extends MessageHead {
  status = 0
  /** For how long the server says that it keeps the connection; `undefined` when it says nothing. */
  keepAliveSeconds: number | undefined

  constructor(limits: SectionLimits) {
    super(limits, true)
  }

  /** Ready for the next response. */
  next(): void {
    this.restart()
    this.status = 0
    this.keepAliveSeconds = undefined
  }

  /** `HTTP/1.x SP status SP reason CRLF` (RFC 9112, section 4). */
  protected override firstLine(bytes: Buffer, start: number, end: number): number {
    let at = this.version(bytes, start, end)
    if (at < 0 || end - at < 5) return -1
    if (bytes[at] !== SP) throw new Refusal(400, 'a malformed status line')
    const digits = latin1(bytes, at + 1, at + 4)
    if (!/^[1-9][0-9]{2}$/.test(digits)) throw new Refusal(400, 'a malformed status')
    at += 4
    // The reason may be missing, and with it its space.
    if (bytes[at] !== CR && bytes[at] !== SP) throw new Refusal(400, 'a malformed status')
    while (at < end && valueBytes[bytes[at]!] === 1) at++
    if (at + 1 >= end) return -1
    if (bytes[at] !== CR || bytes[at + 1] !== LF) throw new Refusal(400, 'a malformed status line')
    this.status = Number(digits)
    if (this.status === 101) throw new Refusal(400, 'an upgrade that nobody asked for')
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
    if (nameEnd - name === 10 && isWord(bytes, name, nameEnd, 'keep-alive')) {
      const timeout = /\btimeout=(\d{1,9})/i.exec(latin1(bytes, value, valueEnd))
      if (timeout !== null) this.keepAliveSeconds = Number(timeout[1])
    } else super.seen(bytes, name, nameEnd, value, valueEnd, from)
  }
}
