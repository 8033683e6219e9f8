import { FieldSection, splitFields } from './field-section.ts'
import type { SectionLimits } from './field-section.ts'
import { Refusal } from './refusal.ts'
import { CR, LF, valueBytes } from './syntax.ts'

/** Where the bytes of a body go. */
export interface BodySink {
  push(chunk: Uint8Array): void
}

/** Bytes of chunk extensions in one message: nobody uses them, and nobody shall hide work in them. */
const maxExtensionBytes = 4096
/** Hexadecimal digits of a chunk's size, leading zeros included; as many as a number holds exactly. */
const maxSizeDigits = 13
const SEMICOLON = 59

/** What is expected next. */
const DONE = 0
const SIZED = 1
const UNTIL_CLOSE = 2
const CHUNK_SIZE = 3
const CHUNK_EXTENSION = 4
const CHUNK_SIZE_LF = 5
const CHUNK_DATA = 6
const CHUNK_DATA_CR = 7
const CHUNK_DATA_LF = 8
const TRAILERS = 9

/** Finds the end of bodies, one after the other, and takes the chunked coding off (RFC 9112, sections 6 and 7). */
export class BodyReader {
  /** Fields after a chunked body, names and values in turn. */
  trailers: string[] | undefined
  private readonly limits: SectionLimits
  private state = DONE
  /** Bytes to come: of the body, or of the chunk. */
  private rest = 0
  private digits = 0
  private extension = 0
  private section: TrailerSection | undefined
  private partial: Buffer | undefined

  constructor(limits: SectionLimits) {
    this.limits = limits
  }

  get done(): boolean {
    return this.state === DONE
  }

  /** Bytes that are still to come, if that is known. */
  get remaining(): number | undefined {
    return this.state === DONE ? 0 : this.state === SIZED ? this.rest : undefined
  }

  beginSized(length: number): void {
    this.trailers = undefined
    this.state = length === 0 ? DONE : SIZED
    this.rest = length
  }

  beginChunked(): void {
    this.trailers = undefined
    this.state = CHUNK_SIZE
    this.rest = this.digits = this.extension = 0
  }

  beginUntilClose(): void {
    this.trailers = undefined
    this.state = UNTIL_CLOSE
  }

  /** The connection has ended. @returns whether the body was complete */
  close(): boolean {
    if (this.state === UNTIL_CLOSE) this.state = DONE
    return this.done
  }

  /** Reads from `at`. @returns the position behind what belongs to the body */
  read(bytes: Buffer, at: number, sink: BodySink): number {
    const end = bytes.length
    while (at < end) {
      switch (this.state) {
        case DONE:
          return at
        case SIZED:
        case CHUNK_DATA: {
          const stop = Math.min(end, at + this.rest)
          this.rest -= stop - at
          if (this.rest === 0) this.state = this.state === SIZED ? DONE : CHUNK_DATA_CR
          sink.push(at === 0 && stop === end ? bytes : bytes.subarray(at, stop))
          at = stop
          break
        }
        case UNTIL_CLOSE:
          sink.push(at === 0 ? bytes : bytes.subarray(at))
          return end
        case TRAILERS:
          at = this.readTrailers(bytes, at)
          break
        default:
          this.frame(bytes[at++]!)
      }
    }
    return at
  }

  /** One byte between the data of two chunks. */
  private frame(byte: number): void {
    switch (this.state) {
      case CHUNK_SIZE:
        return this.size(byte)
      case CHUNK_EXTENSION:
        if (byte === CR) this.state = CHUNK_SIZE_LF
        else if (valueBytes[byte] !== 1) throw new Refusal(400, 'a control character in a chunk extension')
        else if (++this.extension > maxExtensionBytes) throw new Refusal(413, 'too many chunk extensions')
        return
      case CHUNK_SIZE_LF:
        if (byte !== LF) throw new Refusal(400, 'a CR without LF')
        this.digits = 0
        this.state = this.rest === 0 ? TRAILERS : CHUNK_DATA
        return
      case CHUNK_DATA_CR:
        if (byte !== CR) throw new Refusal(400, 'a chunk longer than its size')
        this.state = CHUNK_DATA_LF
        return
      default:
        if (byte !== LF) throw new Refusal(400, 'a CR without LF')
        this.state = CHUNK_SIZE
    }
  }

  private size(byte: number): void {
    const digit = hexadecimal(byte)
    if (digit >= 0) {
      if (++this.digits > maxSizeDigits) throw new Refusal(413, 'the chunk is too large')
      this.rest = this.rest * 16 + digit
    } else if (this.digits === 0) throw new Refusal(400, 'a malformed chunk size')
    else if (byte === CR) this.state = CHUNK_SIZE_LF
    else if (byte === SEMICOLON) this.state = CHUNK_EXTENSION
    else throw new Refusal(400, 'a malformed chunk size')
  }

  private readTrailers(bytes: Buffer, at: number): number {
    const section = (this.section ??= new TrailerSection(this.limits))
    const held = this.partial?.length ?? 0
    const all = this.partial === undefined ? bytes : Buffer.concat([this.partial, bytes.subarray(at)])
    const from = this.partial === undefined ? at : 0
    const next = section.read(all, from)
    if (next < 0) {
      this.partial = all.subarray(from)
      return bytes.length
    }
    this.partial = undefined
    const flat = splitFields(section.text, 0)
    if (flat.length > 0) this.trailers = flat
    section.next()
    this.state = DONE
    return held === 0 ? next : at + next - held
  }
}

class TrailerSection extends FieldSection {
  constructor(limits: SectionLimits) {
    super(limits, false)
  }

  next(): void {
    this.restart(false)
  }

  protected override firstLine(_bytes: Buffer, at: number): number {
    return at
  }

  protected override seen(): void {}

  protected override complete(): void {}
}

function hexadecimal(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const letter = byte | 0x20
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}
