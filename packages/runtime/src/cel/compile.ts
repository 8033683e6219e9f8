import type * as Cel from '@bufbuild/cel'
import { createRequire } from 'node:module'

/** An expression that was compiled. Throws when it cannot be computed for these variables. */
export type Expression = (variables: Readonly<Record<string, unknown>>) => unknown

/** Longest expression, in characters. */
const maxLength = 16 * 1024

let loaded: { readonly cel: typeof Cel; readonly env: Cel.CelEnv } | undefined

/**
 * Compiles an expression of the Common Expression Language; names that it does not declare are looked up in the
 * variables. Patterns are RE2: no input makes them slow. CEL is loaded with the first expression, as most
 * sidecars have none and it takes 30 MiB.
 * @throws Error that says why it is none
 */
export function compile(source: string): Expression {
  if (source.length > maxLength) throw new Error(`is longer than ${maxLength} characters`)
  if (loaded === undefined) {
    const cel = createRequire(import.meta.url)('@bufbuild/cel') as typeof Cel
    loaded = { cel, env: cel.celEnv() }
  }
  const { cel, env } = loaded
  let evaluate: (variables: Record<string, Cel.CelInput>) => Cel.CelResult
  try {
    evaluate = cel.plan(env, cel.parse(source)) as typeof evaluate
  } catch (error) {
    throw new Error(`is not a CEL expression: ${firstLine(error)}`, { cause: error })
  }
  return (variables) => {
    const input = Object.entries(variables).map(([name, value]) => [name, inputOf(value)] as const)
    const result = evaluate(Object.fromEntries(input))
    if (cel.isCelError(result)) throw new Error(firstLine(result))
    return result
  }
}

/** JSON as maps: the library would ask an object for its constructor, which a document can hold. */
function inputOf(value: unknown): Cel.CelInput {
  if (typeof value !== 'object' || value === null) return value as Cel.CelInput
  if (Array.isArray(value)) return value.map(inputOf)
  const map = new Map<string, Cel.CelInput>()
  for (const [key, item] of Object.entries(value)) if (item !== undefined) map.set(key, inputOf(item))
  return map
}

function firstLine(error: unknown): string {
  const { message } = error as { message?: unknown }
  return String(message ?? error)
    .split('\n', 1)[0]!
    .slice(0, 300)
}
