import { encoding } from './encoding.ts'
import { numbers } from './numbers.ts'
import { objects } from './objects.ts'
import { strings } from './strings.ts'
import type { Builtin } from './types.ts'

export type { CallContext } from './types.ts'

/** The functions that every policy has. */
export const builtins: ReadonlyMap<string, Builtin> = new Map(
  Object.entries({ ...numbers, ...strings, ...objects, ...encoding }),
)
