import { isArray, Obj, ValueSet, type Value } from '../values.ts'

/** Thrown for an argument of another type: the call has no value then. */
class WrongType extends Error {}

function wrong(wanted: string): never {
  throw new WrongType(`must be ${wanted}`)
}

export function text(value: Value | undefined): string {
  return typeof value === 'string' ? value : wrong('a string')
}

export function number(value: Value | undefined): number {
  return typeof value === 'number' ? value : wrong('a number')
}

export function whole(value: Value | undefined): number {
  return Number.isInteger(number(value)) ? (value as number) : wrong('a whole number')
}

export function bool(value: Value | undefined): boolean {
  return typeof value === 'boolean' ? value : wrong('a boolean')
}

export function array(value: Value | undefined): readonly Value[] {
  return value !== undefined && isArray(value) ? value : wrong('an array')
}

export function object(value: Value | undefined): Obj {
  return value instanceof Obj ? value : wrong('an object')
}

export function set(value: Value | undefined): ValueSet {
  return value instanceof ValueSet ? value : wrong('a set')
}

/** The items of an array or a set. */
export function items(value: Value | undefined): readonly Value[] {
  return value instanceof ValueSet ? value.items : array(value)
}

/** One text, or several. */
export function texts(value: Value | undefined): readonly string[] {
  return typeof value === 'string' ? [value] : items(value).map(text)
}
