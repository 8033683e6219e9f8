import type { Token, TokenClient } from '@outrigger/common-oauth2'
import {
  isComponentError,
  type Clock,
  type Logger,
  type MiddlewareRequest,
  type MiddlewareResponse,
} from '@outrigger/spec'
import { createHash, randomBytes } from 'node:crypto'
import { deleteCookie, joined, setCookies, type Cookies } from './cookies.ts'
import type { Seal } from './seal.ts'
import type { Checked } from './settings.ts'

/** How long a user may take to sign in. */
const loginSeconds = 10 * 60
/** Of a session whose token does not say when it ends. */
const sessionSeconds = 60 * 60
/** Longest path and query that a user comes back to. */
const longestReturn = 2000
/** Logins that may be under way in one browser. */
const mostLogins = 5

/** What a browser says of a request whose answer a user will see as a page. */
const pages: ReadonlySet<string> = new Set(['document', 'iframe', 'frame'])

export interface LoginOptions {
  readonly checked: Checked
  readonly clientId: string
  readonly cookieName: string
  readonly seal: Seal
  readonly tokens: TokenClient
  readonly forceHttps: boolean
  readonly clock: Clock
  readonly logger: Logger
}

/** What is remembered, in a cookie, while the user is at the provider. */
interface Started {
  readonly state: string
  /** Proves to the provider that who started is who asks for the token (RFC 7636). */
  readonly verifier: string
  readonly returnTo: string
  readonly until: number
}

interface Session {
  readonly authorization: string
  readonly until: number
}

/** The authorization code flow (RFC 6749, section 4.1), with PKCE. Everything that is remembered is in cookies. */
export class Login {
  readonly #options: LoginOptions

  constructor(options: LoginOptions) {
    this.#options = options
  }

  /** The header value of a user who is signed in. */
  session(cookies: Cookies): string | undefined {
    const { cookieName } = this.#options
    const session = this.#open<Session>(joined(cookies, cookieName), cookieName)
    return session?.authorization
  }

  /** Whether the provider leads a user back. */
  isCallback({ query }: MiddlewareRequest): boolean {
    if (!query.includes('state=')) return false
    const parameters = new URLSearchParams(query)
    return parameters.get('state') !== '' && (parameters.has('code') || parameters.has('error'))
  }

