import type * as Cel from '@marcbachmann/cel-js'
import { createRequire } from 'node:module'
import type { RouteRule } from '../resources/model.ts'

/** The compiled routes of a subscription. */
export interface Routes {
  /** The paths in order, each once. */
  readonly paths: readonly string[]
  /**
   * The path of the first rule that holds, else the default; `undefined` when there is none. `event` is only called
   * when a rule needs it. Throws when a rule cannot be computed for this event (a field that it lacks) or does
   * not answer true or false: Dapr treats such a message as failed.
   */
  match(event: () => unknown): string | undefined
}

interface CompiledRule {
  readonly path: string
  /** `undefined`: holds always. */
  readonly holds: ((event: unknown) => boolean) | undefined
}

let shared: Cel.Environment | undefined

/**
 * Names that are not declared are dynamic, as the source of the rule language in Dapr has it.
 * CEL is loaded with the first rule: most sidecars have none, and it is a sixth of the start.
 */
function environment(): Cel.Environment {
  if (shared === undefined) {
    const cel = createRequire(import.meta.url)('@marcbachmann/cel-js') as typeof Cel
    shared = new cel.Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false })
  }
  return shared
}

/** Longest rule, in characters. */
const maxRuleLength = 16 * 1024

/** Compiles rules. Throws an error that names `owner`, the rule and its position. */
export function compileRoutes(
  rules: readonly RouteRule[],
  defaultPath: string | undefined,
  owner: string,
): Routes {
  const compiled = rules.map((rule, index) => compileRule(rule, `${owner}: rule ${index + 1}`))
  if (defaultPath !== undefined) compiled.push({ path: defaultPath, holds: undefined })
  return {
    paths: [...new Set(compiled.map((rule) => rule.path))],
    match(event) {
      for (const rule of compiled) {
        if (rule.holds === undefined || rule.holds(event())) return rule.path
      }
      return undefined
    },
  }
}

function compileRule(rule: RouteRule, owner: string): CompiledRule {
  const { path } = rule
  const source = rule.match.trim()
  if (source === '') return { path, holds: undefined }
  if (source.length > maxRuleLength)
    throw new Error(`${owner}: the match is longer than ${maxRuleLength} characters`)
  const named = `${owner} (match: ${JSON.stringify(shorten(source))})`
  let program: ReturnType<Cel.Environment['parse']>
  try {
    program = environment().parse(source)
  } catch (error) {
    throw new Error(`${named} is not a CEL expression: ${firstLine(error)}`, { cause: error })
  }
  const checked = program.check()
  if (!checked.valid) throw new Error(`${named} does not fit together: ${firstLine(checked.error)}`)
  if (checked.type !== undefined && checked.type !== 'bool' && checked.type !== 'dyn') {
    throw new Error(`${named} must be true or false and is of type ${checked.type}`)
  }
  return {
    path,
    holds(event) {
      let result: unknown
      try {
        result = program({ event })
      } catch (error) {
        throw new Error(`${named} cannot be computed: ${firstLine(error)}`, { cause: error })
      }
      if (typeof result !== 'boolean') throw new Error(`${named} answered neither true nor false`)
      return result
    },
  }
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n', 1)[0]!.slice(0, 300)
}

function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}...` : text
}
