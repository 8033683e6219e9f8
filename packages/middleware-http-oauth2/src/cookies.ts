import type { MiddlewareFields } from '@outrigger/spec'

/** Browsers keep 4096 bytes of a cookie, its name and attributes included. */
const chunkLength = 3500
/** A token that needs more does not fit into a request either. */
const mostChunks = 5

export type Cookies = ReadonlyMap<string, string>

/** The cookies of a request (RFC 6265, section 4.2). Of two with one name the first counts. */
export function readCookies(fields: MiddlewareFields): Cookies {
  const cookies = new Map<string, string>()
  for (const header of fields.getAll('cookie')) {
    for (const pair of header.split(';')) {
      const equals = pair.indexOf('=')
      const name = pair.slice(0, equals).trim()
      if (equals > 0 && name !== '' && !cookies.has(name)) cookies.set(name, pair.slice(equals + 1).trim())
    }
  }
  return cookies
}

/** Takes the cookies of this name, and those that `setCookies` and others have put below it, out of a request. */
export function removeCookies(fields: MiddlewareFields, name: string): void {
  const kept = fields
    .getAll('cookie')
    .flatMap((header) => header.split(';'))
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '' && !pair.startsWith(`${name}=`) && !pair.startsWith(`${name}.`))
  if (kept.length === 0) fields.delete('cookie')
  else fields.set('cookie', kept.join('; '))
}

export interface CookieOptions {
  readonly secure: boolean
  readonly maxAgeSeconds: number
}

/** A value as the values of `Set-Cookie`, several when it is long; `undefined` when it is too long for any. */
export function setCookies(
  name: string,
  value: string,
  options: CookieOptions,
): readonly string[] | undefined {
  const count = Math.ceil(value.length / chunkLength)
  if (count > mostChunks) return undefined
  return Array.from({ length: count }, (_, index) =>
    cookie(chunkName(name, index), value.slice(index * chunkLength, (index + 1) * chunkLength), options),
  )
}

/** The value that `setCookies` has put into several. */
export function joined(cookies: Cookies, name: string): string | undefined {
  let value = cookies.get(name)
  if (value === undefined) return undefined
  for (let index = 1; value.length === index * chunkLength && index < mostChunks; index++) {
    value += cookies.get(chunkName(name, index)) ?? ''
  }
  return value
}

export function deleteCookie(name: string, secure: boolean): string {
  return cookie(name, '', { secure, maxAgeSeconds: 0 })
}

function chunkName(name: string, index: number): string {
  return index === 0 ? name : `${name}.${index}`
}

/** Lax: the provider leads the user back here from another site, and the cookie must come along. */
function cookie(name: string, value: string, { secure, maxAgeSeconds }: CookieOptions): string {
  return `${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
}
