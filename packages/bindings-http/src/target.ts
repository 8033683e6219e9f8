import { ComponentError } from '@outrigger/spec'

/** Reads the base URL. */
export function parseBase(text: string): URL {
  const base = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined
  if (base === undefined || !/^https?:$/.test(base.protocol) || base.hostname === '') {
    throw new ComponentError(
      'INVALID_METADATA',
      'url must be an http or https URL with a host, such as http://localhost:8080/api',
    )
  }
  return base
}

/**
 * The URL of a request: the path put behind the base, with one slash between them.
 * @throws ComponentError INVALID_ARGUMENT when the path leads out of the base
 */
export function targetOf(base: URL, path: string | undefined): URL {
  if (path === undefined || path === '') return base
  const text = `${base.href.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`
  const target = URL.canParse(text) ? new URL(text) : undefined
  const folder = base.pathname.replace(/\/+$/, '')
  const inside =
    target !== undefined &&
    target.origin === base.origin &&
    target.username === base.username &&
    target.password === base.password &&
    (target.pathname === base.pathname || target.pathname.startsWith(`${folder}/`))
  if (inside) return target
  throw new ComponentError(
    'INVALID_ARGUMENT',
    `path ${JSON.stringify(path)} leads out of the url of the binding`,
  )
}

/** Whether two URLs are of one host, or the second of one below the first; a step from https to http leaves it. */
export function sameHost(from: URL, to: URL): boolean {
  if (from.protocol === 'https:' && to.protocol === 'http:') return false
  return to.hostname === from.hostname || to.hostname.endsWith(`.${from.hostname}`)
}
