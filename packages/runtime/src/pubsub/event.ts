import { scanObject, textOf } from './json-scan.ts'
import type { Span } from './json-scan.ts'

/** An envelope on its way to the application: its bytes, and its attributes as far as somebody asks for them. */
export class DeliveredEvent {
  readonly bytes: Uint8Array
  private readonly members: ReadonlyMap<string, Span>
  private parsed: Record<string, unknown> | undefined

  private constructor(bytes: Uint8Array, members: ReadonlyMap<string, Span>) {
    this.bytes = bytes
    this.members = members
  }

  /** `undefined` when the bytes are no JSON object. */
  static read(bytes: Uint8Array): DeliveredEvent | undefined {
    const members = scanObject(bytes)
    return members === undefined ? undefined : new DeliveredEvent(bytes, members)
  }

  /** An attribute that is a string and not empty. */
  text(name: string): string | undefined {
    const span = this.members.get(name)
    if (span === undefined) return undefined
    try {
      const value: unknown = JSON.parse(textOf(this.bytes, span.start, span.end))
      return typeof value === 'string' && value !== '' ? value : undefined
    } catch {
      return undefined
    }
  }

  /** The JSON of an attribute as it came. */
  raw(name: string): Uint8Array | undefined {
    const span = this.members.get(name)
    return span && this.bytes.subarray(span.start, span.end)
  }

  /** The whole event as objects, for rules. Throws a SyntaxError when something inside is no JSON. */
  value(): Record<string, unknown> {
    this.parsed ??= JSON.parse(textOf(this.bytes)) as Record<string, unknown>
    return this.parsed
  }

  expired(nowMs: number): boolean {
    const text = this.text('expiration')
    // A date that cannot be read expires nothing.
    return text !== undefined && Date.parse(text) < nowMs
  }
}
