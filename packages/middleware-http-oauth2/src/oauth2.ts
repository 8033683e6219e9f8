import { createTokenClient } from '@outrigger/common-oauth2'
import { unescapedPath, withoutDotSegments, withoutPathParameters } from '@outrigger/kit'
import type { ComponentContext, HttpMiddleware, MiddlewareRequest } from '@outrigger/spec'
import { readCookies, removeCookies } from './cookies.ts'
import { Login } from './login.ts'
import { Seal } from './seal.ts'
import { check, type Settings } from './settings.ts'

export async function createOAuth2(context: ComponentContext<Settings>): Promise<HttpMiddleware> {
  const { metadata, clock, logger, name } = context
  const { clientId, clientSecret, forceHttps } = metadata
  const checked = check(metadata)
  const { pathFilter, redirectUrl, headerName } = checked
  const cookieName = `oauth2_${name.replaceAll(/[^\w-]/g, '_')}`
  const login = new Login({
    checked,
    clientId,
    cookieName,
    seal: new Seal(clientSecret, `${clientId}\n${checked.tokenUrl.href}\n${cookieName}`),
    tokens: createTokenClient({
      tokenUrl: checked.tokenUrl.href,
      clientId,
      clientSecret,
      authStyle: 'auto',
      clock,
    }),
    forceHttps,
    clock,
    logger,
  })

  /** Whatever the path may mean to who serves it: no spelling of it leads past. */
  function concerns(request: MiddlewareRequest): boolean {
    if (pathFilter === undefined) return true
    const { path } = request
    if (pathFilter.test(path)) return true
    return [path, withoutPathParameters(path)].some((each) => {
      const plain = unescapedPath(withoutDotSegments(each)).replaceAll(/\/{2,}/g, '/')
      return plain !== path && pathFilter.test(plain)
    })
  }

  return {
    capabilities: new Set<never>(),
    async handle(request, next) {
      const isCallback =
        login.isCallback(request) && (concerns(request) || request.path === redirectUrl?.pathname)
      if (!isCallback && !concerns(request)) return next(request)
      const cookies = readCookies(request.fields)
      const authorization = login.session(cookies)
      if (authorization !== undefined) {
        removeCookies(request.fields, cookieName)
        // In the place of what the caller may have put there.
        request.fields.set(headerName, authorization)
        return next(request)
      }
      return isCallback ? login.finish(request, cookies) : login.start(request, cookies)
    },
    close: () => Promise.resolve(),
  }
}
