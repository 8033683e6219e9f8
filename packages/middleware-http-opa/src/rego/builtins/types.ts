import type { Value } from '../values.ts'

/** What functions may know besides their arguments. */
export interface CallContext {
  /** Milliseconds since the epoch; the same for one evaluation. */
  readonly now: number
}

export interface Builtin {
  readonly least: number
  readonly most: number
  /** `undefined`, and every error, mean that there is no value. */
  readonly call: (args: readonly Value[], context: CallContext) => Value | undefined
}

export type Table = Readonly<Record<string, Builtin>>

/** A function of a fixed number of arguments. */
export function of(count: number, call: Builtin['call']): Builtin {
  return { least: count, most: count, call }
}
