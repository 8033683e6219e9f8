import type { AppRoute } from './request.ts'

const safe = /^(?:\/[A-Za-z0-9._~-]+)+$/

/** The paths of an application. Adapters are told of those that come later. */
export class Routes {
  readonly #exact = new Map<string, AppRoute>()
  readonly #below: AppRoute[] = []
  readonly #listeners: ((route: AppRoute) => void)[] = []

  get all(): readonly AppRoute[] {
    return [...this.#exact.values(), ...this.#below]
  }

  has(method: string, path: string): boolean {
    return this.#exact.has(`${method} ${path}`)
  }

  /** @throws Error for a path that is taken */
  add(route: AppRoute): void {
    const { method, path } = route
    if (route.below) this.#below.push(route)
    else if (this.has(method, path)) throw new Error(`${method} ${path} has a handler already`)
    else this.#exact.set(`${method} ${path}`, route)
    for (const listener of this.#listeners) listener(route)
  }

  find(method: string, path: string): AppRoute | undefined {
    return (
      this.#exact.get(`${method} ${path}`) ??
      this.#below.find((route) => route.method === method && path.startsWith(route.path))
    )
  }

  /** Tells `listener` of every route, those that are there already and those to come. */
  each(listener: (route: AppRoute) => void): void {
    for (const route of this.all) listener(route)
    this.#listeners.push(listener)
  }
}

/** The path as routers of all kinds take it. @throws Error for one that they would read differently */
export function routePath(path: string, what: string): string {
  const absolute = path.startsWith('/') ? path : `/${path}`
  if (safe.test(absolute) && !/\/\.{1,2}(?:\/|$)/.test(absolute)) return absolute
  throw new Error(
    `the route of ${what} is ${JSON.stringify(path)}: use letters, digits and . _ ~ - between slashes`,
  )
}

/** A name as one segment of a path. */
export function slug(name: string): string {
  const clean = name.replaceAll(/[^A-Za-z0-9._~-]+/g, '-')
  return clean === '' || /^\.+$/.test(clean) ? '-' : clean
}
