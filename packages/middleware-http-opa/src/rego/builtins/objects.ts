import { equal, isArray, Obj, ValueSet, type Value } from '../values.ts'
import { array, items, object, text } from './arguments.ts'
import { of, type Table } from './types.ts'

function child(value: Value | undefined, key: Value): Value | undefined {
  if (value instanceof Obj) return value.get(key)
  if (value !== undefined && isArray(value)) return typeof key === 'number' ? value[key] : undefined
  return value instanceof ValueSet && value.has(key) ? key : undefined
}

/** The second wins; objects in both are put together. */
function union(a: Obj, b: Obj): Obj {
  const merged = b.entries.map(([key, value]) => {
    const own = a.get(key)
    return [key, own instanceof Obj && value instanceof Obj ? union(own, value) : value] as const
  })
  return new Obj([...a.entries, ...merged])
}

const keysOf = (value: Value | undefined) =>
  value instanceof Obj ? value.entries.map(([key]) => key) : items(value)

/** A path with slashes, or an array. */
function pathOf(path: Value): readonly Value[] {
  if (typeof path !== 'string') return array(path)
  return path.split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function without(value: Value, path: readonly Value[]): Value {
  const [key, ...rest] = path
  if (key === undefined) return value
  if (value instanceof Obj) {
    if (rest.length === 0) return new Obj(value.entries.filter(([each]) => each !== key))
    return new Obj(
      value.entries.map(([each, below]) => [each, each === key ? without(below, rest) : below] as const),
    )
  }
  if (!isArray(value)) return value
  const index = Number(key)
  if (rest.length === 0) return value.filter((_, each) => each !== index)
  return value.map((below, each) => (each === index ? without(below, rest) : below))
}

function only(value: Value, paths: readonly (readonly Value[])[]): Value {
  if (paths.some((path) => path.length === 0)) return value
  if (value instanceof Obj) {
    return new Obj(
      value.entries.flatMap(([key, below]) => {
        const own = paths.filter(([first]) => first === key).map((path) => path.slice(1))
        return own.length === 0 ? [] : [[key, only(below, own)] as const]
      }),
    )
  }
  if (!isArray(value)) return value
  return value.flatMap((below, index) => {
    const own = paths.filter(([first]) => Number(first) === index).map((path) => path.slice(1))
    return own.length === 0 ? [] : [only(below, own)]
  })
}

/** Every value in a value, with the path to it. */
function walk(value: Value, path: readonly Value[], found: Value[]): Value[] {
  found.push([path, value])
  if (found.length > 100_000) throw new Error('is too large')
  if (isArray(value)) for (const [index, item] of value.entries()) walk(item, [...path, index], found)
  else if (value instanceof Obj) for (const [key, item] of value.entries) walk(item, [...path, key], found)
  else if (value instanceof ValueSet) for (const item of value.items) walk(item, [...path, item], found)
  return found
}

function isSubset(whole: Value, part: Value): boolean {
  if (whole instanceof Obj && part instanceof Obj)
    return part.entries.every(([key, value]) => {
      const own = whole.get(key)
      return own !== undefined && isSubset(own, value)
    })
  if (isArray(whole) && part instanceof ValueSet)
    return part.items.every((item) => new ValueSet(whole).has(item))
  if (isArray(whole) && isArray(part))
    return whole.some((_, from) =>
      part.every((item, index) => whole[from + index] !== undefined && equal(whole[from + index]!, item)),
    )
  if (whole instanceof ValueSet && part instanceof ValueSet)
    return part.items.every((item) => whole.has(item))
  return new ValueSet([whole]).has(part)
}

export const objects: Table = {
  'object.get': of(3, ([value, key, without_]) => {
    const path = isArray(key!) ? key : [key!]
    let at: Value | undefined = value
    for (const each of path) at = child(at, each)
    return at ?? without_
  }),
  'object.keys': of(1, ([value]) => new ValueSet(object(value).entries.map(([key]) => key))),
  'object.remove': of(2, ([value, keys]) => {
    const gone = new ValueSet(keysOf(keys))
    return new Obj(object(value).entries.filter(([key]) => !gone.has(key)))
  }),
  'object.filter': of(2, ([value, keys]) => {
    const kept = new ValueSet(keysOf(keys))
    return new Obj(object(value).entries.filter(([key]) => kept.has(key)))
  }),
  'object.union': of(2, ([a, b]) => union(object(a), object(b))),
  'object.union_n': of(1, ([all]) =>
    array(all).reduce<Obj>((done, each) => union(done, object(each)), new Obj()),
  ),
  'object.subset': of(2, ([whole, part]) => isSubset(whole!, part!)),
  'json.remove': of(2, ([value, paths]) =>
    items(paths).reduce((done, path) => without(done, pathOf(path)), value!),
  ),
  'json.filter': of(2, ([value, paths]) => only(value!, items(paths).map(pathOf))),
  walk: of(1, ([value]) => walk(value!, [], [])),
  'graph.reachable': of(2, ([graph, initial]) => {
    const found = new Map<string, Value>()
    const left = [...items(initial)]
    for (let at = left.pop(); at !== undefined; at = left.pop()) {
      const next = object(graph).get(at)
      if (next === undefined || found.has(JSON.stringify(at))) continue
      found.set(JSON.stringify(at), at)
      left.push(...items(next))
    }
    return new ValueSet(found.values())
  }),
  'semver.is_valid': of(1, ([value]) => typeof value === 'string' && semver(value) !== undefined),
  'semver.compare': of(2, ([a, b]) => {
    const [left, right] = [semver(text(a)), semver(text(b))]
    if (left === undefined || right === undefined) return undefined
    for (let index = 0; index < 3; index++)
      if (left.numbers[index] !== right.numbers[index])
        return Math.sign(left.numbers[index]! - right.numbers[index]!)
    return comparePre(left.pre, right.pre)
  }),
}

function semver(value: string): { readonly numbers: readonly number[]; readonly pre: string } | undefined {
  const found = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/.exec(
    value,
  )
  return found === null ? undefined : { numbers: found.slice(1, 4).map(Number), pre: found[4] ?? '' }
}

function comparePre(a: string, b: string): number {
  if (a === b) return 0
  if (a === '' || b === '') return a === '' ? 1 : -1
  const [left, right] = [a.split('.'), b.split('.')]
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const [x, y] = [left[index], right[index]]
    if (x === y) continue
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1
    const [isX, isY] = [/^\d+$/.test(x), /^\d+$/.test(y)]
    if (isX && isY) return Math.sign(Number(x) - Number(y))
    if (isX !== isY) return isX ? -1 : 1
    return x < y ? -1 : 1
  }
  return 0
}
