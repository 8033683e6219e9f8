import type { HttpMiddleware, MiddlewareRequest, MiddlewareResponse, Next } from '@outrigger/spec'
import { Exchange } from './exchange.ts'

/** Handlers as one function, the first one outermost. */
export function chain(handlers: readonly HttpMiddleware[]): Next {
  let next: Next = arrived
  for (const handler of handlers.toReversed()) {
    const rest = next
    next = (request) => handler.handle(request, rest)
  }
  return next
}

function arrived(request: MiddlewareRequest): Promise<MiddlewareResponse> {
  if (request instanceof Exchange) return request.pass()
  throw new Error('a middleware called next with another request than the one it got')
}
