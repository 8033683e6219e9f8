import { writeLatin1 } from '../bytes.ts'
import { entryOverhead } from './dynamic-table.ts'
import { encodeHuffman, huffmanLength } from './huffman.ts'
import { nameInfo } from './names.ts'
import type { NameInfo } from './names.ts'
import { staticCount } from './static-table.ts'

/** Most bytes that a field takes besides name and value. */
export const fieldOverhead = 16
/** Most bytes that size updates take at the beginning of a block. */
export const blockOverhead = 12

/** Values of a name that were sent lately without being indexed. */
const recentValues = 4
const maxNames = 256
const maxCapacity = 4096

/** What one connection knows of one name. Entries of the table are counted from the first ever; -1 is none. */
interface NameState {
  readonly info: NameInfo
  lastValue: string
  lastEntry: number
  /** All values of this name that are in the table. */
  values: Map<string, number> | undefined
  recent: string[] | undefined
  nextRecent: number
}

/**
 * Encodes header blocks (RFC 7541). A value goes into the dynamic table when it comes a second time: values
 * that never repeat, like trace ids, cost neither table space nor time. What is indexed is Huffman-coded, it
 * is sent once; other literals are sent plain, which is cheaper to read and to write than to shorten.
 */
export class HpackEncoder {
  private readonly names = new Map<string, NameState>()
  private readonly limit: number
  private capacity = maxCapacity
  /** A size update that the next block must begin with; the smallest since the last block comes first. */
  private smallest = -1
  private size = 0
  private count = 0
  /** Entries ever added. */
  private added = 0
  private readonly states: (NameState | undefined)[] = []
  private readonly entryValues: string[] = []

  /** Uses no more than `limit` bytes of table, whatever the peer allows. */
  constructor(limit = 4096) {
    this.limit = Math.min(limit, maxCapacity)
    if (limit < maxCapacity) this.resize(limit)
  }

  get tableSize(): number {
    return this.size
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  resize(setting: number): void {
    const capacity = Math.min(setting, this.limit)
    if (capacity === this.capacity && this.smallest < 0) return
    this.smallest = this.smallest < 0 ? capacity : Math.min(this.smallest, capacity)
    this.capacity = capacity
    this.evict(capacity)
  }

  /** Begins a block at `at`; needs {@link blockOverhead} bytes. Returns the position behind what it wrote. */
  begin(out: Uint8Array, at: number): number {
    if (this.smallest < 0) return at
    if (this.smallest < this.capacity) at = integer(out, at, 0x20, 0x1f, this.smallest)
    this.smallest = -1
    return integer(out, at, 0x20, 0x1f, this.capacity)
  }

  /** Writes one field; needs {@link fieldOverhead} bytes and those of name and value. Returns the position behind it. */
  field(out: Uint8Array, at: number, name: string, value: string): number {
    const state = this.names.get(name) ?? this.learn(name)
    const { info } = state
    const oldest = this.added - this.count
    if (info.neverIndexed) return this.literal(out, at, 0x10, 0x0f, state, value)
    const entry = value === state.lastValue ? state.lastEntry : (state.values?.get(value) ?? -1)
    if (entry >= oldest) return integer(out, at, 0x80, 0x7f, staticCount + this.added - entry)
    const fixed = info.staticValues?.get(value)
    if (fixed !== undefined) return integer(out, at, 0x80, 0x7f, fixed)
    if (!this.repeats(state, value)) return this.literal(out, at, 0x00, 0x0f, state, value)
    at = this.literal(out, at, 0x40, 0x3f, state, value)
    this.add(state, value)
    return at
  }

  private learn(given: string): NameState {
    const info = nameInfo(given)
    const state: NameState = this.names.get(info.name) ?? {
      info,
      lastValue: '',
      lastEntry: -1,
      values: undefined,
      recent: undefined,
      nextRecent: 0,
    }
    if (this.names.size >= maxNames) return state
    // Under both spellings.
    this.names.set(info.name, state)
    if (given !== info.name) this.names.set(given, state)
    return state
  }

  /** Whether this value came before, and would not take a large part of the table. */
  private repeats(state: NameState, value: string): boolean {
    if (value.length > this.capacity >> 2) return false
    const recent = (state.recent ??= [])
    if (recent.includes(value)) return true
    if (recent.length < recentValues) recent.push(value)
    else {
      recent[state.nextRecent] = value
      state.nextRecent = (state.nextRecent + 1) % recentValues
    }
    return false
  }

  private literal(
    out: Uint8Array,
    at: number,
    pattern: number,
    mask: number,
    state: NameState,
    value: string,
  ): number {
    const { info } = state
    const indexed = pattern === 0x40
    if (info.staticIndex > 0) at = integer(out, at, pattern, mask, info.staticIndex)
    else if (state.lastEntry >= this.added - this.count && state.lastEntry >= 0) {
      at = integer(out, at, pattern, mask, staticCount + this.added - state.lastEntry)
    } else {
      out[at++] = pattern
      at = text(out, at, info.name, indexed)
    }
    return text(out, at, value, indexed)
  }

  private add(state: NameState, value: string): void {
    const size = state.info.name.length + value.length + entryOverhead
    this.evict(this.capacity - size)
    if (size > this.capacity) return
    const slot = this.added % maxEntries
    this.states[slot] = state
    this.entryValues[slot] = value
    state.values ??= new Map()
    state.values.set(value, this.added)
    state.lastValue = value
    state.lastEntry = this.added++
    this.size += size
    this.count++
  }

  private evict(room: number): void {
    while (this.size > room && this.count > 0) {
      const entry = this.added - this.count
      const slot = entry % maxEntries
      const state = this.states[slot]!
      const value = this.entryValues[slot]!
      this.size -= state.info.name.length + value.length + entryOverhead
      if (state.values!.get(value) === entry) state.values!.delete(value)
      this.states[slot] = undefined
      this.entryValues[slot] = ''
      this.count--
    }
  }
}

/** More entries than the largest table can hold, so that slots are never shared. */
const maxEntries = maxCapacity / entryOverhead

/** RFC 7541, section 5.1. */
function integer(out: Uint8Array, at: number, pattern: number, mask: number, value: number): number {
  if (value < mask) {
    out[at] = pattern | value
    return at + 1
  }
  out[at++] = pattern | mask
  for (value -= mask; value >= 0x80; value >>>= 7) out[at++] = (value & 0x7f) | 0x80
  out[at] = value
  return at + 1
}

function text(out: Uint8Array, at: number, value: string, shorten: boolean): number {
  if (shorten) {
    const length = huffmanLength(value)
    if (length < value.length) return encodeHuffman(value, out, integer(out, at, 0x80, 0x7f, length))
  }
  return writeLatin1(out, value, integer(out, at, 0x00, 0x7f, value.length))
}
