import type { Term } from './ast.ts'
import { RegoError } from './error.ts'
import { equal, isArray, keyOf, Obj, ValueSet, type Value } from './values.ts'

export function objectOf(entries: readonly (readonly [Value, Value])[], term: Term): Obj {
  const known = new Map<string, Value>()
  for (const [key, value] of entries) {
    const name = keyOf(key)
    const before = known.get(name)
    if (before !== undefined && !equal(before, value))
      throw new RegoError('an object has two values for one key', term)
    known.set(name, value)
  }
  return new Obj(entries)
}

export function isCollection(value: Value): boolean {
  return isArray(value) || value instanceof Obj || value instanceof ValueSet
}

/** Keys and values; of a set both are the items. */
export function entriesOf(value: Value): readonly (readonly [Value, Value])[] {
  if (isArray(value)) return value.map((item, index) => [index, item] as const)
  if (value instanceof Obj) return value.entries
  return value instanceof ValueSet ? value.items.map((item) => [item, item] as const) : []
}

export function childOf(value: Value, key: Value): Value | undefined {
  if (isArray(value)) return typeof key === 'number' && Number.isInteger(key) ? value[key] : undefined
  if (value instanceof Obj) return value.get(key)
  return value instanceof ValueSet && value.has(key) ? key : undefined
}

export function lookUp(value: Value, path: readonly Value[]): Value | undefined {
  let at: Value | undefined = value
  for (const key of path) at = at === undefined ? undefined : childOf(at, key)
  return at
}

/** A document with something else at a path. */
export function replaced(document: Value | undefined, path: readonly string[], value: Value): Value {
  const [first, ...rest] = path
  if (first === undefined) return value
  const entries = document instanceof Obj ? document.entries : []
  const below = document instanceof Obj ? document.get(first) : undefined
  return new Obj([...entries, [first, replaced(below, rest, value)]])
}

export function merged(given: Value | undefined, virtual: Value | undefined): Value | undefined {
  if (given instanceof Obj && virtual instanceof Obj) return new Obj([...virtual.entries, ...given.entries])
  return given ?? virtual
}
