import { ComponentError, type Metadata } from '@outrigger/spec'
import { parse } from 'yaml'

/** More than anybody writes by hand. */
const mostRoutes = 10_000

/** Incoming path to target, in the order in which they are written. */
export type Routes = ReadonlyMap<string, string>

/** @throws ComponentError INVALID_METADATA */
export function readRoutes(text: string | undefined, properties: Metadata): Routes {
  const routes = new Map<string, string>()
  if (text !== undefined) for (const [from, to] of readMap(text)) add(routes, from, to)
  for (const [from, to] of Object.entries(properties)) if (from.startsWith('/')) add(routes, from, to)
  if (routes.size > mostRoutes) throw invalid(`there are more than ${mostRoutes} routes`)
  return routes
}

function readMap(text: string): [string, unknown][] {
  let value: unknown
  try {
    // JSON is YAML as well. Aliases are bounded by the library.
    value = parse(text)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n', 1)[0] : 'unknown'
    throw invalid(`routes is neither JSON nor YAML: ${reason}`, cause)
  }
  if (value === null || value === undefined) return []
  if (typeof value !== 'object' || Array.isArray(value))
    throw invalid('routes must be a map of paths to paths')
  return Object.entries(value)
}

function add(routes: Map<string, string>, from: string, to: unknown): void {
  if (!from.startsWith('/')) throw invalid(`the route "${from}" must begin with a slash`)
  if (typeof to !== 'string' || !to.startsWith('/'))
    throw invalid(`the route "${from}" must lead to a path that begins with a slash`)
  if (/[?#\s]/.test(to)) throw invalid(`the route "${from}" must lead to a path without query, blanks or #`)
  routes.set(from, to)
}

export function invalid(message: string, cause?: unknown): ComponentError {
  return new ComponentError('INVALID_METADATA', message, { cause })
}
