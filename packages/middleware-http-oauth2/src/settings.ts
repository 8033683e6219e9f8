import { RE2JS } from '@bufbuild/re2'
import { clientScopes, httpUrl } from '@outrigger/common-oauth2'
import { ComponentError } from '@outrigger/spec'

/** The metadata as it is read. */
export interface Settings {
  readonly clientId: string
  readonly clientSecret: string
  readonly scopes: string | undefined
  readonly authUrl: string
  readonly tokenUrl: string
  readonly redirectUrl: string | undefined
  readonly authHeaderName: string
  readonly forceHttps: boolean
  readonly pathFilter: string | undefined
}

/** The metadata, checked. */
export interface Checked {
  readonly authUrl: URL
  readonly tokenUrl: URL
  readonly redirectUrl: URL | undefined
  readonly scope: string | undefined
  readonly headerName: string
  readonly pathFilter: RE2JS | undefined
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** @throws ComponentError INVALID_METADATA */
export function check(settings: Settings): Checked {
  const { redirectUrl, authHeaderName, pathFilter } = settings
  if (!token.test(authHeaderName)) throw invalid(`authHeaderName is no name of a header: "${authHeaderName}"`)
  return {
    authUrl: httpUrl('authURL', settings.authUrl),
    tokenUrl: httpUrl('tokenURL', settings.tokenUrl),
    redirectUrl: redirectUrl === undefined ? undefined : httpUrl('redirectURL', redirectUrl),
    scope: clientScopes(settings.scopes),
    headerName: authHeaderName.toLowerCase(),
    pathFilter: pathFilter === undefined ? undefined : compile(pathFilter),
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
