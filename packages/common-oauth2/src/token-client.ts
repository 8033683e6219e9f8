import { ComponentError, type Clock } from '@outrigger/spec'
import { fetchJson, shownUrl, type JsonAnswer } from './fetch-json.ts'

export interface TokenClientOptions {
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: string
  /** How the client shows who it is. `auto` finds out which of the two the server takes. */
  readonly authStyle: 'auto' | 'body' | 'basic'
  readonly clock: Clock
}

/** What a token endpoint gives (RFC 6749, section 5.1). */
export interface Token {
  readonly accessToken: string
  /** As it is written before the token in a header: `Bearer`. */
  readonly type: string
  /** `undefined` where the server does not say. */
  readonly expiresInMs: number | undefined
}

export interface TokenClient {
  /**
   * Asks for a token. @param parameters the grant
   * @throws ComponentError UNAUTHENTICATED where the server refuses, UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED
   */
  request(parameters: Iterable<readonly [name: string, value: string]>, signal?: AbortSignal): Promise<Token>
}

export function createTokenClient(options: TokenClientOptions): TokenClient {
  const { tokenUrl, clientId, clientSecret, clock } = options
  let style = options.authStyle

  function ask(
    parameters: Iterable<readonly [string, string]>,
    how: 'body' | 'basic',
    signal: AbortSignal | undefined,
  ): Promise<JsonAnswer> {
    const form = new URLSearchParams()
    for (const [name, value] of parameters) form.append(name, value)
    if (how === 'basic') {
      const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret)}`
      const authorization = `Basic ${Buffer.from(pair).toString('base64')}`
      return fetchJson(tokenUrl, { clock, signal, form, headers: { authorization } })
    }
    form.set('client_id', clientId)
    if (clientSecret !== '') form.set('client_secret', clientSecret)
    return fetchJson(tokenUrl, { clock, signal, form })
  }

  return {
    async request(parameters, signal) {
      const list = [...parameters]
      const first = style === 'auto' ? 'basic' : style
      let answer = await ask(list, first, signal)
      if (style === 'auto') {
        if (tokenOf(answer) !== undefined) style = 'basic'
        // A grant that is used up by the first try is refused again, and that is what is said then.
        else if (isRefusal(answer)) {
          answer = await ask(list, 'body', signal)
          if (tokenOf(answer) !== undefined) style = 'body'
        }
      }
      const token = tokenOf(answer)
      if (token !== undefined) return token
      throw refused(shownUrl(tokenUrl), answer, secretsOf(clientId, clientSecret))
    },
  }
}

/** As a form is encoded: the scheme asks for that before base64 (RFC 6749, section 2.3.1). */
function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}

function isRefusal({ status }: JsonAnswer): boolean {
  return status === 400 || status === 401 || status === 403
}

const headerValue = /^[\x21-\x7e]+$/

function tokenOf({ status, value }: JsonAnswer): Token | undefined {
  if (status !== 200 || typeof value !== 'object' || value === null) return undefined
  const {
    access_token: accessToken,
    token_type: type,
    expires_in: expiresIn,
  } = value as Record<string, unknown>
  if (typeof accessToken !== 'string' || !headerValue.test(accessToken)) return undefined
  const seconds = Number(expiresIn ?? Number.NaN)
  return {
    accessToken,
    type: typeName(type),
    expiresInMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined,
  }
}

/** Servers write it small, and those who read it want it as it is registered. */
function typeName(type: unknown): string {
  if (typeof type !== 'string' || !headerValue.test(type)) return 'Bearer'
  const known: Readonly<Record<string, string>> = { bearer: 'Bearer', mac: 'MAC', basic: 'Basic' }
  return known[type.toLowerCase()] ?? type
}

/** The secret, in each way in which it is sent. */
function secretsOf(clientId: string, clientSecret: string): readonly string[] {
  if (clientSecret === '') return []
  const encoded = formEncoded(clientSecret)
  return [Buffer.from(`${formEncoded(clientId)}:${encoded}`).toString('base64'), encoded, clientSecret]
}

/** Some servers repeat what they do not like. */
function refused(url: string, { status, value }: JsonAnswer, secrets: readonly string[]): ComponentError {
  const shown = (text: string, length: number): string =>
    secrets.reduce((masked, secret) => masked.replaceAll(secret, '***'), text).slice(0, length)
  const { error, error_description: description } = (
    typeof value === 'object' && value !== null ? value : {}
  ) as Record<string, unknown>
  if (typeof error === 'string') {
    const more = typeof description === 'string' ? `: ${shown(description, 200)}` : ''
    return new ComponentError('UNAUTHENTICATED', `${url} gives no token: ${shown(error, 100)}${more}`)
  }
  if (status >= 500)
    return new ComponentError('UNAVAILABLE', `${url} gives no token: it answers with status ${status}`)
  return new ComponentError(
    'UNAUTHENTICATED',
    `${url} gives no token: it answers with status ${status} and no token`,
  )
}
