import type { HttpCall } from './http-call.ts'

/** One operation of the HTTP API. */
export interface HttpRoute {
  /** Name of the operation, for logs and metrics: `GetState`. */
  readonly name: string
  readonly methods: readonly string[]
  /** `v1.0/state/:store/:key`; a last segment `*` takes the rest of the path, slashes and all. */
  readonly path: string
  /** May be answered while the runtime is not ready and without an API token. */
  readonly open?: boolean
  /** Takes next to no memory: answered while there is none left for anything else. */
  readonly light?: boolean
  /** The path goes on as it is, to an application. */
  readonly passesOn?: boolean
  handle(call: HttpCall): void | Promise<void>
}

interface Node {
  readonly fixed: Map<string, Node>
  parameter: Node | undefined
  readonly routes: Map<string, HttpRoute>
  readonly rest: Map<string, HttpRoute>
}

function node(): Node {
  return { fixed: new Map(), parameter: undefined, routes: new Map(), rest: new Map() }
}

/** Unescapes a segment as a query is unescaped: `%2F` and `+` work inside a key. Malformed escapes stay as they are. */
export function unescapeSegment(segment: string): string {
  if (!segment.includes('%') && !segment.includes('+')) return segment
  try {
    return decodeURIComponent(segment.replaceAll('+', ' '))
  } catch {
    return segment
  }
}

/** Finds the route of a path. Fixed segments win over parameters, those over `*`. */
export class Router {
  readonly #root = node()

  add(route: HttpRoute): void {
    const segments = route.path.split('/')
    const takesRest = segments.at(-1) === '*'
    if (takesRest) segments.pop()
    let at = this.#root
    for (const segment of segments) {
      if (segment.startsWith(':')) {
        at.parameter ??= node()
        at = at.parameter
      } else {
        let next = at.fixed.get(segment)
        if (next === undefined) at.fixed.set(segment, (next = node()))
        at = next
      }
    }
    const table = takesRest ? at.rest : at.routes
    for (const method of route.methods) {
      if (table.has(method)) throw new Error(`two routes for ${method} ${route.path}`)
      table.set(method, route)
    }
  }

  /**
   * The route for a path, which begins with a slash, without a slash at its end. Parameters are appended to `params`.
   */
  find(method: string, path: string, params: string[]): HttpRoute | undefined {
    return find(this.#root, method, path, 1, params)
  }
}

function find(
  at: Node,
  method: string,
  path: string,
  start: number,
  params: string[],
): HttpRoute | undefined {
  if (start > path.length) return at.routes.get(method)
  const slash = path.indexOf('/', start)
  const end = slash === -1 ? path.length : slash
  const segment = path.slice(start, end)
  const fixed = at.fixed.get(segment)
  if (fixed !== undefined) {
    const found = find(fixed, method, path, end + 1, params)
    if (found !== undefined) return found
  }
  if (at.parameter !== undefined && segment !== '') {
    const depth = params.length
    params.push(unescapeSegment(segment))
    const found = find(at.parameter, method, path, end + 1, params)
    if (found !== undefined) return found
    params.length = depth
  }
  const rest = at.rest.get(method)
  if (rest !== undefined) params.push(unescapeSegment(path.slice(start)))
  return rest
}
