import { validateHeaderName, validateHeaderValue } from 'node:http'
import { ComponentError, type Metadata } from '@outrigger/spec'

/** Headers of a request by their canonical name (`Content-Type`). */
export type Headers = Map<string, string>

const json = 'application/json; charset=utf-8'

/** What belongs to the connection or the framing of the body, and is not the caller's to set. */
const reserved = new Set([
  'Connection',
  'Content-Length',
  'Expect',
  'Host',
  'Keep-Alive',
  'Proxy-Connection',
  'Te',
  'Trailer',
  'Transfer-Encoding',
  'Upgrade',
])

/** What is not carried on to another host. */
const credentials = ['Authorization', 'Cookie', 'Cookie2', 'Proxy-Authorization', 'Www-Authenticate']

/** What describes a body, and goes with it. */
const ofBody = ['Content-Encoding', 'Content-Language', 'Content-Location', 'Content-Type']

/** Each word with a capital: `x-request-id` becomes `X-Request-Id`. That is how Dapr names headers. */
export function canonicalName(name: string): string {
  return name.toLowerCase().replaceAll(/(?:^|-)[a-z]/g, (start) => start.toUpperCase())
}

export interface TraceContext {
  readonly traceparent?: string | undefined
  readonly tracestate?: string | undefined
  readonly baggage?: string | undefined
}

/** The header of the security token. */
export interface Token {
  readonly header: string
  readonly value: string
}

/** Reads `Name` or `Name: Scheme`. */
export function tokenOf(header: string, token: string): Token {
  const [, name, scheme] = /^\s*([^:\s]+)\s*:?\s*(.*?)\s*$/.exec(header) ?? []
  const value = scheme === undefined || scheme === '' ? token : `${scheme} ${token}`
  try {
    validateHeaderName(name ?? '')
  } catch {
    throw new ComponentError(
      'INVALID_METADATA',
      `securityTokenHeader ${JSON.stringify(header)} is not the name of a header`,
    )
  }
  try {
    validateHeaderValue(name!, value)
  } catch {
    throw new ComponentError('INVALID_METADATA', 'securityToken has a character that a header cannot hold')
  }
  return { header: canonicalName(name!), value }
}

/**
 * The headers of a request: defaults, then the token, then each metadata entry that begins with a capital letter, then the
 * trace context.
 */
export function requestHeaders(
  metadata: Metadata,
  options: {
    readonly contentType: string | undefined
    readonly hasBody: boolean
    readonly token: Token | undefined
  },
  trace: TraceContext,
): Headers {
  const headers: Headers = new Map([
    ['Accept', json],
    ['User-Agent', 'Outrigger'],
  ])
  if (options.hasBody) headers.set('Content-Type', options.contentType ?? json)
  if (options.token !== undefined) headers.set(options.token.header, options.token.value)
  for (const [name, value] of Object.entries(metadata)) {
    if (/^[A-Z]/.test(name)) set(headers, name, value)
  }
  for (const name of ['traceparent', 'tracestate', 'baggage'] as const) {
    const value = trace[name] ?? metadata[name]
    if (value !== undefined && value !== '') set(headers, name, value)
  }
  return headers
}

function set(headers: Headers, name: string, value: string): void {
  const canonical = canonicalName(name)
  if (reserved.has(canonical)) return
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
  } catch (error) {
    // Without the value, which may be a credential.
    throw new ComponentError(
      'INVALID_ARGUMENT',
      `metadata ${JSON.stringify(name)} cannot be sent as a header`,
      { cause: error },
    )
  }
  headers.set(canonical, value)
}

/** Takes away what must not follow a redirect: credentials when it leaves the host, the body's headers when there is none. */
export function forRedirect(
  headers: Headers,
  leavesHost: boolean,
  keepsBody: boolean,
  token: Token | undefined,
): Headers {
  const kept = new Map(headers)
  if (leavesHost) {
    for (const name of credentials) kept.delete(name)
    if (token !== undefined) kept.delete(token.header)
  }
  if (!keepsBody) for (const name of ofBody) kept.delete(name)
  return kept
}

/** Status and headers of an answer as metadata: `statusCode`, `status`, and canonical names; several values between commas. */
export function responseMetadata(
  statusCode: number,
  statusText: string,
  rawHeaders: readonly string[],
): Record<string, string> {
  const found = new Map<string, string>()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = canonicalName(rawHeaders[index]!)
    const former = found.get(name)
    found.set(name, former === undefined ? rawHeaders[index + 1]! : `${former}, ${rawHeaders[index + 1]!}`)
  }
  return {
    ...Object.fromEntries(found),
    statusCode: String(statusCode),
    status: `${statusCode} ${statusText}`.trimEnd(),
  }
}
