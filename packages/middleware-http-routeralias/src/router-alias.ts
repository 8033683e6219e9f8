import type { ComponentContext, HttpMiddleware } from '@outrigger/spec'
import { readRoutes } from './routes.ts'
import { findRoute, routeTable } from './table.ts'

export interface Settings {
  readonly routes: string | undefined
}

export async function createRouterAlias(context: ComponentContext<Settings>): Promise<HttpMiddleware> {
  const routes = readRoutes(context.metadata.routes, context.properties)
  if (routes.size === 0) context.logger.warn('there are no routes: set the metadata field routes')
  const table = routeTable(routes)
  return {
    capabilities: new Set<never>(),
    handle(request, next) {
      const found = findRoute(table, request.path)
      if (found !== undefined) {
        request.path = found.target
        for (const [name, value] of found.parameters) {
          const pair = `${encodeURIComponent(name)}=${encodeURIComponent(value)}`
          request.query = request.query === '' ? pair : `${request.query}&${pair}`
        }
      }
      return next(request)
    },
    close: () => Promise.resolve(),
  }
}
