import { RE2JS } from '@bufbuild/re2'
import { withoutDotSegments } from '@outrigger/kit'
import { ComponentError, type ComponentContext, type HttpMiddleware } from '@outrigger/spec'

export interface Settings {
  readonly rule: string
}

export async function createRouterChecker(context: ComponentContext<Settings>): Promise<HttpMiddleware> {
  const rule = compile(context.metadata.rule)
  const fits = (path: string, query: string): boolean =>
    rule.test(query === '' ? path || '/' : `${path}?${query}`)
  return {
    capabilities: new Set<never>(),
    async handle(request, next) {
      const { path, query } = request
      // Who serves it may resolve segments that are escaped: the rule must fit what comes of that as well.
      const resolved = withoutDotSegments(path)
      if (fits(path, query) && (resolved === path || fits(resolved, query))) return next(request)
      return request.respond(400, { 'content-type': 'text/plain; charset=utf-8' }, 'invalid router')
    },
    close: () => Promise.resolve(),
  }
}

function compile(rule: string): RE2JS {
  try {
    return RE2JS.compile(rule)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ComponentError('INVALID_METADATA', `rule is not a regular expression of RE2: ${reason}`, {
      cause,
    })
  }
}