  /** Sends the user to the provider. What a page asks for beside cannot sign in, and is told so. */
  start(request: MiddlewareRequest, cookies: Cookies): MiddlewareResponse {
    const { checked, clientId, clock, seal } = this.#options
    const destination = request.fields.get('sec-fetch-dest')
    if (destination !== undefined && !pages.has(destination)) return refuse(request, 401, 'sign in first')
    const state = randomBytes(24).toString('base64url')
    const verifier = randomBytes(32).toString('base64url')
    const url = new URL(checked.authUrl)
    const parameters: Readonly<Record<string, string | undefined>> = {
      client_id: clientId,
      response_type: 'code',
      redirect_uri: checked.redirectUrl === undefined ? undefined : checked.redirectUrl.href,
      scope: checked.scope,
      state,
      access_type: 'offline',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    }
    for (const [name, value] of Object.entries(parameters))
      if (value !== undefined) url.searchParams.set(name, value)
    const started: Started = {
      state,
      verifier,
      returnTo: this.#returnTo(request),
      until: clock.now() + loginSeconds * 1000,
    }
    const name = this.#stateCookie(state)
    const response = request.respond(302, { location: url.href, 'cache-control': 'no-store' })
    const options = { secure: this.#isSecure(request), maxAgeSeconds: loginSeconds }
    for (const cookie of setCookies(name, seal.seal(JSON.stringify(started), name), options) ?? [])
      response.fields.append('set-cookie', cookie)
    const others = [...cookies.keys()].filter((each) => each.startsWith(`${this.#options.cookieName}.s`))
    for (const each of others.slice(0, Math.max(0, others.length + 1 - mostLogins)))
      this.#forget(request, response, each)
    return response
  }

  /** Takes the code that the provider sent the user with for a token, and sends the user where it all began. */
  async finish(request: MiddlewareRequest, cookies: Cookies): Promise<MiddlewareResponse> {
    const { checked, tokens, logger } = this.#options
    const parameters = new URLSearchParams(request.query)
    const state = parameters.get('state') ?? ''
    const name = this.#stateCookie(state)
    const started = this.#open<Started>(cookies.get(name), name)
    if (started === undefined || started.state !== state) return refuse(request, 400, 'invalid state')
    const code = parameters.get('code')
    if (code === null || code === '') {
      const error = (parameters.get('error') ?? 'code not found').slice(0, 100)
      return this.#forget(request, refuse(request, 401, `the provider refused: ${error}`), name)
    }
    const grant: [string, string][] = [
      ['grant_type', 'authorization_code'],
      ['code', code],
      ['code_verifier', started.verifier],
    ]
    if (checked.redirectUrl !== undefined) grant.push(['redirect_uri', checked.redirectUrl.href])
    let token: Token
    try {
      token = await tokens.request(grant, request.signal)
    } catch (error) {
      logger.error('the provider gives no token for a code', { error })
      const refused = isComponentError(error) && error.code === 'UNAUTHENTICATED'
      const text = refused ? 'the provider did not accept the code' : 'the provider cannot be reached'
      return this.#forget(request, refuse(request, refused ? 401 : 502, text), name)
    }
    return this.#signIn(request, token, started, name)
  }

  #signIn(request: MiddlewareRequest, token: Token, { returnTo }: Started, name: string): MiddlewareResponse {
    const { clock, seal, cookieName, logger } = this.#options
    const lifeMs = token.expiresInMs ?? sessionSeconds * 1000
    const session: Session = {
      authorization: `${token.type} ${token.accessToken}`,
      until: clock.now() + lifeMs,
    }
    const sealed = seal.seal(JSON.stringify(session), cookieName)
    const maxAgeSeconds = Math.max(1, Math.floor(lifeMs / 1000))
    const set = setCookies(cookieName, sealed, { secure: this.#isSecure(request), maxAgeSeconds })
    if (set === undefined) {
      logger.error('the token of the provider is too long for cookies', { length: token.accessToken.length })
      return this.#forget(request, refuse(request, 500, 'the token is too long'), name)
    }
    const response = request.respond(302, { location: returnTo, 'cache-control': 'no-store' })
    for (const cookie of set) response.fields.append('set-cookie', cookie)
    return this.#forget(request, response, name)
  }

  #forget(request: MiddlewareRequest, response: MiddlewareResponse, name: string): MiddlewareResponse {
    response.fields.append('set-cookie', deleteCookie(name, this.#isSecure(request)))
    return response
  }

  /** One for each login, so that two tabs do not disturb each other. */
  #stateCookie(state: string): string {
    return `${this.#options.cookieName}.s${createHash('sha256').update(state).digest('hex').slice(0, 16)}`
  }

  #open<T extends { readonly until: number }>(sealed: string | undefined, purpose: string): T | undefined {
    const { seal, clock } = this.#options
    const text = sealed === undefined ? undefined : seal.open(sealed, purpose)
    if (text === undefined) return undefined
    const value = JSON.parse(text) as T
    return value.until > clock.now() ? value : undefined
  }

  /** Never to another host: what begins with two slashes, or a backslash, would lead there. */
  #returnTo(request: MiddlewareRequest): string {
    const path = `/${request.path.replaceAll('\\', '%5C').replace(/^\/+/, '')}`
    const whole = request.query === '' ? path : `${path}?${request.query}`
    const target = whole.length > longestReturn ? path.slice(0, longestReturn) : whole
    const { forceHttps, checked } = this.#options
    const host = checked.redirectUrl?.host ?? request.authority
    return forceHttps && host !== '' ? `https://${host}${target}` : target
  }

  #isSecure({ scheme, fields }: MiddlewareRequest): boolean {
    return this.#options.forceHttps || scheme === 'https' || fields.get('x-forwarded-proto') === 'https'
  }
}

function refuse(request: MiddlewareRequest, status: number, text: string): MiddlewareResponse {
  return request.respond(
    status,
    { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
    text,
  )
}
