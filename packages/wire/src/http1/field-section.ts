import { Refusal } from './refusal.ts'
import { COLON, CR, HTAB, latin1, LF, SP, tokenBytes, valueBytes } from './syntax.ts'

export interface SectionLimits {
  /** Bytes of names and values. */
  readonly maxHeaderBytes: number
  readonly maxFields: number
  /** Bytes of the request target. */
  readonly maxTargetBytes: number
}

/**
 * Reads a section of header fields, with the line before it if there is one, from bytes that may come in pieces.
 * Strict: no folded lines, no bare LF, no control characters, no spaces around names (RFC 9112, sections 2.2 and 5).
 */
export abstract class FieldSection {
  /** The complete section, one character for each byte. */
  text = ''
  /** Where the fields begin in `text`. */
  fieldsAt = 0
  protected readonly limits: SectionLimits
  /** All bytes of a section, however they are spent: the limits, and room for what is around them. */
  private readonly maxBytes: number
  /** Offsets from the section's begin: the line to continue with, and how far was looked at. */
  private line = 0
  private looked = 0
  private atFirstLine: boolean
  private count = 0
  private bytes = 0

  constructor(limits: SectionLimits, hasFirstLine: boolean) {
    this.limits = limits
    this.maxBytes = limits.maxHeaderBytes + limits.maxTargetBytes + limits.maxFields * 4 + 1024
    this.atFirstLine = hasFirstLine
  }

  /** Whether a part of a section was read. */
  get begun(): boolean {
    return this.looked > 0
  }

  /**
   * Reads the section that begins at `from`. When it is not complete the next call must bring the same bytes again,
   * with more behind them; what was read is not read twice.
   * @returns the position behind the section, or -1 while it is not complete
   */
  read(bytes: Buffer, from: number): number {
    const end = bytes.length
    let at = from + this.line
    if (this.looked > 0 && bytes.indexOf(LF, from + this.looked) < 0) return this.wait(at, from, end)
    if (this.atFirstLine) {
      const next = this.firstLine(bytes, at, end, from)
      if (next < 0) return this.wait(at, from, end)
      this.atFirstLine = false
      this.fieldsAt = next - from
      at = next
    }
    for (;;) {
      if (at < end && bytes[at] === CR) {
        if (at + 1 === end) return this.wait(at, from, end)
        if (bytes[at + 1] !== LF) throw new Refusal(400, 'a CR without LF')
        at += 2
        if (at - from > this.maxBytes) throw tooLarge()
        this.text = latin1(bytes, from, at)
        this.complete()
        return at
      }
      const next = this.field(bytes, at, end, from)
      if (next < 0) return this.wait(at, from, end)
      at = next
    }
  }

  protected abstract firstLine(bytes: Buffer, at: number, end: number, from: number): number

  /** Told of each field; positions in `bytes`, of which `from` is the begin of the section. */
  protected abstract seen(
    bytes: Buffer,
    name: number,
    nameEnd: number,
    value: number,
    valueEnd: number,
    from: number,
  ): void

  protected abstract complete(): void

  protected restart(hasFirstLine: boolean): void {
    this.text = ''
    this.fieldsAt = this.line = this.looked = this.count = this.bytes = 0
    this.atFirstLine = hasFirstLine
  }

  private field(bytes: Buffer, name: number, end: number, from: number): number {
    let at = name
    while (at < end && tokenBytes[bytes[at]!] === 1) at++
    if (at === end) return -1
    const nameEnd = at
    if (bytes[at] !== COLON || at === name) throw new Refusal(400, 'a malformed field name')
    at++
    while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at++
    const value = at
    while (at < end && valueBytes[bytes[at]!] === 1) at++
    if (at + 1 >= end) return -1
    if (bytes[at] !== CR || bytes[at + 1] !== LF)
      throw new Refusal(400, 'a control character in a field value')
    let valueEnd = at
    while (valueEnd > value && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) valueEnd--
    this.count++
    this.bytes += nameEnd - name + valueEnd - value
    if (this.count > this.limits.maxFields || this.bytes > this.limits.maxHeaderBytes) throw tooLarge()
    this.seen(bytes, name, nameEnd, value, valueEnd, from)
    return at + 2
  }

  private wait(line: number, from: number, end: number): -1 {
    this.line = line - from
    this.looked = end - from
    if (this.atFirstLine) {
      if (this.looked > this.limits.maxTargetBytes + 64)
        throw new Refusal(414, 'the request line is too long')
    } else if (this.looked > this.maxBytes || this.bytes + end - line > this.limits.maxHeaderBytes + 64) {
      throw tooLarge()
    }
    return -1
  }
}

/** Cuts a section that was read without a fault into names and values in turn. */
export function splitFields(text: string, at: number): string[] {
  const flat: string[] = []
  while (text.charCodeAt(at) !== CR) {
    const colon = text.indexOf(':', at)
    let start = colon + 1
    while (isBlank(text.charCodeAt(start))) start++
    const line = text.indexOf('\r', start)
    let end = line
    while (end > start && isBlank(text.charCodeAt(end - 1))) end--
    flat.push(text.slice(at, colon), text.slice(start, end))
    at = line + 2
  }
  return flat
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB
}

function tooLarge(): Refusal {
  return new Refusal(431, 'the header section is too large')
}
