import { invalid, type Routes } from './routes.ts'
import { matchSegment, parseSegment, type Segment } from './segment.ts'

interface Route {
  readonly segments: readonly Segment[]
  readonly target: string
}

/** Routes, ready to be looked up: fixed paths at once, the others by the number of their segments. */
export interface RouteTable {
  readonly fixed: ReadonlyMap<string, string>
  readonly byLength: ReadonlyMap<number, readonly Route[]>
}

export interface FoundRoute {
  readonly target: string
  readonly parameters: readonly (readonly [name: string, value: string])[]
}

/** @throws ComponentError INVALID_METADATA for a template that is none */
export function routeTable(routes: Routes): RouteTable {
  const fixed = new Map<string, string>()
  const byLength = new Map<number, Route[]>()
  for (const [from, target] of routes) {
    if (!from.includes('{') && !from.includes('}')) {
      fixed.set(from, target)
      continue
    }
    const segments = from
      .slice(1)
      .split(/\/(?![^{]*\})/)
      .map((text) => {
        try {
          return parseSegment(text)
        } catch (cause) {
          throw invalid(
            `the route "${from}" ${cause instanceof Error ? cause.message : String(cause)}`,
            cause,
          )
        }
      })
    const names = segments.flatMap(({ parameters }) => parameters.map(({ name }) => name))
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined) throw invalid(`the route "${from}" has the parameter ${twice} twice`)
    const list = byLength.get(segments.length)
    if (list === undefined) byLength.set(segments.length, [{ segments, target }])
    else list.push({ segments, target })
  }
  return { fixed, byLength }
}

/** The route of a path, escaped as it came. Fixed ones come first, the others in the order in which they are written. */
export function findRoute({ fixed, byLength }: RouteTable, path: string): FoundRoute | undefined {
  const target = fixed.get(path) ?? (path.includes('%') ? fixed.get(unescape(path)) : undefined)
  if (target !== undefined) return { target, parameters: [] }
  if (byLength.size === 0) return undefined
  const segments = path.slice(1).split('/')
  for (const route of byLength.get(segments.length) ?? []) {
    const parameters = match(route, segments)
    if (parameters !== undefined) return { target: route.target, parameters }
  }
  return undefined
}

function match(route: Route, segments: readonly string[]): [string, string][] | undefined {
  const parameters: [string, string][] = []
  for (const [index, segment] of segments.entries()) {
    if (!matchSegment(route.segments[index]!, unescape(segment), parameters)) return undefined
  }
  return parameters
}

function unescape(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
