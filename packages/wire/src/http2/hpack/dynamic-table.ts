/** What an entry costs besides name and value (RFC 7541, section 4.1). */
export const entryOverhead = 32

export interface Entry {
  readonly name: string
  readonly value: string
  readonly kind: number
}

/** The table a decoder keeps (RFC 7541, section 2.3.2): a ring of entries, the newest has index 0. */
export class DynamicTable {
  /** Bytes allowed by the last size update. */
  capacity: number
  size = 0
  count = 0
  private ring: (Entry | undefined)[] = []
  /** Place of the newest entry. */
  private newest = -1

  constructor(capacity: number) {
    this.capacity = capacity
  }

  at(index: number): Entry | undefined {
    if (index >= this.count) return undefined
    return this.ring[(this.newest - index) & (this.ring.length - 1)]
  }

  add(entry: Entry): void {
    const size = entry.name.length + entry.value.length + entryOverhead
    this.evict(this.capacity - size)
    // An entry that is larger than the table empties it and is not kept (section 4.4).
    if (size > this.capacity) return
    if (this.count === this.ring.length) this.grow()
    this.newest = (this.newest + 1) & (this.ring.length - 1)
    this.ring[this.newest] = entry
    this.count++
    this.size += size
  }

  resize(capacity: number): void {
    this.capacity = capacity
    this.evict(capacity)
  }

  /** Drops the oldest entries until the rest takes no more than `room`. */
  private evict(room: number): void {
    const mask = this.ring.length - 1
    while (this.size > room && this.count > 0) {
      const place = (this.newest - this.count + 1) & mask
      const entry = this.ring[place]!
      this.size -= entry.name.length + entry.value.length + entryOverhead
      this.ring[place] = undefined
      this.count--
    }
  }

  private grow(): void {
    const entries: (Entry | undefined)[] = []
    for (let index = this.count - 1; index >= 0; index--) entries.push(this.at(index)!)
    this.ring = entries.concat(Array<undefined>(Math.max(8, this.ring.length)).fill(undefined))
    this.newest = this.count - 1
  }
}
