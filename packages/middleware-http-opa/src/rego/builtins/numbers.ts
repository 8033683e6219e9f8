import { compare, equal, isArray, Obj, ValueSet, type Value } from '../values.ts'
import { array, items, number, set, whole } from './arguments.ts'
import { of, type Table } from './types.ts'

/** Longest list that a function makes. */
const mostItems = 100_000

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new Error('is no number')
  return Object.is(value, -0) ? 0 : value
}

const arithmetic = (compute: (a: number, b: number) => number) =>
  of(2, ([a, b]) => finite(compute(number(a), number(b))))
const comparison = (holds: (order: number) => boolean) => of(2, ([a, b]) => holds(compare(a!, b!)))

function size(value: Value): number {
  if (typeof value === 'string') return Array.from(value).length
  if (isArray(value)) return value.length
  if (value instanceof Obj || value instanceof ValueSet) return value.size
  throw new Error('has no size')
}

/** Away from zero where it is in the middle. */
const round = (value: number) => Math.sign(value) * Math.round(Math.abs(value))

function range(from: number, to: number, step: number): Value[] {
  if (step <= 0) throw new Error('must be above zero')
  if (Math.abs(to - from) / step > mostItems) throw new Error('is too long')
  const all: number[] = []
  if (from <= to) for (let value = from; value <= to; value += step) all.push(value)
  else for (let value = from; value >= to; value -= step) all.push(value)
  return all
}

const unitsOf: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  p: 1e15,
  e: 1e18,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
  pi: 2 ** 50,
  ei: 2 ** 60,
}

export const numbers: Table = {
  equal: of(2, ([a, b]) => equal(a!, b!)),
  neq: of(2, ([a, b]) => !equal(a!, b!)),
  lt: comparison((order) => order < 0),
  lte: comparison((order) => order <= 0),
  gt: comparison((order) => order > 0),
  gte: comparison((order) => order >= 0),
  plus: arithmetic((a, b) => a + b),
  // Of sets it is the difference.
  minus: of(2, ([a, b]) => {
    if (a instanceof ValueSet && b instanceof ValueSet)
      return new ValueSet(a.items.filter((item) => !b.has(item)))
    return finite(number(a) - number(b))
  }),
  mul: arithmetic((a, b) => a * b),
  div: arithmetic((a, b) => a / b),
  rem: of(2, ([a, b]) => finite(whole(a) % whole(b))),
  abs: of(1, ([a]) => Math.abs(number(a))),
  round: of(1, ([a]) => finite(round(number(a)))),
  ceil: of(1, ([a]) => finite(Math.ceil(number(a)))),
  floor: of(1, ([a]) => finite(Math.floor(number(a)))),
  'numbers.range': of(2, ([from, to]) => range(whole(from), whole(to), 1)),
  'numbers.range_step': of(3, ([from, to, step]) => range(whole(from), whole(to), whole(step))),
  'bits.and': arithmetic((a, b) => Number(BigInt(a) & BigInt(b))),
  'bits.or': arithmetic((a, b) => Number(BigInt(a) | BigInt(b))),
  'bits.xor': arithmetic((a, b) => Number(BigInt(a) ^ BigInt(b))),
  'bits.negate': of(1, ([a]) => -whole(a) - 1),
  'bits.lsh': arithmetic((a, b) => Number(BigInt(a) << BigInt(b))),
  'bits.rsh': arithmetic((a, b) => Number(BigInt(a) >> BigInt(b))),
  and: of(2, ([a, b]) => new ValueSet(set(a).items.filter((item) => set(b).has(item)))),
  or: of(2, ([a, b]) => new ValueSet([...set(a).items, ...set(b).items])),
  count: of(1, ([a]) => size(a!)),
  sum: of(1, ([a]) => finite(items(a).reduce<number>((sum, item) => sum + number(item), 0))),
  product: of(1, ([a]) => finite(items(a).reduce<number>((product, item) => product * number(item), 1))),
  max: of(1, ([a]) => items(a).toSorted(compare).at(-1)),
  min: of(1, ([a]) => items(a).toSorted(compare)[0]),
  sort: of(1, ([a]) => items(a).toSorted(compare)),
  all: of(1, ([a]) => items(a).every((item) => item === true)),
  any: of(1, ([a]) => items(a).includes(true)),
  'array.concat': of(2, ([a, b]) => [...array(a), ...array(b)]),
  'array.slice': of(3, ([a, from, to]) => array(a).slice(Math.max(0, whole(from)), Math.max(0, whole(to)))),
  'array.reverse': of(1, ([a]) => array(a).toReversed()),
  intersection: of(1, ([a]) => {
    const [first, ...rest] = set(a).items
    if (first === undefined) return new ValueSet()
    return new ValueSet(set(first).items.filter((item) => rest.every((other) => set(other).has(item))))
  }),
  union: of(1, ([a]) => new ValueSet(set(a).items.flatMap((item) => set(item).items))),
  'internal.member_2': of(2, ([item, collection]) => {
    if (collection instanceof ValueSet) return collection.has(item!)
    if (collection instanceof Obj) return collection.entries.some(([, value]) => equal(value, item!))
    return collection !== undefined && isArray(collection) && collection.some((value) => equal(value, item!))
  }),
  'internal.member_3': of(3, ([key, item, collection]) => {
    const found =
      collection instanceof Obj
        ? collection.get(key!)
        : collection instanceof ValueSet
          ? collection.has(key!) && equal(key!, item!)
            ? item
            : undefined
          : collection !== undefined && isArray(collection) && typeof key === 'number'
            ? collection[key]
            : undefined
    return found !== undefined && equal(found, item!)
  }),
  'units.parse_bytes': of(1, ([a]) => {
    const found = /^([0-9.]+)([kmgtpe]i?)?b?$/.exec(
      String(a).toLowerCase().replaceAll('"', '').replaceAll(' ', ''),
    )
    return found === null ? undefined : Math.floor(Number(found[1]) * unitsOf[found[2] ?? '']!)
  }),
}
