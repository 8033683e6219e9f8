import type { ComponentContext, HttpMiddleware } from '@outrigger/spec'
import { upperCased } from './text.ts'

export interface Settings {
  readonly direction: 'request' | 'response' | 'both'
}

export function createUppercase(context: ComponentContext<Settings>): Promise<HttpMiddleware> {
  const { direction } = context.metadata
  return Promise.resolve({
    capabilities: new Set<never>(),
    async handle(request, next) {
      if (direction !== 'response') request.replaceBody(upperCased(request.body))
      const response = await next(request)
      if (direction !== 'request') response.replaceBody(upperCased(response.body))
      return response
    },
    close: () => Promise.resolve(),
  })
}
