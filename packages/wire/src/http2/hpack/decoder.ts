import { readLatin1 } from '../bytes.ts'
import { COMPRESSION_ERROR, ConnectionError } from '../errors.ts'
import { DynamicTable } from './dynamic-table.ts'
import type { Entry } from './dynamic-table.ts'
import { INVALID, isPadded, isValueBytes, kindOfName, PADDED, PLAIN } from './field-kind.ts'
import { decodeHuffman, huffmanOutput } from './huffman.ts'
import { staticCount, staticNames, staticValues } from './static-table.ts'

/** Takes the fields of one block in order. */
export interface FieldSink {
  field(name: string, value: string, kind: number): void
}

const staticEntries: readonly Entry[] = staticNames.map((name, index) => ({
  name,
  value: staticValues[index]!,
  kind: index === 0 ? INVALID : kindOfName(name),
}))

/**
 * Decodes header blocks (RFC 7541). Errors are connection errors: after one the tables of both sides differ.
 * Memory is bounded by the table and by the size of the block: an indexed field is a reference, not a copy.
 */
export class HpackDecoder {
  private readonly table: DynamicTable
  /** The size that our SETTINGS allow: size updates must stay within. */
  private readonly maxCapacity: number
  private bytes: Buffer = Buffer.alloc(0)
  private at = 0
  private end = 0
  /** Whether the string read last may be a field value. */
  private clean = true

  constructor(maxCapacity = 4096) {
    this.maxCapacity = maxCapacity
    this.table = new DynamicTable(maxCapacity)
  }

  /** Bytes that the dynamic table counts at the moment. */
  get tableSize(): number {
    return this.table.size
  }

  /** Decodes the block in `bytes[start..end)`. */
  decode(bytes: Buffer, start: number, end: number, sink: FieldSink): void {
    this.bytes = bytes
    this.at = start
    this.end = end
    let first = true
    while (this.at < end) {
      const byte = bytes[this.at]!
      if (byte >= 0x80) {
        const entry = this.entry(this.integer(0x7f))
        sink.field(entry.name, entry.value, entry.kind)
      } else if (byte >= 0x40) {
        const entry = this.literal(0x3f)
        this.table.add(entry)
        sink.field(entry.name, entry.value, entry.kind)
      } else if (byte >= 0x20) {
        // Section 4.2: only at the beginning of a block.
        if (!first) throw bad('a table size update is not at the beginning of its block')
        const capacity = this.integer(0x1f)
        if (capacity > this.maxCapacity) throw bad('a table size update exceeds the setting')
        this.table.resize(capacity)
        continue
      } else {
        const entry = this.literal(0x0f)
        sink.field(entry.name, entry.value, entry.kind)
      }
      first = false
    }
    this.bytes = none
  }

  private entry(index: number): Entry {
    const entry = index <= staticCount ? staticEntries[index] : this.table.at(index - staticCount - 1)
    if (entry === undefined || index === 0) throw bad(`there is no entry ${index}`)
    return entry
  }

  private literal(mask: number): Entry {
    const index = this.integer(mask)
    let name: string
    let kind: number
    if (index === 0) {
      name = this.text()
      kind = kindOfName(name)
    } else {
      const known = this.entry(index)
      name = known.name
      // An entry may be invalid because of its value only.
      kind = known.kind >= INVALID ? kindOfName(name) : known.kind
    }
    const value = this.text()
    if (!this.clean) kind = INVALID
    else if (isPadded(value)) kind = kind === PLAIN ? PADDED : INVALID
    return { name, value, kind }
  }

  /** Section 5.1. */
  private integer(mask: number): number {
    const { bytes, end } = this
    let value = bytes[this.at++]! & mask
    if (value < mask) return value
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.at >= end) throw bad('an integer is cut off')
      const byte = bytes[this.at++]!
      value += (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw bad('an integer is too large')
  }

  /** Section 5.2. */
  private text(): string {
    if (this.at >= this.end) throw bad('a field is cut off')
    const huffman = this.bytes[this.at]! >= 0x80
    const length = this.integer(0x7f)
    const start = this.at
    const stop = start + length
    if (stop > this.end) throw bad('a string is longer than its block')
    this.at = stop
    if (!huffman) {
      this.clean = isValueBytes(this.bytes, start, stop)
      return readLatin1(this.bytes, start, stop)
    }
    const decoded = decodeHuffman(this.bytes, start, stop)
    const output = huffmanOutput()
    this.clean = isValueBytes(output, 0, decoded)
    return readLatin1(output, 0, decoded)
  }
}

const none = Buffer.alloc(0)

function bad(message: string): ConnectionError {
  return new ConnectionError(COMPRESSION_ERROR, message)
}
