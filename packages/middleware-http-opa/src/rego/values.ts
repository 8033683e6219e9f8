/** Values of Rego. Nothing is changed once it is made. */
export type Value = null | boolean | number | string | readonly Value[] | Obj | ValueSet

/** An object, whose keys may be any value. */
export class Obj {
  readonly #entries = new Map<string, readonly [Value, Value]>()
  #sorted: readonly (readonly [Value, Value])[] | undefined

  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    for (const [key, value] of entries) this.#entries.set(keyOf(key), [key, value])
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: Value): Value | undefined {
    return this.#entries.get(keyOf(key))?.[1]
  }

  has(key: Value): boolean {
    return this.#entries.has(keyOf(key))
  }

  /** By their keys. */
  get entries(): readonly (readonly [Value, Value])[] {
    this.#sorted ??= [...this.#entries.values()].sort(([a], [b]) => compare(a, b))
    return this.#sorted
  }
}

export class ValueSet {
  readonly #items = new Map<string, Value>()
  #sorted: readonly Value[] | undefined

  constructor(items: Iterable<Value> = []) {
    for (const item of items) this.#items.set(keyOf(item), item)
  }

  get size(): number {
    return this.#items.size
  }

  has(item: Value): boolean {
    return this.#items.has(keyOf(item))
  }

  get items(): readonly Value[] {
    this.#sorted ??= [...this.#items.values()].sort(compare)
    return this.#sorted
  }
}

/** Equal values have the same text, and no others. */
export function keyOf(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value === null || typeof value !== 'object') return Object.is(value, -0) ? '0' : String(value)
  if (isArray(value)) return `[${value.map(keyOf).join(',')}]`
  if (value instanceof Obj)
    return `{${value.entries.map(([key, each]) => `${keyOf(key)}:${keyOf(each)}`).join(',')}}`
  return `<${value.items.map(keyOf).join(',')}>`
}

export function equal(a: Value, b: Value): boolean {
  if (a === b) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  return keyOf(a) === keyOf(b)
}

export function isArray(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

export type TypeName = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object' | 'set'

export function typeOf(value: Value): TypeName {
  if (value === null) return 'null'
  if (isArray(value)) return 'array'
  if (value instanceof Obj) return 'object'
  if (value instanceof ValueSet) return 'set'
  return typeof value as 'boolean' | 'number' | 'string'
}

const order: readonly TypeName[] = ['null', 'boolean', 'number', 'string', 'array', 'object', 'set']

/** The order of all values: by type first. Strings go by code points. */
export function compare(a: Value, b: Value): number {
  const [typeA, typeB] = [typeOf(a), typeOf(b)]
  if (typeA !== typeB) return order.indexOf(typeA) - order.indexOf(typeB)
  if (typeof a === 'string') return compareTexts(a, b as string)
  if (a === null || typeof a !== 'object') return Number(a) - Number(b)
  if (isArray(a)) return compareLists(a, b as readonly Value[])
  if (a instanceof ValueSet) return compareLists(a.items, (b as ValueSet).items)
  const [left, right] = [a.entries, (b as Obj).entries]
  const keys = compareLists(
    left.map(([key]) => key),
    right.map(([key]) => key),
  )
  return keys !== 0
    ? keys
    : compareLists(
        left.map(([, value]) => value),
        right.map(([, value]) => value),
      )
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0
  const [left, right] = [Array.from(a), Array.from(b)]
  for (let index = 0; index < left.length && index < right.length; index++) {
    const difference = left[index]!.codePointAt(0)! - right[index]!.codePointAt(0)!
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

function compareLists(a: readonly Value[], b: readonly Value[]): number {
  for (let index = 0; index < a.length && index < b.length; index++) {
    const difference = compare(a[index]!, b[index]!)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** What JSON says. */
export function fromJson(json: unknown): Value {
  if (Array.isArray(json)) return json.map(fromJson)
  if (typeof json === 'object' && json !== null)
    return new Obj(Object.entries(json).map(([key, value]) => [key, fromJson(value)] as const))
  return (json ?? null) as Value
}

/** As JSON: sets are arrays, keys are texts. */
export function toJson(value: Value): unknown {
  if (value === null || typeof value !== 'object') return value
  if (isArray(value)) return value.map(toJson)
  if (value instanceof ValueSet) return value.items.map(toJson)
  return Object.fromEntries(
    value.entries.map(([key, each]) => [
      typeof key === 'string' ? key : JSON.stringify(toJson(key)),
      toJson(each),
    ]),
  )
}
