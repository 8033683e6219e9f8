import { RE2JS } from '@bufbuild/re2'
import { clientScopes, createTokenClient, httpUrl } from '@outrigger/common-oauth2'
import { abortable } from '@outrigger/kit'
import { ComponentError, type ComponentContext, type HttpMiddleware } from '@outrigger/spec'
import { TokenCache } from './token-cache.ts'

export interface Settings {
  readonly clientId: string
  readonly clientSecret: string
  readonly scopes: string
  readonly tokenUrl: string
  readonly headerName: string
  readonly endpointParamsQuery: string | undefined
  readonly authStyle: '0' | '1' | '2'
  readonly pathFilter: string | undefined
}

const authStyles = { '0': 'auto', '1': 'body', '2': 'basic' } as const
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

export async function createClientCredentials(context: ComponentContext<Settings>): Promise<HttpMiddleware> {
  const { metadata, clock, logger } = context
  const { clientId, clientSecret, endpointParamsQuery } = metadata
  const tokenUrl = httpUrl('tokenURL', metadata.tokenUrl).href
  if (!token.test(metadata.headerName))
    throw invalid(`headerName is no name of a header: "${metadata.headerName}"`)
  const headerName = metadata.headerName.toLowerCase()
  const filter = metadata.pathFilter === undefined ? undefined : compile(metadata.pathFilter)
  const authStyle = authStyles[metadata.authStyle]
  const client = createTokenClient({ tokenUrl, clientId, clientSecret, authStyle, clock })
  const grant = new URLSearchParams(endpointParamsQuery)
  grant.set('grant_type', 'client_credentials')
  const scope = clientScopes(metadata.scopes)
  if (scope !== undefined) grant.set('scope', scope)
  const cache = new TokenCache(client, [...grant], clock)

  return {
    capabilities: new Set<never>(),
    async handle(request, next) {
      if (filter?.test(request.path) === false) return next(request)
      let header: string
      try {
        header = await abortable(cache.header(), request.signal)
      } catch (error) {
        // Without its token the request has no chance, and would look like one of somebody else.
        if (!request.signal.aborted) logger.error('no token could be acquired', { error })
        return request.respond(
          502,
          { 'content-type': 'text/plain; charset=utf-8' },
          'no token could be acquired',
        )
      }
      request.fields.set(headerName, header)
      const response = await next(request)
      if (response.status === 401) cache.refused(header)
      return response
    },
    close: () => {
      cache.close()
      return Promise.resolve()
    },
  }
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw invalid(`pathFilter is not a regular expression of RE2: ${reason}`, cause)
  }
}

function invalid(message: string, cause?: unknown): ComponentError {
  return new ComponentError('INVALID_METADATA', message, { cause })
}
