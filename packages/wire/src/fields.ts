import { WireError } from './error.ts'

/** Header fields as names and values in turn: `['content-type', 'text/plain', 'etag', '1']`. */
export type FlatFields = readonly string[]

/** What may be given where header fields are expected. A constant array is the cheapest. */
export type FieldsInit = FlatFields | Fields

/**
 * Header fields in the order of the wire, in one flat array. Names are lower-cased when they are looked at,
 * not before. Names given to the methods must be lower-case.
 */
export class Fields implements Iterable<[name: string, value: string]> {
  private readonly list: string[]

  /** Takes ownership of `flat` (names and values in turn). */
  constructor(flat: string[] = []) {
    if (flat.length % 2 !== 0) throw new WireError('PROTOCOL', 'header fields need a value for each name')
    this.list = flat
  }

  static from(
    init: FieldsInit | Iterable<readonly [string, string]> | Readonly<Record<string, string>>,
  ): Fields {
    if (init instanceof Fields) return new Fields(init.list.slice())
    if (Array.isArray(init) && typeof init[0] !== 'object') return new Fields(init.slice() as string[])
    const fields = new Fields()
    const pairs =
      Symbol.iterator in init ? (init as Iterable<readonly [string, string]>) : Object.entries(init)
    for (const [name, value] of pairs) fields.append(name, value)
    return fields
  }

  /** How many fields there are; a name that occurs twice counts twice. */
  get size(): number {
    return this.list.length >> 1
  }

  /** The first value of this name. */
  get(name: string): string | undefined {
    const list = this.list
    for (let index = 0; index < list.length; index += 2) {
      if (this.matches(index, name)) return list[index + 1]
    }
    return undefined
  }

  /** All values of this name, in order. */
  getAll(name: string): string[] {
    const found: string[] = []
    for (let index = 0; index < this.list.length; index += 2) {
      if (this.matches(index, name)) found.push(this.list[index + 1]!)
    }
    return found
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  /** Adds a field and keeps those of the same name. */
  append(name: string, value: string): this {
    this.list.push(name, value)
    return this
  }

  /** Puts one field in the place of all of this name. */
  set(name: string, value: string): this {
    this.delete(name)
    this.list.push(name, value)
    return this
  }

  /** Removes every field of this name; `true` if there was one. */
  delete(name: string): boolean {
    const list = this.list
    let kept = 0
    for (let index = 0; index < list.length; index += 2) {
      if (this.matches(index, name)) continue
      list[kept] = list[index]!
      list[kept + 1] = list[index + 1]!
      kept += 2
    }
    const found = kept < list.length
    list.length = kept
    return found
  }

  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (let index = 0; index < this.list.length; index += 2) {
      yield [this.list[index]!.toLowerCase(), this.list[index + 1]!]
    }
  }

  /** The fields as a flat array with the names as they were given or received. Not a copy. */
  flat(): FlatFields {
    return this.list
  }

  /** Bytes of names and values, without separators. */
  byteLength(): number {
    return flatLength(this.list)
  }

  private matches(index: number, name: string): boolean {
    const own = this.list[index]!
    if (own === name) return true
    if (own.length !== name.length) return false
    const lower = own.toLowerCase()
    // Remembered: the next look-up compares without lower-casing again.
    this.list[index] = lower
    return lower === name
  }
}

/** Length of all names and values; fields are one byte a character on the wire. */
export function flatLength(flat: FlatFields): number {
  let total = 0
  for (let index = 0; index < flat.length; index++) total += flat[index]!.length
  return total
}

export function toFlat(init: FieldsInit | undefined): FlatFields {
  if (init === undefined) return noFields
  return init instanceof Fields ? init.flat() : init
}

export const noFields: FlatFields = Object.freeze([]) as FlatFields
