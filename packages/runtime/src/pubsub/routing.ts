import { compile } from '../cel/compile.ts'
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
  const named = `${owner} (match: ${JSON.stringify(shorten(source))})`
  let evaluate: ReturnType<typeof compile>
  try {
    evaluate = compile(source)
  } catch (error) {
    throw new Error(`${named} ${(error as Error).message}`, { cause: error })
  }
  const holds = (event: unknown): boolean => {
    let result: unknown
    try {
      result = evaluate({ event })
    } catch (error) {
      throw new Error(`${named} cannot be computed: ${(error as Error).message}`, { cause: error })
    }
    if (typeof result !== 'boolean') throw new Error(`${named} answered neither true nor false`)
    return result
  }
  // What does not depend on the event can be tried at once.
  if (!/\bevent\b/.test(source)) holds({})
  return { path, holds }
}

function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}...` : text
}
